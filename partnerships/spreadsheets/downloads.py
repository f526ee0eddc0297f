"""Templates and exports of one shape: what was exported imports again unchanged."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpResponseBase
from django.utils.text import slugify

from partnerships.kit.exports import csv_response
from partnerships.kit.workbooks import xlsx_response
from partnerships.spreadsheets.reading.columns import SheetColumn

Rows = Sequence[Sequence[object]]


def download(name: str, form: str, columns: Sequence[SheetColumn], title: str, rows: Rows) -> HttpResponseBase:
    """Rows below the headings of the columns, as CSV or as a workbook with the allowed values."""
    headings = [column.shown for column in columns]
    file_name = f"{slugify(name)[:80] or 'spreadsheet'}.{form}"
    if form == "csv":
        return csv_response(file_name, headings, rows)
    return xlsx_response(file_name, [(title, [headings, *rows]), ("Allowed values", _allowed(columns))])


def _allowed(columns: Sequence[SheetColumn]) -> list[list[object]]:
    """What each column may hold, one a row."""
    rows: list[list[object]] = [["About the column", "Needed", "What to write", "Allowed values"]]
    for column in columns:
        needed = "yes" if column.required else "no"
        rows.append([f"Column “{column.shown}”", needed, column.hint, ", ".join(column.allowed) or "anything"])
    return rows
