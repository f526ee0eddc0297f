"""Read which promises of one organisation to another were kept or broken, and which are outstanding."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from partnerships.commitments.models import Commitment, CommitmentQuerySet, Kind
from partnerships.commitments.queries.listings import sorted_by_due_date
from partnerships.organisations.models import Organisation
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Promises:
    """The commitments of one organisation to another by outcome, each sorted by due date."""

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

    A promise is kept once it is done, even before it is verified. It is broken if it is overdue, or was cancelled after
    both had agreed.
    """
    commitments = rows_for(_commitments_between, user, giver.pk, receiver.pk)
    return Promises(
        giver=giver,
        receiver=receiver,
        kept=tuple(row for row in commitments if row.is_verified or row.is_done),
        broken=tuple(row for row in commitments if row.was_broken or row.is_overdue(today)),
        outstanding=tuple(row for row in commitments if row.is_under_way and not row.is_overdue(today)),
        proposed=tuple(row for row in commitments if row.is_proposed),
    )


def promises_lookup(*, giver: Organisation, receiver: Organisation, user: User) -> Lookup:
    """Return the lookup of `promises_between` with the same arguments, for `read_ahead`."""
    return lookup(_commitments_between, user, giver.pk, receiver.pk)


def _commitments_between(user: User, giver: int, receiver: int) -> CommitmentQuerySet:
    """Return the commitments of `giver` to `receiver` that the person may see, by due date."""
    between = Commitment.objects.visible_to(user).filter(giver=giver, receiver=receiver, kind=Kind.COMMITMENT)
    return sorted_by_due_date(between).for_listing()
