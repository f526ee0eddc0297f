"""Figures of published tables, the headings for the code and name of an area, and functions that read a cell."""

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
from partnerships.transfer.reading.problems import Problem, SetAside, refuse_file
from partnerships.transfer.reading.tables import Cell, Sheet
from partnerships.transfer.reading.values import Unreadable, amount, code, text

#: Codes of councils, national parks and development corporations, which plan for homes.
PLANNING_BODY_CODE = re.compile(r"E(06|07|08|09|26|51)\d{6}")
#: Codes of regions and countries, whose rows are totals.
_TOTAL = re.compile(r"(?!E(06|07|08|09|26|51))[EWSNK]\d{8}")
#: The ONS codes until 2011, such as 45UB.
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
#: Two years, such as “2023-24” or “2023/2024 [p]”: the first, the second and what follows.
_YEARS = re.compile(r"(\d{4})\s*[-–/]\s*(\d{2}|\d{4})(?!\d)(.*)")
#: One year, such as “2024” or “2024.0 [p]”: the year and what follows.
_YEAR = re.compile(r"(\d{4})(?:\.0+)?(?!\d)(.*)")
#: A mark of a cell or heading, such as “[x]” for a value that is not published.
_MARK = re.compile(r"\[(p|r|x|z|c|low)\]|\b([PR])\b", re.IGNORECASE)
#: A note with the date of the file, such as “Date of publication: 28 November 2025”.
_PUBLISHED_ON = re.compile(r"\b(date of publication|publication date|published|latest update)\b", re.IGNORECASE)
#: The status of a cell without a number, by the mark in the cell.
_STATUS_BY_MARK = {
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
#: Marks for nil in live tables (“nil or less than half the final digit”).
_DASHES = ("-", "–", "—", "[low]")
#: Values are stored with six decimals.
_SIX_DECIMALS = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFigure:
    """A value of a measure for one area and one or more years, as published."""

    #: The number of the figure's row among all rows of the file.
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
    """The figures of a file, and the file with its rows set aside."""

    figures: tuple[PublishedFigure, ...]
    list_file: ListFile
    #: The sheet and the row from which each row comes, if the rows of several sheets were joined.
    origin_by_row: Mapping[int, tuple[str, int]] = field(default_factory=dict)

    def row_set_aside(self, row: int, fault: str, remedy: str) -> SetAside:
        """Return the row as set aside for this one reason."""
        return with_origin(self.list_file.row_set_aside([Problem(row, "", fault, remedy)]), self.origin_by_row)


def with_origin(row_set_aside: SetAside, origin_by_row: Mapping[int, tuple[str, int]]) -> SetAside:
    """Return the row set aside, with its row number and sheet in the uploaded file instead of the joined sheet."""
    if row_set_aside.row not in origin_by_row:
        return row_set_aside
    sheet, number = origin_by_row[row_set_aside.row]
    problems = tuple(replace(problem, row=number, sheet=sheet) for problem in row_set_aside.problems)
    return replace(row_set_aside, problems=problems)


@dataclass(frozen=True, slots=True)
class Years:
    """The first and the last year of a column, and the status of its values."""

    first: int
    last: int
    status: str = Status.PUBLISHED


def read_years(heading: Cell, *, single: bool = False) -> Years | None:
    """Return the financial year in a heading, such as “2023-24 [r] [note 17]”, or None if it has no year.

    With `single`, also read a single year: “2025” is 31 March 2025.
    """
    heading_text = text(heading)
    match = _YEARS.fullmatch(heading_text)
    if match:
        first, last_digits = int(match[1]), int(match[2][-2:])
        is_financial_year = last_digits == (first + 1) % 100
        return Years(first, first + 1, _status(match[3])) if is_financial_year else None
    match = _YEAR.fullmatch(heading_text)
    if single and match and 1900 < int(match[1]) < 2200:
        year = int(match[1])
        return Years(year, year, _status(match[2]))
    return None


def _status(text_with_marks: str) -> str:
    """Return the status that marks in the text give, such as [p] for provisional or R for revised."""
    marks = {(in_brackets or in_words).casefold() for in_brackets, in_words in _MARK.findall(text_with_marks)}
    if "p" in marks:
        return Status.PROVISIONAL
    return Status.REVISED if "r" in marks else Status.PUBLISHED


def read_value(cell: Cell, status: str = Status.PUBLISHED, *, dash_is_nil: bool = True) -> tuple[Decimal | None, str]:
    """Return the number in a cell and its status. Without a number, return None and why it is missing.

    `status` is the status of the column. A mark in the cell overrides it. Raises `Unreadable` for any other text.
    """
    cell_text = text(cell)
    if cell_text in _DASHES:
        return (Decimal(0), status) if dash_is_nil else (None, Status.NOT_APPLICABLE)
    status_without_number = _STATUS_BY_MARK.get(cell_text.casefold())
    if status_without_number is not None:
        return None, status_without_number

    may_have_mark = cell_text[-1:] in "]PRpr"
    number_text = _MARK.sub("", cell_text).strip() if may_have_mark else cell_text
    value = amount(number_text)
    if value is None:
        raise Unreadable(f"“{cell_text}” is not a number. Enter a number, or [x] if none is published.")
    status_of_cell = _status(cell_text) if number_text != cell_text else Status.PUBLISHED
    return value.quantize(_SIX_DECIMALS), status if status_of_cell == Status.PUBLISHED else status_of_cell


def area_code(line: Line, collector: Collector) -> str | None:
    """Return the code of a row's council, national park or development corporation, or None for a total or a note.

    Lists before 2011 have older codes, such as 45UB. Any other text in the cell becomes a problem of the row.
    """
    key = code(line["code"])
    is_note = sum(bool(text(cell)) for cell in line.cells) == 1 and len(key) > len("E07000223")
    if not key or _TOTAL.fullmatch(key) or is_note:
        return None
    if not PLANNING_BODY_CODE.fullmatch(key) and not _FORMER.fullmatch(key):
        collector.add_problem(
            line, "code", f"“{key}” is not the code of an area.", "Enter a code, for example E07000223."
        )
    return key


def figure_list(
    figures: Sequence[PublishedFigure], collector: Collector, sheets: Sequence[Sheet], *, totals: int = 0
) -> FigureList:
    """Return the figures of the rows without a problem.

    Raises `UnableToRead` if the table has no row of an area.
    """
    if not figures and not collector.problems:
        raise refuse_file("no row has the code of a council.", "Add a column of codes such as E07000223.")
    list_file = collector.list_file()
    list_file = replace(list_file, totals=totals, true_on=published_on(sheets) or list_file.true_on)
    return FigureList(tuple(figure for figure in figures if figure.row not in collector.bad_rows), list_file)


def published_on(sheets: Sequence[Sheet]) -> dt.date | None:
    """Return the day of publication on a cover or in a note, or None if no sheet has one.

    The date is in the same cell as “Published” or “Date of publication”, or in the next row.
    """
    for sheet in sheets:
        is_announced = False
        for row in sheet.rows:
            filled = [text(cell) for cell in row.cells if text(cell)]
            if len(filled) > 1:
                continue  # a row of the table, whose texts are about one area
            cell_text = filled[0]
            match = _PUBLISHED_ON.search(cell_text)
            date_text = cell_text[match.end() :] if match else cell_text
            if match or is_announced:
                date = _full_date(date_text)
                if date is not None:
                    return date
            is_announced = match is not None and not date_text.strip(" :")
    return None


def _full_date(date_text: str) -> dt.date | None:
    """Return the full date in a text, or None if it has none. Any date of the next update is ignored.

    For example 20 November 2025, in “20 November 2025 Next update: November 2026”.
    """
    current_part = re.split(r"\bnext\b", date_text, flags=re.IGNORECASE)[0]
    has_day_and_year = re.search(r"\d{1,2}\D+20\d\d", current_part) is not None
    return date_in_file_name(current_part) if has_day_and_year else None
