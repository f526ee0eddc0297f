"""Personal data rules for uploaded spreadsheets, for erasure and export."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator

from partnerships.people.models import User
from partnerships.people.personal import ErasureAction, Rule
from partnerships.spreadsheets.models import Kind, Upload
from partnerships.transfer.reading.tables import read_sheets
from partnerships.transfer.reading.values import text as text_of_cell

#: Kinds of upload that have columns for the names or addresses of people.
_KINDS_WITH_PEOPLE = (Kind.CONTACTS, Kind.STAKEHOLDERS, Kind.COMMITMENTS)


def delete_uploads_about(person: User) -> int:
    """Delete uploads with the person's email address or full name in the file or report, and return their number."""
    names = [person.email.casefold()]
    if " " in person.name.strip():
        names.append(person.name.casefold())
    uploads = Upload.objects.filter(kind__in=_KINDS_WITH_PEOPLE).only("report", "content", "file_name")
    upload_ids = [upload.pk for upload in uploads.iterator(chunk_size=20) if _has_any(names, _texts(upload))]
    deleted, _ = Upload.objects.filter(pk__in=upload_ids).delete()
    return deleted


def _has_any(names: Collection[str], texts: Iterable[str]) -> bool:
    return any(name in text.casefold() for text in texts for name in names)


def _texts(upload: Upload) -> Iterator[str]:
    """Yield the texts of the report, and of the cells of the file."""
    yield json.dumps(upload.report, ensure_ascii=False)
    if upload.content is None:
        return
    for sheet in read_sheets(bytes(upload.content), upload.file_name):
        for row in sheet.rows:
            yield from (text_of_cell(cell) for cell in row.cells)


RULES = (
    Rule(
        "spreadsheets.Upload",
        "by",
        ErasureAction.DELETE,
        "who uploaded a spreadsheet, which only they can see",
        ("kind", "file_name", "started_at"),
    ),
    Rule(
        "spreadsheets.Upload",
        "report",
        ErasureAction.DELETE,
        "rows about contacts, stakeholders and owners of commitments",
        apply=delete_uploads_about,
    ),
    Rule(
        "spreadsheets.OwnHeading",
        "confirmed_by",
        ErasureAction.KEEP,
        "who matched a heading with a column",
        ("heading", "confirmed_at"),
    ),
)
