"""How much of an entry is agreed, promised by both sides, and kept. Pure.

Amounts are in the entry's unit. If the entry has no quantity, each answer and each commitment counts as one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Promise:
    """How much of an entry a commitment promises, has kept or has lost.

    All three are 0 for a commitment that is only proposed or was declined. `answer_id` is the accepted answer that the
    commitment came from.
    """

    answer_id: int | None = None
    promised: Decimal = NOTHING
    kept: Decimal = NOTHING
    lost: Decimal = NOTHING


@dataclass(frozen=True, slots=True)
class Amounts:
    """Totals for an entry. `agreed` includes answers without a commitment."""

    agreed: Decimal
    promised: Decimal
    kept: Decimal


def amounts(promises: Collection[Promise], answers: Mapping[int, Decimal]) -> Amounts:
    """Add up promises and accepted answers (agreed amounts by answer id).

    An answer counts for its agreed amount, less what commitments from it promised and lost. A commitment without an
    answer counts for what it promises.
    """
    agreed = sum((promise.promised for promise in promises if promise.answer_id not in answers), NOTHING)
    for answer_id, accepted in answers.items():
        promises_of_answer = [promise for promise in promises if promise.answer_id == answer_id]
        promised = sum((promise.promised for promise in promises_of_answer), NOTHING)
        lost = sum((promise.lost for promise in promises_of_answer), NOTHING)
        agreed += max(accepted - lost, promised)
    return Amounts(
        agreed=agreed,
        promised=sum((promise.promised for promise in promises), NOTHING),
        kept=sum((promise.kept for promise in promises), NOTHING),
    )
