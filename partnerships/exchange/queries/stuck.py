"""Asks and offers that are stuck, for facilitators and leads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.utils import timezone

from partnerships.agreements.stuck import Stuck
from partnerships.exchange.models import Entry
from partnerships.people.models import User

#: Days without an answer.
UNANSWERED_DAYS = 14


def unanswered_in(user: User, partnerships: Collection[int], now: dt.datetime) -> list[Stuck]:
    """Asks and offers shared with these partnerships that nobody has answered for two weeks."""
    old = now - dt.timedelta(days=UNANSWERED_DAYS)
    entries = (
        Entry.objects.visible_to(user)
        .unanswered()
        .filter(partnership__in=partnerships, is_open=True, standing=False, shared_at__lte=old)
    )
    return [
        Stuck(
            partnership=entry.partnership_id or 0,
            what="No answer to an ask" if entry.is_ask else "No answer to an offer",
            title=entry.title,
            path=entry.get_absolute_url(),
            since=timezone.localdate(entry.shared_at),
            waits_for="the partners",
        )
        for entry in entries.order_by("shared_at", "pk")
    ]
