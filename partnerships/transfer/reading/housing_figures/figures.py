"""One figure as it was read, its years and value, and the rows that figures come from."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from partnerships.housing_figures.measures import Status
from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.dating import date_in_file_name
from partnerships.transfer.reading.headings import Column, Line
from partnerships.transfer.reading.list_file import ListFile
from partnerships.transfer.reading.problems import Problem, SetAside, unable
from partnerships.transfer.reading.tables import Cell, Sheet
from partnerships.transfer.reading.values import Unreadable, amount, code, text

#: Codes of councils, national parks and development corporations: they plan for homes. Others are of totals.
BODY = re.compile(r"E(06|07|08|09|26|51)\d{6}")
_OTHER = re.compile(r"(?!E(06|07|08|09|26|51))[EWSNK]\d{8}")
_FORMER = re.compile(r"\d\d[A-Z]{2}")
CODE = Column(
    "code",
    (
        r"currentonscode",
        r"(lad|la|utla|ltla)(\d\d)?cd",
        r"onscode",
        r"(gss|ons|area|la|lpa|localauthority)?(gss|ons)?code",
        r"formeronscode",
    ),
    "ONS code",
    required=True,
    values=r"E\d{8}",
)
NAME = Column(
    "name",
    (
        r"(lad|la)\d\dnm",
        r"(area|lowerandsingletierauthority|authority|localauthority|la|lpa)(name|data)?",
        r"name",
    ),
    "Area name",
)
_YEARS = re.compile(r"(\d{4})\s*[-–/]\s*(\d{2}|\d{4})(?!\d)(.*)")
_YEAR = re.compile(r"(\d{4})(?:\.0+)?(?!\d)(.*)")
_MARK = re.compile(r"\[(p|r|x|z|c|low)\]|\b([PR])\b", re.IGNORECASE)
_WHEN = re.compile(r"\b(date of publication|publication date|published|latest update)\b", re.IGNORECASE)
#: What stands in a cell without a number. A dash is nil in live tables ("nil or less than half the final digit").
_WITHOUT = {
    "": Status.NOT_PUBLISHED,
    "..": Status.NOT_PUBLISHED,
    "[x]": Status.NOT_PUBLISHED,
    "n/a": Status.NOT_PUBLISHED,
    "na": Status.NOT_PUBLISHED,
    "[z]": Status.NOT_APPLICABLE,
    ".": Status.NOT_APPLICABLE,
    "[c]": Status.WITHHELD,
    "c": Status.WITHHELD,
}
_DASHES = ("-", "–", "—", "[low]")
_SIXTH = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFigure:
    """A value for the area of a code.

    `row` is the number of its row among all of the file.
    """

    row: int
    code: str
    name: str
    measure: str
    first_year: int
    last_year: int
    value: Decimal | None = None
    words: str = ""
    status: str = Status.PUBLISHED
    is_joint: bool = False
    plan: str = ""
    plan_key: str = ""
    adopted_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class FigureList:
    """What a file has: its figures, and how it was read.

    `places` has the sheet and row of each row, if the rows of several sheets were put together.
    """

    figures: tuple[PublishedFigure, ...]
    list_file: ListFile
    places: Mapping[int, tuple[str, int]] = field(default_factory=dict)

    def row_set_aside(self, row: int, found: str, remedy: str) -> SetAside:
        """Return the row, set aside for one reason."""
        return placed(self.list_file.row_set_aside([Problem(row, "", found, remedy)]), self.places)


def placed(aside: SetAside, places: Mapping[int, tuple[str, int]]) -> SetAside:
    """Return the row set aside, with the sheet and row at which a person finds it."""
    if aside.row not in places:
        return aside
    sheet, number = places[aside.row]
    return replace(aside, problems=tuple(replace(problem, row=number, sheet=sheet) for problem in aside.problems))


@dataclass(frozen=True, slots=True)
class Years:
    """The years of a column, and how firm its values are."""

    first: int
    last: int
    status: str = Status.PUBLISHED


def read_years(heading: Cell, *, single: bool = False) -> Years | None:
    """Return the financial year in a heading, such as “2023-24 [r] [note 17]”.

    None if it has none. With `single` also one year: “2025” is 31 March 2025.
    """
    line = text(heading)
    if match := _YEARS.fullmatch(line):
        first = int(match[1])
        return Years(first, first + 1, _status(match[3])) if int(match[2][-2:]) == (first + 1) % 100 else None
    if single and (match := _YEAR.fullmatch(line)) and 1900 < int(match[1]) < 2200:
        return Years(int(match[1]), int(match[1]), _status(match[2]))
    return None


def _status(marks: str) -> str:
    found = {(one or other).casefold() for one, other in _MARK.findall(marks)}
    if "p" in found:
        return Status.PROVISIONAL
    return Status.REVISED if "r" in found else Status.PUBLISHED


def read_value(cell: Cell, status: str = Status.PUBLISHED, *, dash_is_nil: bool = True) -> tuple[Decimal | None, str]:
    """Return the number in a cell, or None, and its status, which is that of its column unless the cell has a mark.

    Raises `Unreadable`.
    """
    line = text(cell)
    if line in _DASHES:
        return (Decimal(0), status) if dash_is_nil else (None, Status.NOT_APPLICABLE)
    if (without := _WITHOUT.get(line.casefold())) is not None:
        return None, without
    bare = _MARK.sub("", line).strip() if line[-1:] in "]PRpr" else line
    value = amount(bare)
    if value is None:
        raise Unreadable(f"“{line}” is not a number. Enter a number, or [x] if none is published.")
    marked = _status(line) if bare != line else Status.PUBLISHED
    return value.quantize(_SIXTH), status if marked == Status.PUBLISHED else marked


def area_code(line: Line, collector: Collector) -> str | None:
    """Return the code of the council, national park or development corporation of a row; None for a total or a note.

    Lists before 2011 have older codes, such as 45UB. Anything else in the cell is a problem of the row.
    """
    key = code(line["code"])
    is_note = sum(bool(text(cell)) for cell in line.cells) == 1 and len(key) > len("E07000223")
    if not key or _OTHER.fullmatch(key) or is_note:
        return None
    if not BODY.fullmatch(key) and not _FORMER.fullmatch(key):
        collector.add_problem(
            line, "code", f"“{key}” is not the code of an area.", "Enter a code, for example E07000223."
        )
    return key


def figure_list(
    figures: Sequence[PublishedFigure], collector: Collector, sheets: Sequence[Sheet], *, totals: int = 0
) -> FigureList:
    """Return the figures of the rows without a problem. Raises `UnableToRead` if the table has no row of an area."""
    if not figures and not collector.problems:
        raise unable("no row of it has the code of a council.", "It needs a column of codes such as E07000223.")
    list_file = collector.list_file()
    list_file = replace(list_file, totals=totals, true_on=published_on(sheets) or list_file.true_on)
    return FigureList(tuple(figure for figure in figures if figure.row not in collector.bad_rows), list_file)


def published_on(sheets: Sequence[Sheet]) -> dt.date | None:
    """Return the day of publication that a cover or a note gives.

    In the same row, or in the next one.
    """
    for sheet in sheets:
        said = False
        for row in sheet.rows:
            filled = [text(cell) for cell in row.cells if text(cell)]
            if len(filled) > 1:
                continue  # a row of the table, whose texts are about one area
            words = filled[0]
            match = _WHEN.search(words)
            after = words[match.end() :] if match else words
            if (match or said) and (day := _day(after)) is not None:
                return day
            said = match is not None and not after.strip(" :")
    return None


def _day(words: str) -> dt.date | None:
    """Return the first date in words: “20 November 2025 Next update: November 2026”."""
    first = re.split(r"\bnext\b", words, flags=re.IGNORECASE)[0]
    return date_in_file_name(first) if re.search(r"\d{1,2}\D+20\d\d", first) else None
