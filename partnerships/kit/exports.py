"""CSV exports in which no cell runs as a formula."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils import timezone

#: Spreadsheets read a cell that begins with one of these as a formula (OWASP, "CSV injection"). The last ones are
#: full-width.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def day_of(moment: dt.datetime | None) -> dt.date | None:
    """The date alone, so that spreadsheets read it as a date."""
    return timezone.localdate(moment) if moment else None


def safe_cell(value: object) -> str | int | float | Decimal:
    """A safe cell: numbers unchanged, dates in ISO form, texts escaped.

    A text that would be a formula gets an apostrophe before it, even if spaces come before the sign.
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
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text


class _Echo:
    """A file that returns what is written, to send rows one by one."""

    def write(self, text: str) -> str:
        return text


def csv_lines(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The lines of a CSV file, with a byte order mark for spreadsheets."""
    writer: Any = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow([safe_cell(heading) for heading in headings])
    for row in rows:
        yield writer.writerow([safe_cell(cell) for cell in row])


def count_rows(response: HttpResponseBase, rows: int) -> None:
    """Set the number of exported rows, which is recorded with each export."""
    response.rows_handed_out = rows  # type: ignore[attr-defined]  # read below


def name_asked(response: HttpResponseBase, asked: str) -> None:
    """Note the list and the rows that were asked for, which each record of an export holds."""
    response.asked_for = asked  # type: ignore[attr-defined]  # read below


def asked_of(response: HttpResponseBase) -> str:
    """The list and the rows that a response has; "" if it did not say."""
    asked: str = getattr(response, "asked_for", "")
    return asked


def rows_of(response: HttpResponseBase) -> int | None:
    """The number of rows in a response; None for a document."""
    rows: int | None = getattr(response, "rows_handed_out", None)
    return rows


def csv_response(name: str, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> StreamingHttpResponse:
    """A download of the rows.

    Read all rows before: an error while sending would cut the file short.
    """
    response = StreamingHttpResponse(csv_lines(headings, rows), content_type="text/csv; charset=utf-8")
    count_rows(response, len(rows))
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV with a byte order mark, so that Excel reads its accents."""
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([safe_cell(value) for value in row])
    return "\ufeff" + out.getvalue()
