"""Templates and exports. Both have the same columns, so that an export can be imported again."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpResponseBase
from django.utils.text import slugify

from partnerships.kit.exports import csv_response
from partnerships.kit.workbooks import xlsx_response
from partnerships.spreadsheets.reading.columns import SheetColumn

Rows = Sequence[Sequence[object]]


def download(name: str, form: str, columns: Sequence[SheetColumn], title: str, rows: Rows) -> HttpResponseBase:
    """Return rows with headings as a CSV file, or as a workbook with the allowed values on a second sheet."""
    headings = [column.shown for column in columns]
    file_name = f"{slugify(name)[:80] or 'spreadsheet'}.{form}"
    if form == "csv":
        return csv_response(file_name, headings, rows)
    return xlsx_response(file_name, [(title, [headings, *rows]), ("Allowed values", _allowed_values(columns))])


def _allowed_values(columns: Sequence[SheetColumn]) -> list[list[object]]:
    """Return a row for each column, which says whether it is required, what to enter, and the allowed values."""
    rows: list[list[object]] = [["About the column", "Required", "What to enter", "Allowed values"]]
    for column in columns:
        required = "yes" if column.required else "no"
        rows.append([f"Column “{column.shown}”", required, column.hint, ", ".join(column.allowed) or "anything"])
    return rows
