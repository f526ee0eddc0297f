"""Finds the table of an uploaded file, with its headings as they are known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.spreadsheets.models import OwnHeading, Upload
from partnerships.spreadsheets.services.kinds import KINDS, SheetKind, Target
from partnerships.transfer.reading.headings import Table, canonical, find_table
from partnerships.transfer.reading.tables import Sheet, read_sheets
from partnerships.transfer.reading.values import text


def target_of(upload: Upload) -> Target:
    """What the upload is for."""
    return Target(upload.plan, upload.partnership, upload.organisation, upload.site)


def sheets_of(kind: SheetKind, data: bytes, file_name: str) -> Sequence[Sheet]:
    """The sheets of a file, arranged as the kind needs them. Raises `UnableToRead`."""
    return kind.arrange(read_sheets(data, file_name))


def known_headings(kind: SheetKind, owner: Organisation | None) -> dict[str, str]:
    """What headings of the organisation's earlier spreadsheets mean, by canonical heading."""
    rows = OwnHeading.objects.filter(kind=kind.code, organisation=owner) if owner is not None else ()
    return {row.heading: row.column for row in rows}


def table_of(upload: Upload, author: User, now: dt.datetime) -> Table:
    """The rows of the file below its heading, without the example of the template.

    Raises `UnknownHeadings` if a needed column is missing, and `UnableToRead`.
    """
    kind, target = KINDS[upload.kind], target_of(upload)
    sheets = sheets_of(kind, bytes(upload.content or b""), upload.file_name)
    known = {**known_headings(kind, kind.remembered_for(target, author, now)), **confirmed(upload)}
    return _without_example(
        find_table(sheets, kind.columns(target), f"a spreadsheet of {kind.many}", known), target, kind
    )


def confirmed(upload: Upload) -> Mapping[str, str]:
    """What a person said the headings of this file mean: columns by canonical heading."""
    return {canonical(heading): code for code, heading in upload.headings.items()}


def _without_example(table: Table, target: Target, kind: SheetKind) -> Table:
    """The table without rows that say exactly what the template's example says."""
    example = {column.code: str(column.example) for column in kind.columns(target) if table.has(column.code)}
    rows = [
        line.number
        for line in table
        if len(example) > 2 and all(text(line[code]) == said for code, said in example.items())
    ]
    if not rows:
        return table
    remark = "The example row of the template was left out."
    kept = tuple(row for row in table.rows if row.number not in rows)
    return replace(table, rows=kept, remarks=(*table.remarks, remark))
