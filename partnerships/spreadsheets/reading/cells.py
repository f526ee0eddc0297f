"""Reading one cell of a partner's spreadsheet, as people write it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from partnerships.kit.postcodes import read_postcode
from partnerships.transfer.reading.tables import Cell
from partnerships.transfer.reading.values import Unreadable, amount, flag, partial_date, text

#: What people write where they do not know.
_NOT_KNOWN = frozenset(["", "not known", "unknown", "bedrooms not known"])


def long_text(cell: Cell) -> str:
    """A text that may have several lines, without control characters.

    Invisible ones are left to the service.
    """
    if not isinstance(cell, str):
        return text(cell)
    lines = unicodedata.normalize("NFC", cell).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(mark for mark in lines if mark in "\n\t" or unicodedata.category(mark) not in ("Cc", "Cs")).strip()


def partial(cell: Cell) -> str:
    """A date as precise as it was written: 2027, 2027-04 or 2027-04-11. "" for a blank cell. Raises `Unreadable`."""
    read = partial_date(cell)
    return str(read) if read is not None else ""


def postcode(cell: Cell) -> str:
    """A postcode, or only its district.

    "" for a blank cell. Raises `Unreadable`.
    """
    try:
        return read_postcode(text(cell))
    except ValueError as error:
        raise Unreadable(str(error)) from error


def yes_no(cell: Cell) -> bool | None:
    """Yes or no; None for a blank cell. Raises `Unreadable`."""
    said = flag(cell)
    if said is None and text(cell):
        raise Unreadable(f"“{text(cell)}” is neither yes nor no. Write yes or no.")
    return said


def one_of(choices: Mapping[str, str]) -> Callable[[Cell], str]:
    """Reads the code of a choice from its label or code.

    "" for a blank cell. The reader raises `Unreadable`.
    """
    codes = {_bare(label): code for code, label in choices.items()} | {_bare(code): code for code in choices}

    def read(cell: Cell) -> str:
        said = text(cell)
        if not said:
            return ""
        if _bare(said) not in codes:
            raise Unreadable(f"“{said}” is not an allowed value. Write one of: {', '.join(choices.values())}.")
        return codes[_bare(said)]

    return read


def _bare(words: str) -> str:
    """Words without case, spaces and punctuation."""
    return re.sub(r"[^a-z0-9]+", "", words.casefold())


def whole(cell: Cell) -> int | None:
    """A whole number that is not negative: 1,200 or 1200.0.

    None for a blank cell. Raises `Unreadable`.
    """
    number = amount(cell)
    if number is None:
        return None
    if number != number.to_integral_value() or number < 0:
        raise Unreadable(f"“{text(cell)}” is not a whole number. Write a number, such as 12.")
    return int(number)


def quantity(cell: Cell) -> Decimal | None:
    """A quantity as it is stored, with two decimals.

    None for a blank cell. Raises `Unreadable`.
    """
    number = amount(cell)
    if number is None:
        return None
    rounded = number.quantize(Decimal("0.01"))
    if abs(number - rounded) > Decimal("0.000001"):  # Excel writes 0.3 as 0.30000000000000004
        raise Unreadable(f"“{text(cell)}” has more than two decimals. Write two at most, such as 12.25.")
    return rounded


def bedrooms(cell: Cell) -> int | None:
    """A number of bedrooms: 2, “2 bed”, 2b or studio.

    None for a blank cell or “not known”. Raises `Unreadable`.
    """
    said = text(cell).casefold()
    if said in _NOT_KNOWN:
        return None
    if said in ("studio", "bedsit"):
        return 0
    match = re.fullmatch(r"(\d{1,2})\s*(?:b|bed|beds|bedroom|bedrooms|-bed)?(?:s)?", said)
    if match is None or int(match[1]) > 20:
        raise Unreadable(f"“{text(cell)}” is not a number of bedrooms. Write 2, or studio.")
    return int(match[1])


def year(cell: Cell) -> str:
    """A calendar or financial year: 2027, 2027-28, 2027/28 or 2027/2028.

    "" for a blank cell. Raises `Unreadable`.
    """
    said = text(cell)
    if not said:
        return ""
    match = YEAR.fullmatch(said)
    if match is None or (match[2] and int(match[2][-2:]) != (int(match[1]) + 1) % 100):
        raise Unreadable(f"“{said}” is not a year. Write 2027, or 2027-28 for a financial year.")
    return f"{match[1]}-{match[2][-2:]}" if match[2] else match[1]


#: How people write a year.
YEAR = re.compile(r"(\d{4})(?:\s*[-/–]\s*(\d{2}|\d{4}))?")


def degrees(cell: Cell) -> Any:
    """Degrees as they are written.

    The service checks them. None for a blank cell.
    """
    return text(cell) or None
