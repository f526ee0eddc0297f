"""Reads the cells of partners' spreadsheets in the many ways in which people fill them in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal

from partnerships.kit.postcodes import read_postcode
from partnerships.transfer.reading.tables import Cell
from partnerships.transfer.reading.values import Unreadable, amount, partial_date, text, yes_or_no_value

#: Texts that people enter if they do not know the number of bedrooms.
_NOT_KNOWN = frozenset(["", "not known", "unknown", "bedrooms not known"])


def long_text(cell: Cell) -> str:
    """Return a text that may have several lines, without control characters."""
    if not isinstance(cell, str):
        return text(cell)
    lines = unicodedata.normalize("NFC", cell).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(mark for mark in lines if mark in "\n\t" or unicodedata.category(mark) not in ("Cc", "Cs")).strip()


def partial_date_text(cell: Cell) -> str:
    """Return a date as precise as in the cell, such as 2027, 2027-04 or 2027-04-11, or "" for a blank cell.

    Raises `Unreadable`.
    """
    date = partial_date(cell)
    return str(date) if date is not None else ""


def postcode(cell: Cell) -> str:
    """Return a postcode or only its district, or "" for a blank cell. Raises `Unreadable`."""
    try:
        return read_postcode(text(cell))
    except ValueError as error:
        raise Unreadable(str(error)) from error


def yes_no(cell: Cell) -> bool | None:
    """Return True for yes, False for no, and None for a blank cell. Raises `Unreadable`."""
    value = yes_or_no_value(cell)
    if value is None and text(cell):
        raise Unreadable(f"“{text(cell)}” is neither yes nor no. Enter yes or no.")
    return value


def choice_reader(choices: Mapping[str, str]) -> Callable[[Cell], str]:
    """Return a function that reads the label or the code of a choice, and returns the code.

    `choices` are labels by code. For a blank cell, the function returns "". For another text, it raises `Unreadable`.
    """
    code_by_label = {_comparable(label): code for code, label in choices.items()}
    code_by_text = code_by_label | {_comparable(code): code for code in choices}

    def read(cell: Cell) -> str:
        choice = text(cell)
        if not choice:
            return ""
        if _comparable(choice) not in code_by_text:
            raise Unreadable(f"“{choice}” is not an allowed value. Enter one of: {', '.join(choices.values())}.")
        return code_by_text[_comparable(choice)]

    return read


def _comparable(choice: str) -> str:
    """Return a label or code without case, spaces and punctuation."""
    return re.sub(r"[^a-z0-9]+", "", choice.casefold())


def whole_number(cell: Cell) -> int | None:
    """Return a whole number from 0, written like 1,200 or 1200.0, or None for a blank cell. Raises `Unreadable`."""
    number = amount(cell)
    if number is None:
        return None
    if number != number.to_integral_value() or number < 0:
        raise Unreadable(f"“{text(cell)}” is not a whole number. Enter a number, for example 12.")
    return int(number)


def quantity(cell: Cell) -> Decimal | None:
    """Return a quantity with at most two decimals, or None for a blank cell. Raises `Unreadable`."""
    number = amount(cell)
    if number is None:
        return None
    rounded = number.quantize(Decimal("0.01"))
    # Excel may have 0.30000000000000004 for 0.3.
    if abs(number - rounded) > Decimal("0.000001"):
        raise Unreadable(f"“{text(cell)}” has more than two decimals. Enter at most two, for example 12.25.")
    return rounded


def bedrooms(cell: Cell) -> int | None:
    """Return a number of bedrooms, such as 2 for “2 bed” or “2b”, and 0 for a studio.

    Returns None for a blank cell or “not known”. Raises `Unreadable`.
    """
    size = text(cell).casefold()
    if size in _NOT_KNOWN:
        return None
    if size in ("studio", "bedsit"):
        return 0
    match = re.fullmatch(r"(\d{1,2})\s*(?:b|bed|beds|bedroom|bedrooms|-bed)?(?:s)?", size)
    if match is None or int(match[1]) > 20:
        raise Unreadable(f"“{text(cell)}” is not a number of bedrooms. Enter a number, for example 2, or enter studio.")
    return int(match[1])


def year(cell: Cell) -> str:
    """Return a calendar year such as 2027, a financial year such as 2027-28, or "" for a blank cell.

    Reads 2027, 2027-28, 2027/28 and 2027/2028. Raises `Unreadable`.
    """
    entered_text = text(cell)
    if not entered_text:
        return ""
    match = YEAR.fullmatch(entered_text)
    first, last = (match[1], (match[2] or "")[-2:]) if match else ("", "")
    if not first or (last and int(last) != (int(first) + 1) % 100):
        raise Unreadable(
            f"“{entered_text}” is not a year. Enter a year, for example 2027, or a financial year, for example 2027-28."
        )
    return f"{first}-{last}" if last else first


#: A calendar or financial year, as people write it.
YEAR = re.compile(r"(\d{4})(?:\s*[-/–]\s*(\d{2}|\d{4}))?")


def degrees_text(cell: Cell) -> str | None:
    """Return the text of a latitude or longitude, or None for a blank cell. The service checks the text."""
    return text(cell) or None
