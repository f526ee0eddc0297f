"""Personal data in this room, for erasure and export."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from partnerships.people.models import User
from partnerships.people.personal import Fate, Rule
from partnerships.spreadsheets.models import Kind, Upload
from partnerships.transfer.reading.tables import read_sheets
from partnerships.transfer.reading.values import text

#: Kinds whose rows name people; in those of plans people are free text.
_OF_PEOPLE = (Kind.CONTACTS, Kind.STAKEHOLDERS, Kind.COMMITMENTS)


def delete_uploads_about(person: User) -> int:
    """Delete spreadsheets whose file or report has the person's address or whole name; how many."""
    sought = [person.email.casefold(), *([person.name.casefold()] if " " in person.name.strip() else [])]
    rows = Upload.objects.filter(kind__in=_OF_PEOPLE).only("report", "content", "file_name").iterator(chunk_size=20)
    found = [row.pk for row in rows if _has_any(sought, _texts(row))]
    return Upload.objects.filter(pk__in=found).delete()[0]


def _has_any(sought: Iterable[str], texts: Iterable[str]) -> bool:
    return any(words in said.casefold() for said in texts for words in sought)


def _texts(upload: Upload) -> Iterator[str]:
    yield json.dumps(upload.report, ensure_ascii=False)
    if upload.content is None:
        return
    for sheet in read_sheets(bytes(upload.content), upload.file_name):
        for row in sheet.rows:
            yield from (text(cell) for cell in row.cells)


RULES = (
    Rule(
        "spreadsheets.Upload",
        "by",
        Fate.DELETE,
        "who uploaded a spreadsheet, which only they can see",
        ("kind", "file_name", "started_at"),
    ),
    Rule(
        "spreadsheets.Upload",
        "report",
        Fate.DELETE,
        "rows about contacts, stakeholders and owners of commitments",
        apply=delete_uploads_about,
    ),
    Rule(
        "spreadsheets.OwnHeading",
        "confirmed_by",
        Fate.KEEP,
        "who said what a heading means",
        ("heading", "confirmed_at"),
    ),
)
