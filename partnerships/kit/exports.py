"""Handing rows out as CSV that a spreadsheet opens safely: no cell of ours ever runs as a formula."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils import timezone

#: A cell that begins so is read by spreadsheets as a formula (OWASP, "CSV injection"). The last are full-width twins.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

#: A file holds no more rows: each is read before the first leaves.
MAX_ROWS = 10_000


def day_of(moment: dt.datetime | None) -> dt.date | None:
    """The day alone: a spreadsheet reads it as a date."""
    return timezone.localdate(moment) if moment else None


def safe_cell(value: object) -> str | int | float | Decimal:
    """What a cell may hold: numbers as they are, days and moments in the ISO form, texts that cannot run.

    A text that would be read as a formula gets an apostrophe before it, also when blanks stand before the sign.
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
    """A file that hands back what is written to it, so that rows can be sent one by one."""

    def write(self, text: str) -> str:
        return text


def csv_lines(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The lines of a CSV file with a byte order mark, so that spreadsheets read it as UTF-8."""
    writer: Any = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow([safe_cell(heading) for heading in headings])
    for row in rows:
        yield writer.writerow([safe_cell(cell) for cell in row])


def count_rows(response: HttpResponseBase, rows: int) -> None:
    """Say how many rows an answer hands out: each export is written down with it."""
    response.rows_handed_out = rows  # type: ignore[attr-defined]  # read below


def rows_of(response: HttpResponseBase) -> int | None:
    """How many rows an answer hands out; None for a document."""
    rows: int | None = getattr(response, "rows_handed_out", None)
    return rows


def csv_response(name: str, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> StreamingHttpResponse:
    """A download of the rows. Read them before: a fault while sending would end the file in the middle."""
    response = StreamingHttpResponse(csv_lines(headings, rows), content_type="text/csv; charset=utf-8")
    count_rows(response, len(rows))
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV with a byte-order mark, so that Excel reads its accents."""
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([safe_cell(value) for value in row])
    return "\ufeff" + out.getvalue()
