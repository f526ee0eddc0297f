"""Asks and offers that are stuck, for facilitators and leads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.utils import timezone

from partnerships.agreements.stuck import Stuck
from partnerships.exchange.models import Entry, EntryFacilitator, Response
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
    return [_unanswered(entry) for entry in entries.order_by("shared_at", "pk")]


def _unanswered(entry: Entry) -> Stuck:
    return Stuck(
        partnership=entry.partnership_id,
        what="No answer to an ask" if entry.is_ask else "No answer to an offer",
        title=entry.title,
        path=entry.get_absolute_url(),
        since=timezone.localdate(entry.shared_at),
        waits_for="the partners",
    )


def facilitated_entries(user: User, now: dt.datetime) -> list[Stuck]:
    """Facilitated asks and offers with no answer or decision for two weeks."""
    old = now - dt.timedelta(days=UNANSWERED_DAYS)
    facilitated = EntryFacilitator.objects.named().filter(person=user).values("entry")
    readable = Entry.objects.visible_to(user).filter(pk__in=facilitated, is_open=True)
    undecided = Response.objects.visible_to(user).waiting().filter(entry__in=readable.values("pk"), made_at__lte=old)
    return [
        *(_unanswered(entry) for entry in readable.unanswered().filter(shared_at__lte=old).order_by("shared_at", "pk")),
        *(
            Stuck(
                partnership=facilitator.entry.partnership_id,
                what="No decision on an answer",
                title=facilitator.entry.title,
                path=facilitator.entry.get_absolute_url(),
                since=timezone.localdate(facilitator.made_at),
                waits_for=facilitator.entry.organisation.display_name,
            )
            for facilitator in undecided.select_related("entry__organisation").order_by("made_at", "pk")
        ),
    ]
