"""Quantities in words: `60 homes`, `£1,250,000`, `40 of 60 homes`."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from partnerships.kit.text import figure, pounds


def _code_itself(unit: str) -> tuple[str, str]:
    return unit, unit


class _UnitWords:
    """The function that returns the words for a unit. The room sets it at start-up: this module uses no database."""

    of: Callable[[str], tuple[str, str]] = staticmethod(_code_itself)


def use_words(words: Callable[[str], tuple[str, str]]) -> None:
    """Set the function that returns the singular and the plural of a unit."""
    _UnitWords.of = staticmethod(words)


def quantity_words(quantity: Decimal | None, unit: str) -> str:
    """The quantity with its unit; empty without a quantity."""
    if quantity is None:
        return ""
    if unit == "pounds":
        return pounds(quantity)
    singular, plural = _UnitWords.of(unit) if unit else ("", "")
    return f"{figure(quantity)} {singular if quantity == 1 else plural}".strip()


def delivered_words(delivered: Decimal, quantity: Decimal | None, unit: str) -> str:
    """`40 of 60 homes`; empty without a quantity."""
    if quantity is None:
        return ""
    if unit == "pounds":
        return f"{quantity_words(delivered, unit)} of {quantity_words(quantity, unit)}"
    return f"{figure(delivered)} of {quantity_words(quantity, unit)}"


def homes_and_money(quantity: Decimal | None, unit: str) -> tuple[Decimal | None, Decimal | None]:
    """The quantity as a number of homes and as pounds, for totals: one of the two is None, or both."""
    return (quantity if unit == "homes" else None), (quantity if unit == "pounds" else None)
