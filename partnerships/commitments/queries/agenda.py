"""Commitments to suggest for the agenda of a partnership's meeting."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from django.utils import timezone

from partnerships.agreements.agenda import AgendaSuggestion, LookBack, Purpose, ids_of
from partnerships.agreements.models import Partnership
from partnerships.commitments.models import Commitment, CommitmentQuerySet, Kind, Status
from partnerships.commitments.queries.listings import commitments_of_partnerships
from partnerships.kit.dates import long_date
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User


def suggest_overdue(user: User, partnerships: Sequence[Partnership], since: LookBack) -> list[AgendaSuggestion]:
    """Suggest commitments past their due date, for discussion."""
    return _suggestions(rows_for(overdue_rows, user, ids_of(partnerships), since.now), Purpose.DISCUSSION)


def overdue_rows(user: User, partnership_ids: list[int], now: dt.datetime) -> CommitmentQuerySet:
    """Return the commitments of these partnerships past their due date."""
    today = timezone.localdate(now)
    return commitments_of_partnerships(partnership_ids, user).overdue(today).filter(kind=Kind.COMMITMENT)


def suggest_at_risk(user: User, partnerships: Sequence[Partnership], since: LookBack) -> list[AgendaSuggestion]:
    """Suggest commitments at risk or blocked that are not overdue, for discussion."""
    return _suggestions(rows_for(at_risk_rows, user, ids_of(partnerships), since.now), Purpose.DISCUSSION)


def at_risk_rows(user: User, partnership_ids: list[int], now: dt.datetime) -> CommitmentQuerySet:
    """Return the commitments of these partnerships that are at risk or blocked, and not overdue."""
    return commitments_of_partnerships(partnership_ids, user).filter(
        kind=Kind.COMMITMENT, status__in=[Status.AT_RISK, Status.BLOCKED], due_on__gte=timezone.localdate(now)
    )


def suggest_unconfirmed(user: User, partnerships: Sequence[Partnership], since: LookBack) -> list[AgendaSuggestion]:
    """Suggest commitments that are not confirmed by both organisations yet, for a decision."""
    return _suggestions(rows_for(unconfirmed_rows, user, ids_of(partnerships), since.now), Purpose.DECISION)


def unconfirmed_rows(user: User, partnership_ids: list[int], now: dt.datetime) -> CommitmentQuerySet:
    """Return the commitments of these partnerships that are not confirmed by both organisations yet."""
    return commitments_of_partnerships(partnership_ids, user).filter(kind=Kind.COMMITMENT, status=Status.PROPOSED)


def _suggestions(rows: Iterable[Commitment], purpose: Purpose) -> list[AgendaSuggestion]:
    """Return these commitments as items to suggest for an agenda."""
    return [
        AgendaSuggestion(
            partnership_id=row.partnership_id or 0,
            subject_kind="commitment",
            subject_id=row.pk,
            title=f"{row.reference} {row.text}"[:300],
            path=row.get_absolute_url(),
            purpose=purpose,
            detail=_detail(row),
        )
        for row in rows
    ]


def _detail(commitment: Commitment) -> str:
    """Return the line below an item: the giver, the status and the due date."""
    due = f", due {long_date(commitment.due_on)}" if commitment.due_on else ""
    return f"{commitment.giver_words}, {commitment.get_status_display().lower()}{due}"
