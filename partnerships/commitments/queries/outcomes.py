"""The promises of one organisation to another, by outcome: kept, broken, outstanding or proposed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone

from partnerships.commitments.models import Commitment, Kind
from partnerships.commitments.queries.listings import sorted_by_due_date
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Promises:
    """Commitments of one organisation to another, by outcome and each in the order of due dates."""

    giver: Organisation
    receiver: Organisation
    kept: tuple[Commitment, ...]
    broken: tuple[Commitment, ...]
    outstanding: tuple[Commitment, ...]
    proposed: tuple[Commitment, ...]

    @property
    def kept_late(self) -> int:
        """Return the number of kept commitments that were delivered after their first due date."""
        return sum(was_late(commitment) for commitment in self.kept)


def was_late(commitment: Commitment) -> bool:
    """Return whether a commitment was delivered after its first due date."""
    if commitment.done_at is None or commitment.original_due_on is None:
        return False
    return timezone.localdate(commitment.done_at) > commitment.original_due_on


def promises_between(*, giver: Organisation, receiver: Organisation, user: User, today: dt.date) -> Promises:
    """Return the commitments of `giver` to `receiver` that the person may see, by outcome.

    - Kept: verified, or done and not yet verified.
    - Broken: cancelled after both sides agreed, or overdue.
    """
    between = Commitment.objects.visible_to(user).filter(giver=giver, receiver=receiver, kind=Kind.COMMITMENT)
    rows = list(sorted_by_due_date(between).for_listing())

    def matching(condition: Callable[[Commitment], bool]) -> tuple[Commitment, ...]:
        return tuple(row for row in rows if condition(row))

    return Promises(
        giver=giver,
        receiver=receiver,
        kept=matching(lambda row: row.is_verified or row.is_done),
        broken=matching(lambda row: row.was_broken or row.is_overdue(today)),
        outstanding=matching(lambda row: row.is_under_way and not row.is_overdue(today)),
        proposed=matching(lambda row: row.is_proposed),
    )
