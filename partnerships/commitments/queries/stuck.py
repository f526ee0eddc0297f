"""Commitments that are stuck, for facilitators and leads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db.models import Q
from django.utils import timezone

from partnerships.agreements.stuck import StuckRecord
from partnerships.commitments.models import Commitment, Status, overdue_on
from partnerships.kit.text import shorten
from partnerships.people.models import User


def stuck_commitments(user: User, partnerships: Collection[int], now: dt.datetime) -> list[StuckRecord]:
    """Return the commitments of these partnerships that are overdue or blocked."""
    today = timezone.localdate(now)
    stuck = overdue_on(today) | Q(status=Status.BLOCKED)
    rows = Commitment.objects.visible_to(user).filter(stuck, partnership__in=partnerships)
    return [
        StuckRecord(
            partnership=row.partnership_id or 0,
            what="Overdue commitment" if row.is_overdue(today) else "Blocked commitment",
            title=f"{row.reference}: {shorten(row.text, 80)}",
            path=row.get_absolute_url(),
            since=(row.due_on if row.is_overdue(today) else None) or timezone.localdate(row.status_since),
            waits_for=row.giver_words,
        )
        for row in rows.for_listing().order_by("due_on", "pk")
    ]
