"""Work out how far a date has moved, in days, months, quarters or years."""

from __future__ import annotations

from dataclasses import dataclass

from partnerships.kit.dates import PartialDate


@dataclass(frozen=True, slots=True)
class Slippage:
    """The distance from one date to a later date; negative to an earlier date."""

    amount: int
    unit: str  # "day", "month" or "year"

    def words(self) -> str:
        """Return the slippage in words: "14 days later" or "2 quarters earlier"; "" for 0."""
        size, unit = abs(self.amount), self.unit
        if not size:
            return ""
        if unit == "month" and size % 12 == 0:
            size, unit = size // 12, "year"
        elif unit == "month" and size % 3 == 0:
            size, unit = size // 3, "quarter"
        plural = "" if size == 1 else "s"
        return f"{size} {unit}{plural} {'later' if self.amount > 0 else 'earlier'}"


def slippage(old_date: str, new_date: str) -> Slippage | None:
    """Return how far a stored partial date has moved, or None if either date is missing.

    The unit is the smallest that both dates have. For example, from "2027-03" to "2027-09-30" are 6 months.
    """
    if not old_date or not new_date:
        return None
    old, new = PartialDate.parse(old_date), PartialDate.parse(new_date)
    if old.day and new.day:
        return Slippage((new.earliest - old.earliest).days, "day")
    if old.month and new.month:
        return Slippage((new.year - old.year) * 12 + new.month - old.month, "month")
    return Slippage(new.year - old.year, "year")
