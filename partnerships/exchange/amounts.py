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

    One that is only proposed, or was declined, has none of these. `answer` is the accepted answer it came from.
    """

    answer: int | None = None
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
    agreed = sum((one.promised for one in promises if one.answer not in answers), NOTHING)
    for number, accepted in answers.items():
        own = [one for one in promises if one.answer == number]
        lost = sum((one.lost for one in own), NOTHING)
        agreed += max(accepted - lost, sum((one.promised for one in own), NOTHING))
    return Amounts(
        agreed=agreed,
        promised=sum((one.promised for one in promises), NOTHING),
        kept=sum((one.kept for one in promises), NOTHING),
    )
