"""Reading one cell: text, codes, dates and amounts."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from decimal import Decimal, InvalidOperation

from partnerships.kit.dates import NotADate, PartialDate
from partnerships.kit.written import read_amount, read_date
from partnerships.transfer.reading.tables import Cell

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"), None)
_EXCEL_EPOCH = dt.date(1899, 12, 30)
#: What published tables write for an empty value.
_NOTHING = {"", "-", "–", "—", "n/a", "na", "nan", "none", "null", "nil", "[x]", "[z]", "..", "#n/a"}


class Unreadable(ValueError):
    """The cell has an invalid value; the text gives value and remedy."""


def text(cell: Cell) -> str:
    """The cell as one line of text.

    Whitespace is collapsed, invisible characters are removed, and 5069.0 becomes 5069.
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "True" if cell else "False"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat()
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    line = unicodedata.normalize("NFC", str(cell)).translate(_INVISIBLE)
    line = "".join(" " if unicodedata.category(mark) in ("Cc", "Cs") else mark for mark in line)
    return " ".join(line.split())


def is_nothing(cell: Cell) -> bool:
    """Whether the cell is blank or holds a mark for no value."""
    return text(cell).casefold() in _NOTHING


def code(cell: Cell) -> str:
    """A key, code or registration number in capitals.

    Spaces around it and a decimal added by Excel are removed.
    """
    line = text(cell)
    if re.fullmatch(r"\d+\.0+", line):
        line = line.partition(".")[0]
    return line.upper()


def flag(cell: Cell) -> bool | None:
    """Yes, no, or None if the cell says neither."""
    word = text(cell).casefold()
    if word in ("true", "yes", "y", "1", "t"):
        return True
    return False if word in ("false", "no", "n", "0", "f") else None


def partial_date(cell: Cell) -> PartialDate | None:
    """A date as precise as it was written; None for an empty cell.

    Reads 2017, 2017.0, 2017-04, 2017-04-11, 2017-04-11T00:00:00, 11/04/2017 (day first, as in Britain), 11.04.2017,
    11 April 2017, 11-Apr-17, 11th April 2017, April 2017, Q2 2017, a date cell, and a day number of Excel. Raises
    `Unreadable`.
    """
    if is_nothing(cell):
        return None
    if isinstance(cell, dt.datetime | dt.date):
        return PartialDate(cell.year, cell.month, cell.day)
    line = text(cell)
    try:
        return _read_date(line)
    except (NotADate, ValueError) as error:
        raise Unreadable(f"“{line}” is not a date. Write it as 08/02/2023 or 2023-02-08.") from error


def _read_date(line: str) -> PartialDate:
    if re.fullmatch(r"\d{4}(\.0+)?", line):
        return PartialDate.parse(line[:4])
    if re.fullmatch(r"\d{5}(\.\d+)?", line):
        day = _EXCEL_EPOCH + dt.timedelta(days=int(line[:5]))
        return PartialDate(day.year, day.month, day.day)
    if match := re.fullmatch(r"(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?(?:[T ].*)?", line):
        return _made(match[1], match[2], match[3])
    return read_date(re.sub(r" 00:00(:00)?$", "", line))


def _made(year: str, month: str, day: str | None) -> PartialDate:
    if not (year.isdecimal() and month.isdecimal() and (day is None or day.isdecimal())):
        raise NotADate(f"{year} {month} {day}")
    written = f"{int(year):04d}-{int(month):02d}" + (f"-{int(day):02d}" if day else "")
    return PartialDate.parse(written)


def full_date(cell: Cell) -> dt.date | None:
    """A full date; None for an empty cell. Raises `Unreadable`, also if only the month or year is given."""
    partial = partial_date(cell)
    if partial is None:
        return None
    if partial.precision != "day":
        raise Unreadable(f"“{text(cell)}” is not a whole date. Write day, month and year: 08/02/2023.")
    return partial.earliest


def amount(cell: Cell) -> Decimal | None:
    """A sum of money or a quantity; None for an empty cell.

    Reads £1,373,992.00, 2013.0, (500.00), 1 200 and £1.8m. Raises `Unreadable`.
    """
    if is_nothing(cell):
        return None
    line = text(cell)
    bare = line.replace("£", "").replace("GBP", "").replace(",", "").replace(" ", "").replace("\u2212", "-")
    negative = bare.startswith("(") and bare.endswith(")")
    try:
        value = _number(bare.strip("()"))
    except ValueError as error:
        raise Unreadable(f"“{line}” is not an amount. Write a number, such as 1373992.00.") from error
    if not value.is_finite() or abs(value) >= Decimal(10) ** 12:
        raise Unreadable(f"“{line}” is too large or too small an amount. Write a number, such as 1373992.00.")
    return -value if negative else value


def _number(bare: str) -> Decimal:
    """A number as programs write it (1e-05), or else as people do."""
    try:
        return Decimal(bare)
    except InvalidOperation:
        return read_amount(bare) or Decimal(0)
