"""Finds the table in an uploaded file, with the headings that people confirmed."""

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


def upload_target(upload: Upload) -> Target:
    """Return the record that the upload is for."""
    return Target(plan=upload.plan, partnership=upload.partnership, organisation=upload.organisation, site=upload.site)


def arranged_sheets(kind: SheetKind, data: bytes, file_name: str) -> Sequence[Sheet]:
    """Return the sheets of a file, arranged as the kind requires. Raises `UnableToRead`."""
    return kind.arrange(read_sheets(data, file_name))


def known_headings(kind: SheetKind, owner: Organisation | None) -> dict[str, str]:
    """Return the columns of headings in the organisation's earlier spreadsheets, by canonical heading."""
    if owner is None:
        return {}
    headings = OwnHeading.objects.filter(kind=kind.code, organisation=owner)
    return {heading.heading: heading.column for heading in headings}


def upload_table(upload: Upload, author: User, now: dt.datetime) -> Table:
    """Return the rows of the file below its headings, without the example of the template.

    Raises `UnknownHeadings` if a required column is missing, and `UnableToRead`.
    """
    kind, target = KINDS[upload.kind], upload_target(upload)
    sheets = arranged_sheets(kind, bytes(upload.content or b""), upload.file_name)
    known = {**known_headings(kind, kind.remembered_for(target, author, now)), **confirmed_columns(upload)}
    table = find_table(sheets, kind.columns(target), f"a spreadsheet of {kind.many}", known)
    return _without_example(table, target, kind)


def confirmed_columns(upload: Upload) -> Mapping[str, str]:
    """Return the columns of this file's headings, as a person matched them, by canonical heading."""
    return {canonical(heading): code for code, heading in upload.headings.items()}


def _without_example(table: Table, target: Target, kind: SheetKind) -> Table:
    """Return the table without rows that are equal to the example in the template.

    In a table with one or two columns, no row is removed, because a real row can be equal to the example by chance.
    """
    example = {column.code: str(column.example) for column in kind.columns(target) if table.has(column.code)}
    if len(example) <= 2:
        return table
    example_rows = {line.number for line in table if all(line.text(code) == cell for code, cell in example.items())}
    if not example_rows:
        return table
    remark = "We left out the example row of the template."
    other_rows = tuple(row for row in table.rows if row.number not in example_rows)
    return replace(table, rows=other_rows, remarks=(*table.remarks, remark))
