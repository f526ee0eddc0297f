"""Find the commitments that are stuck, for facilitators and leads."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q
from django.utils import timezone

from partnerships.agreements.stuck import StuckRecord
from partnerships.commitments.models import Commitment, CommitmentQuerySet, Status, overdue_on
from partnerships.kit.text import shorten
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User


def stuck_commitments(user: User, partnership_ids: list[int], now: dt.datetime) -> list[StuckRecord]:
    """Return a line for each commitment of these partnerships that is overdue or blocked."""
    today = timezone.localdate(now)
    return [_stuck_commitment(row, today) for row in rows_for(stuck_rows, user, partnership_ids, now)]


def stuck_rows(user: User, partnership_ids: list[int], now: dt.datetime) -> CommitmentQuerySet:
    """Return the commitments of these partnerships that are overdue or blocked."""
    is_stuck = overdue_on(timezone.localdate(now)) | Q(status=Status.BLOCKED)
    rows = Commitment.objects.visible_to(user).filter(is_stuck, partnership__in=partnership_ids)
    return rows.for_listing().order_by("due_on", "pk")


def _stuck_commitment(commitment: Commitment, today: dt.date) -> StuckRecord:
    """Return the line about a commitment that is overdue since its due date, or blocked since its status changed."""
    if commitment.is_overdue(today) and commitment.due_on is not None:
        what, since = "Overdue commitment", commitment.due_on
    else:
        what, since = "Blocked commitment", timezone.localdate(commitment.status_since)
    return StuckRecord(
        partnership_id=commitment.partnership_id or 0,
        what=what,
        title=f"{commitment.reference}: {shorten(commitment.text, 80)}",
        path=commitment.get_absolute_url(),
        since=since,
        waits_for=commitment.giver_words,
    )
