"""Quantities in words: `60 homes`, `£1,250,000`, `40 of 60 homes`."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from partnerships.kit.text import figure, pounds


def _as_written(unit: str) -> tuple[str, str]:
    return unit, unit


class _UnitWords:
    """Where the words for units come from: the room registers it, so that this module needs no database."""

    of: Callable[[str], tuple[str, str]] = staticmethod(_as_written)


def use_words(words: Callable[[str], tuple[str, str]]) -> None:
    """Take the words for one and for several of a unit from this function."""
    _UnitWords.of = staticmethod(words)


def quantity_words(quantity: Decimal | None, unit: str) -> str:
    """The quantity with its unit; empty without a quantity."""
    if quantity is None:
        return ""
    if unit == "pounds":
        return pounds(quantity)
    one, many = _UnitWords.of(unit) if unit else ("", "")
    return f"{figure(quantity)} {one if quantity == 1 else many}".strip()


def delivered_words(delivered: Decimal, quantity: Decimal | None, unit: str) -> str:
    """`40 of 60 homes`; empty without a quantity."""
    if quantity is None:
        return ""
    if unit == "pounds":
        return f"{quantity_words(delivered, unit)} of {quantity_words(quantity, unit)}"
    return f"{figure(delivered)} of {quantity_words(quantity, unit)}"


def homes_and_money(quantity: Decimal | None, unit: str) -> tuple[Decimal | None, Decimal | None]:
    """The quantity as homes, or as money in pounds, for totals; in another unit neither."""
    return (quantity if unit == "homes" else None), (quantity if unit == "pounds" else None)
