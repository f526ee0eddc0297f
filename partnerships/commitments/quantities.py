"""Quantities in words: `60 homes`, `£1,250,000`, `40 of 60 homes`."""

from __future__ import annotations

from decimal import Decimal

#: Singular names of units.
_SINGULAR = {
    "homes": "home",
    "hectares": "hectare",
    "posts": "full-time post",
    "places": "place",
    "hours": "hour",
}
_PLURAL = {**{unit: unit for unit in _SINGULAR}, "posts": "full-time posts"}


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
    words = _SINGULAR if quantity == 1 else _PLURAL
    return f"{number_words(quantity)} {words.get(unit, unit)}".strip()


def delivered_words(delivered: Decimal, quantity: Decimal | None, unit: str) -> str:
    """`40 of 60 homes`; empty without a quantity."""
    if quantity is None:
        return ""
    if unit == "pounds":
        return f"{quantity_words(delivered, unit)} of {quantity_words(quantity, unit)}"
    return f"{number_words(delivered)} of {quantity_words(quantity, unit)}"
