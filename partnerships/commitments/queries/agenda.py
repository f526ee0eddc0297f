"""Commitments to suggest for the agenda of a partnership's meeting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.utils import timezone

from partnerships.agreements.agenda import Purpose, Since, Suggestion
from partnerships.agreements.models import Partnership
from partnerships.commitments.models import Commitment, Kind, Status
from partnerships.commitments.queries.listings import for_partnerships
from partnerships.kit.dates import long_date
from partnerships.people.models import User


def overdue(user: User, partnerships: Sequence[Partnership], since: Since) -> list[Suggestion]:
    """Commitments past their due date."""
    today = timezone.localdate(since.now)
    rows = for_partnerships(partnerships, user).overdue(today).filter(kind=Kind.COMMITMENT)
    return _suggest(rows, Purpose.DISCUSSION)


def at_risk(user: User, partnerships: Sequence[Partnership], since: Since) -> list[Suggestion]:
    """Commitments at risk or blocked that are not overdue."""
    today = timezone.localdate(since.now)
    rows = for_partnerships(partnerships, user).filter(
        kind=Kind.COMMITMENT, status__in=[Status.AT_RISK, Status.BLOCKED], due_on__gte=today
    )
    return _suggest(rows, Purpose.DISCUSSION)


def to_confirm(user: User, partnerships: Sequence[Partnership], since: Since) -> list[Suggestion]:
    """Commitments that a side has still to confirm."""
    rows = for_partnerships(partnerships, user).filter(kind=Kind.COMMITMENT, status=Status.PROPOSED)
    return _suggest(rows, Purpose.DECISION)


def _suggest(rows: Iterable[Commitment], purpose: Purpose) -> list[Suggestion]:
    return [
        Suggestion(
            partnership=row.partnership_id or 0,
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
    due = f", due {long_date(commitment.due_on)}" if commitment.due_on else ""
    return f"{commitment.giver_words}, {commitment.get_status_display().lower()}{due}"
