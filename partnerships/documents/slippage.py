"""Slippage: how far a date moved, in days, months, quarters or years."""

from __future__ import annotations

from dataclasses import dataclass

from partnerships.kit.dates import PartialDate


@dataclass(frozen=True, slots=True)
class Slippage:
    """How far one date is after another (negative: before)."""

    amount: int
    unit: str  # "day", "month" or "year"

    def words(self) -> str:
        """In words: "14 days later", "2 quarters earlier", "5 months later". "" for 0."""
        size, unit = abs(self.amount), self.unit
        if not size:
            return ""
        if unit == "month" and size % 12 == 0:
            size, unit = size // 12, "year"
        elif unit == "month" and size % 3 == 0:
            size, unit = size // 3, "quarter"
        plural = "" if size == 1 else "s"
        return f"{size} {unit}{plural} {'later' if self.amount > 0 else 'earlier'}"


def slippage(was: str, now: str) -> Slippage | None:
    """How much later `now` is than `was` (stored partial dates). None if either is missing."""
    if not was or not now:
        return None
    a, b = PartialDate.parse(was), PartialDate.parse(now)
    if a.day and b.day:
        return Slippage((b.earliest - a.earliest).days, "day")
    if a.month and b.month:
        return Slippage((b.year - a.year) * 12 + b.month - a.month, "month")
    return Slippage(b.year - a.year, "year")
