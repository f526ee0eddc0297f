"""Write quantities in words, such as `60 homes`, `£1,250,000` or `40 of 60 homes`."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from partnerships.kit.text import figure, pounds


def _code_itself(unit: str) -> tuple[str, str]:
    return unit, unit


class _UnitWords:
    """Stores the function that returns the words for a unit.

    The room sets the function at start-up, because this module must not use the database.
    """

    of: Callable[[str], tuple[str, str]] = staticmethod(_code_itself)


def set_unit_words(words: Callable[[str], tuple[str, str]]) -> None:
    """Set the function that returns the singular and the plural of a unit."""
    _UnitWords.of = staticmethod(words)


def quantity_words(quantity: Decimal | None, unit: str) -> str:
    """Return the quantity with its unit, or "" without a quantity."""
    if quantity is None:
        return ""
    if unit == "pounds":
        return pounds(quantity)
    singular, plural = _UnitWords.of(unit) if unit else ("", "")
    return f"{figure(quantity)} {singular if quantity == 1 else plural}".strip()


def delivered_words(delivered: Decimal, quantity: Decimal | None, unit: str) -> str:
    """Return the delivered part of a quantity, such as `40 of 60 homes`, or "" without a quantity."""
    if quantity is None:
        return ""
    if unit == "pounds":
        return f"{quantity_words(delivered, unit)} of {quantity_words(quantity, unit)}"
    return f"{figure(delivered)} of {quantity_words(quantity, unit)}"


def homes_and_money(quantity: Decimal | None, unit: str) -> tuple[Decimal | None, Decimal | None]:
    """Return the quantity as a number of homes and as pounds, for totals.

    The value is None where the quantity has another unit.
    """
    return (quantity if unit == "homes" else None), (quantity if unit == "pounds" else None)
