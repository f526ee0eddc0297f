"""What the answers and commitments of one entry amount to: agreed, promised by both sides, kept.

Pure: numbers in, numbers out. They are in the entry's unit; where it counts nothing, each answer and each commitment
counts as one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Promise:
    """A commitment that meets the entry: how much of it both sides promise, is kept, or was promised and fell through.

    One that is only proposed, or was declined, has none of these. `answer` is the accepted answer it came from.
    """

    answer: int | None = None
    promised: Decimal = NOTHING
    kept: Decimal = NOTHING
    lost: Decimal = NOTHING


@dataclass(frozen=True, slots=True)
class Amounts:
    """What it comes to. `agreed` holds answers that were accepted and wait for their commitment."""

    agreed: Decimal
    promised: Decimal
    kept: Decimal


def amounts(promises: Collection[Promise], answers: Mapping[int, Decimal]) -> Amounts:
    """Sum up promises and accepted answers (by number, with how much of the entry each was accepted for).

    An answer stands for what it was accepted for until a commitment from it falls through: that much of it is gone.
    A commitment without an answer stands for itself.
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
