"""Read the value of one cell as a text, code, date or amount."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from decimal import Decimal, InvalidOperation

from partnerships.kit.dates import NotADate, PartialDate
from partnerships.kit.written import read_amount, read_date
from partnerships.transfer.reading.tables import Cell

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"), None)
#: Day 0 of Excel's day numbers.
_EXCEL_EPOCH = dt.date(1899, 12, 30)
#: Marks for an empty value in published tables.
_EMPTY_MARKS = {"", "-", "–", "—", "n/a", "na", "nan", "none", "null", "nil", "[x]", "[z]", "..", "#n/a"}


class Unreadable(ValueError):
    """Raised if a cell has a value that cannot be read. The message is the problem and the remedy."""

    @property
    def fault(self) -> str:
        """Return the problem, which is the first sentence of the message."""
        return f"{str(self).partition('. ')[0]}."

    @property
    def remedy(self) -> str:
        """Return the remedy, which is the second sentence of the message."""
        return str(self).partition(". ")[2]


def text(cell: Cell) -> str:
    """Return the cell as one line of text, as people see it.

    Whitespace is collapsed and invisible characters are removed. Numbers lose the decimal that Excel adds: 5069.0
    becomes 5069.
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
    visible = unicodedata.normalize("NFC", str(cell)).translate(_INVISIBLE)
    without_controls = "".join(" " if unicodedata.category(mark) in ("Cc", "Cs") else mark for mark in visible)
    return " ".join(without_controls.split())


def is_nothing(cell: Cell) -> bool:
    """Return whether the cell is blank, or has a mark for an empty value such as “n/a”."""
    return text(cell).casefold() in _EMPTY_MARKS


def code(cell: Cell) -> str:
    """Return a key, code or registration number in capitals, without the decimal that Excel adds."""
    cell_text = text(cell)
    if re.fullmatch(r"\d+\.0+", cell_text):
        cell_text = cell_text.partition(".")[0]
    return cell_text.upper()


def yes_or_no_value(cell: Cell) -> bool | None:
    """Return True for yes, False for no, and None if the cell has neither."""
    word = text(cell).casefold()
    if word in ("true", "yes", "y", "1", "t"):
        return True
    return False if word in ("false", "no", "n", "0", "f") else None


def partial_date(cell: Cell) -> PartialDate | None:
    """Return a date as precise as the cell has it, or None for an empty cell.

    Reads 2017, 2017.0, 2017-04, 2017-04-11, 2017-04-11T00:00:00, 11/04/2017 (day first, as in Britain), 11.04.2017,
    11 April 2017, 11-Apr-17, 11th April 2017, April 2017, Q2 2017, a date cell, and a day number of Excel. Raises
    `Unreadable`.
    """
    if is_nothing(cell):
        return None
    if isinstance(cell, dt.datetime | dt.date):
        return PartialDate(cell.year, cell.month, cell.day)
    cell_text = text(cell)
    try:
        return _read_date(cell_text)
    except (NotADate, ValueError) as error:
        raise Unreadable(f"“{cell_text}” is not a date. Enter a date, for example 08/02/2023 or 2023-02-08.") from error


def _read_date(date_text: str) -> PartialDate:
    if re.fullmatch(r"\d{4}(\.0+)?", date_text):
        return PartialDate.parse(date_text[:4])
    if re.fullmatch(r"\d{5}(\.\d+)?", date_text):
        day = _EXCEL_EPOCH + dt.timedelta(days=int(date_text[:5]))
        return PartialDate(day.year, day.month, day.day)
    if iso := re.fullmatch(r"(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?(?:[T ].*)?", date_text):
        return _iso_date(year=iso[1], month=iso[2], day=iso[3])
    return read_date(re.sub(r" 00:00(:00)?$", "", date_text))


def _iso_date(*, year: str, month: str, day: str | None) -> PartialDate:
    iso = f"{int(year):04d}-{int(month):02d}" + (f"-{int(day):02d}" if day else "")
    return PartialDate.parse(iso)


def full_date(cell: Cell) -> dt.date | None:
    """Return a full date, or None for an empty cell.

    Raises `Unreadable` if the cell has no date, or only a month or a year.
    """
    partial = partial_date(cell)
    if partial is None:
        return None
    if partial.precision != "day":
        raise Unreadable(f"“{text(cell)}” is not a full date. Enter day, month and year, for example 08/02/2023.")
    return partial.earliest


def amount(cell: Cell) -> Decimal | None:
    """Return a sum of money or a quantity, or None for an empty cell.

    It can be written as £1,373,992.00, 2013.0, (500.00), 1 200 or £1.8m. Raises `Unreadable` for any other text.
    """
    if is_nothing(cell):
        return None
    cell_text = text(cell)
    number_text = cell_text.replace("£", "").replace("GBP", "").replace(",", "").replace(" ", "").replace("\u2212", "-")
    is_negative = number_text.startswith("(") and number_text.endswith(")")
    try:
        value = _number(number_text.strip("()"))
    except ValueError as error:
        raise Unreadable(f"“{cell_text}” is not an amount. Enter a number, for example 1373992.00.") from error
    if not value.is_finite() or abs(value) >= Decimal(10) ** 12:
        raise Unreadable(f"“{cell_text}” is too large or too small an amount. Enter a number, for example 1373992.00.")
    return -value if is_negative else value


def _number(number_text: str) -> Decimal:
    """Return a number as programs write it (1e-05) or as people do (1.8m)."""
    try:
        return Decimal(number_text)
    except InvalidOperation:
        return read_amount(number_text) or Decimal(0)
