"""Take a spreadsheet for a record, and read it as far as its headings."""

from __future__ import annotations

import datetime as dt
from pathlib import PurePath

from django.db import transaction

from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.spreadsheets.models import Status, Upload
from partnerships.spreadsheets.services.applying import preview_upload
from partnerships.spreadsheets.services.kinds import KINDS, Target
from partnerships.spreadsheets.services.reading import sheets_of, table_of
from partnerships.transfer.reading.headings import UnknownHeadings
from partnerships.transfer.reading.proposals import propose
from partnerships.transfer.reading.values import text


def upload_spreadsheet(
    *,
    kind: str,
    target: Target,
    data: bytes,
    file_name: str,
    author: User,
    now: dt.datetime,
    all_or_nothing: bool = False,
) -> Upload:
    """Keep a file for a record, and preview what importing it would do.

    A worker previews a large one. If needed headings are unknown but the file has others, the
    upload waits for a person to say what they mean. Raises `UnableToRead`; then nothing is kept.
    """
    with transaction.atomic():
        require(KINDS[kind].may_import(target, author, now))
        upload = Upload(
            kind=kind,
            plan=target.plan,
            partnership=target.partnership,
            organisation=target.organisation,
            site=target.site,
            file_name=text(PurePath(file_name).name)[:300],
            all_or_nothing=all_or_nothing,
            content=data,
            started_at=now,
            by=author,
        )
        rows = _rows(upload, author, now)
        upload.status = Status.UNREAD if rows is None else Status.UNCHECKED
        upload.save()
        if rows is not None and rows <= KINDS[kind].at_once:
            # In this transaction: a worker that sees an unchecked upload would preview it too.
            preview_upload(upload=upload, author=author, now=now)
    return upload


def _rows(upload: Upload, author: User, now: dt.datetime) -> int | None:
    """How many rows the file has. None if a person has to say what its headings mean."""
    try:
        table = table_of(upload, author, now)
    except UnknownHeadings as error:
        sheets = sheets_of(KINDS[upload.kind], bytes(upload.content or b""), upload.file_name)
        headings = propose(sheets, error.columns, {}).headings
        if len(headings) < max(2, sum(column.required for column in error.columns)):
            raise
        return None
    upload.total = len(table.rows)
    return upload.total
