"""Quantities in words: `60 homes`, `£1,250,000`, `40 of 60 homes`."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal


def _as_written(unit: str) -> tuple[str, str]:
    return unit, unit


class _Words:
    """The words for units. Pure: the room registers where they come from."""

    of: Callable[[str], tuple[str, str]] = staticmethod(_as_written)


def use_words(words: Callable[[str], tuple[str, str]]) -> None:
    """Take the words for one and for several of a unit from this function."""
    _Words.of = staticmethod(words)


def number_words(number: Decimal) -> str:
    """A number without trailing zeros: `60`, `2.5`, `1,250,000`."""
    whole = number.to_integral_value()
    if number == whole:
        return f"{int(whole):,}"
    return f"{number:,.2f}".rstrip("0")


def plain_number(number: Decimal | None) -> Decimal | None:
    """A number for a form field: `60`, not `60.00` or `6E+1`."""
    if number is None:
        return None
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize()


def quantity_words(quantity: Decimal | None, unit: str) -> str:
    """The quantity with its unit; empty without a quantity."""
    if quantity is None:
        return ""
    if unit == "pounds":
        return f"£{number_words(quantity) if quantity == quantity.to_integral_value() else f'{quantity:,.2f}'}"
    one, many = _Words.of(unit) if unit else ("", "")
    return f"{number_words(quantity)} {one if quantity == 1 else many}".strip()


def delivered_words(delivered: Decimal, quantity: Decimal | None, unit: str) -> str:
    """`40 of 60 homes`; empty without a quantity."""
    if quantity is None:
        return ""
    if unit == "pounds":
        return f"{quantity_words(delivered, unit)} of {quantity_words(quantity, unit)}"
    return f"{number_words(delivered)} of {quantity_words(quantity, unit)}"


def homes_and_money(quantity: Decimal | None, unit: str) -> tuple[Decimal | None, Decimal | None]:
    """The quantity as homes, or as money in pounds, for totals; in another unit neither."""
    return (quantity if unit == "homes" else None), (quantity if unit == "pounds" else None)
