"""Calculates how much of an entry is agreed, promised by both sides, and kept, without a database.

Amounts are in the entry's unit. If the entry has no quantity, each answer and each commitment counts as one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Promise:
    """The part of an entry that a commitment promises, has kept or has lost.

    All three amounts are 0 if the commitment is only proposed or was declined. `answer_id` is the accepted answer that
    the commitment came from.
    """

    answer_id: int | None = None
    promised: Decimal = NOTHING
    kept: Decimal = NOTHING
    lost: Decimal = NOTHING


@dataclass(frozen=True, slots=True)
class Amounts:
    """The totals for an entry. `agreed` includes answers without a commitment."""

    agreed: Decimal
    promised: Decimal
    kept: Decimal


def total_amounts(promises: Collection[Promise], agreed_by_answer: Mapping[int, Decimal]) -> Amounts:
    """Add up the promises and the accepted answers, which are given as agreed amounts by the answer's id.

    An answer counts with its agreed amount, less what commitments from it lost, but at least with what commitments
    from it promise. A commitment without an answer counts with what it promises.
    """
    agreed = sum((promise.promised for promise in promises if promise.answer_id not in agreed_by_answer), NOTHING)
    for answer_id, accepted in agreed_by_answer.items():
        promises_of_answer = [promise for promise in promises if promise.answer_id == answer_id]
        promised = sum((promise.promised for promise in promises_of_answer), NOTHING)
        lost = sum((promise.lost for promise in promises_of_answer), NOTHING)
        agreed += max(accepted - lost, promised)
    return Amounts(
        agreed=agreed,
        promised=sum((promise.promised for promise in promises), NOTHING),
        kept=sum((promise.kept for promise in promises), NOTHING),
    )
