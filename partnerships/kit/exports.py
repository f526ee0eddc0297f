"""CSV exports without cells that a spreadsheet would run as a formula."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils import timezone

#: Spreadsheets read a cell that begins with one of these as a formula (OWASP, "CSV injection"). The last four are
#: full-width signs.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def day_of(moment: dt.datetime | None) -> dt.date | None:
    """Return the day of a moment in London, so that spreadsheets read the cell as a date."""
    return timezone.localdate(moment) if moment else None


def safe_cell(value: object) -> str | int | float | Decimal:
    """Return a value as a cell that no spreadsheet runs as a formula.

    Numbers are returned unchanged, and dates are in ISO form. A text that a spreadsheet would read as a formula gets an
    apostrophe in front, even if spaces come before the sign. For example, `=A1` becomes `'=A1`.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | Decimal):
        return value
    if isinstance(value, dt.datetime):
        return (
            timezone.localtime(value).isoformat(timespec="minutes") if timezone.is_aware(value) else value.isoformat()
        )
    if isinstance(value, dt.date):
        return value.isoformat()
    text = str(value).replace("\x00", "")
    is_formula = text.startswith(_FORMULA_STARTS) or text.lstrip().startswith(_FORMULA_STARTS)
    return f"'{text}" if is_formula else text


class _Echo:
    """A file that does not store what is written. Its `write` returns the text, so `csv.writer` returns each line."""

    def write(self, text: str) -> str:
        return text


def csv_lines(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of a CSV file, with a byte order mark for spreadsheets."""
    writer: Any = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow([safe_cell(heading) for heading in headings])
    for row in rows:
        yield writer.writerow([safe_cell(cell) for cell in row])


# Views describe their export on the response; `ExportLimitMiddleware` records the description in the activity log.


def count_rows(response: HttpResponseBase, rows: int) -> None:
    """Set the number of rows that the response exports."""
    response.exported_rows = rows  # type: ignore[attr-defined]  # read by `exported_row_count`


def describe_export(response: HttpResponseBase, description: str) -> None:
    """Set the name of the exported list and the filter of its rows, such as `plans.csv?status=draft`."""
    response.export_description = description  # type: ignore[attr-defined]  # read by `export_description`


def export_description(response: HttpResponseBase) -> str:
    """Return the exported list and the filter of its rows, or "" if the view did not describe them."""
    description: str = getattr(response, "export_description", "")
    return description


def exported_row_count(response: HttpResponseBase) -> int | None:
    """Return the number of rows that a response exports, or None for a document."""
    count: int | None = getattr(response, "exported_rows", None)
    return count


def csv_response(name: str, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> StreamingHttpResponse:
    """Return a download of the rows as a CSV file.

    The rows must have been read from the database, because an error while sending would cut the file short.
    """
    response = StreamingHttpResponse(csv_lines(headings, rows), content_type="text/csv; charset=utf-8")
    count_rows(response, len(rows))
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Return the rows as CSV with a byte order mark, so that Excel reads accents correctly."""
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([safe_cell(value) for value in row])
    return "\ufeff" + out.getvalue()
