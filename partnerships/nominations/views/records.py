"""Records of confirmed returns as PDF, Excel and CSV files, all made from one sheet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.documents.downloads import pdf_response
from partnerships.kit.dates import long_date
from partnerships.kit.exports import csv_response
from partnerships.kit.workbooks import Worksheet, xlsx_response
from partnerships.nominations.lettings.columns import core_columns
from partnerships.nominations.lettings.quarters import Quarter
from partnerships.nominations.models import ReturnRecord
from partnerships.nominations.presenting import (
    FILES,
    HEADINGS,
    days_sentence,
    in_time_sentence,
    line_cells,
    total_cells,
)
from partnerships.nominations.queries import records_of, result_of_record
from partnerships.nominations.queries.returns import median_void_days
from partnerships.nominations.views.returns import open_return, return_context
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Sheet:
    """The facts, lines, total, refusals and disputes that every file of a record contains."""

    title: str
    facts: Sequence[tuple[str, str]]
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    refusals: Sequence[tuple[str, int]]
    disputes: Sequence[tuple[str, str, str]]

    @property
    def worksheets(self) -> list[Worksheet]:
        """Return the sheet as the worksheets of an Excel workbook."""
        return [
            ("Lettings", [self.headings, *([_number(cell) for cell in row] for row in self.rows)]),
            ("Refusals", [("Ground", "Refused"), *self.refusals]),
            ("Disputes", [("Homes", "The council", "The provider"), *self.disputes]),
            ("About", [("What", "Says"), *self.facts]),
        ]


def sheet_of(record: ReturnRecord) -> Sheet:
    """Return the sheet of a record.

    The record should be fetched with its return and the people who sent and confirmed it.
    """
    content = record.content
    quarter = Quarter(record.starts_on)
    result = result_of_record(record)
    rows = [
        (line.words, *line_cells(line, refused)) for line, refused in zip(result.lines, result.refused, strict=True)
    ]
    total_row = ("All lettings", *total_cells(result, median_void_days(content, "all")))
    facts = [
        ("Quarter", str(quarter)),
        ("CORE export", _year(record)),
        ("Council", content["council"]),
        ("Provider", content["provider"]),
        ("Record", record.words),
        ("Reason for the correction", record.reason),
        ("Counted", days_sentence(quarter, content)),
        ("Time to nominate", in_time_sentence(result.lines)),
        ("Sent", _day_and_person(record.sent_at, record.sent_by)),
        ("Confirmed", _day_and_person(record.confirmed_at, record.confirmed_by)),
    ]
    return Sheet(
        title=f"Nominations return, {quarter}",
        facts=[(label, words) for label, words in facts if words],
        headings=("Homes", *HEADINGS),
        rows=[*rows, total_row],
        refusals=result.refusals,
        disputes=[(line.words, line.reason, line.answer) for line in result.lines if line.reason],
    )


def _year(record: ReturnRecord) -> str:
    """Return the collection year of a record's export, such as "2026/27, columns not checked".

    The columns are not checked if nobody has compared them with CORE's list for that year.
    """
    year = core_columns().year_of(record.starts_on)
    return "" if year is None else f"{year}{'' if year.is_verified else ', columns not checked'}"


def _day_and_person(moment: dt.datetime, person: User | None) -> str:
    """Return the day and the person's name, such as "12 January 2027, Amina Yusuf". The name may be missing."""
    day = long_date(timezone.localdate(moment))
    return f"{day}, {person.name}" if person else day


def _number(cell: str) -> object:
    """Return a cell as a number if it is one, so that a spreadsheet can add up its column."""
    plain = cell.replace(",", "")
    return float(plain) if plain.replace(".", "", 1).isdigit() else cell


@require_safe
def record(request: HttpRequest, pk: int, number: int, record: int, shape: str) -> HttpResponseBase:
    """Return the record of a confirmed return as a PDF, Excel or CSV file, all made from one sheet."""
    _, nominations_return, rights = open_return(request, pk, number)
    record_by_number = {return_record.number: return_record for return_record in records_of(nominations_return)}
    if record not in record_by_number or shape not in FILES:
        raise Http404

    sheet = sheet_of(record_by_number[record])
    name = f"nominations-{nominations_return.starts_on:%Y-%m}-record-{record}"
    if shape == "csv":
        return csv_response(f"{name}.csv", sheet.headings, sheet.rows)
    if shape == "xlsx":
        return xlsx_response(f"{name}.xlsx", sheet.worksheets)
    context = {**return_context(nominations_return, rights), "sheet": sheet}
    return pdf_response(request, "nominations/record_pdf.html", context, name)
