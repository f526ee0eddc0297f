"""Services that save an uploaded spreadsheet, check its headings, and preview its import."""

from __future__ import annotations

import datetime as dt
from pathlib import PurePath

from django.db import transaction

from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.spreadsheets.models import Status, Upload
from partnerships.spreadsheets.services.applying import preview_upload
from partnerships.spreadsheets.services.kinds import KINDS, Target
from partnerships.spreadsheets.services.reading import arranged_sheets, upload_table
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
    """Save an uploaded spreadsheet and preview its changes. A worker previews large files later.

    If the file lacks headings of required columns but has other headings, the preview waits until a person has matched
    these headings to columns. Raises `UnableToRead` if the file is refused; in this case nothing is saved.
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
        row_count = _row_count_if_headings_match(upload, author, now)
        needs_matched_headings = row_count is None
        upload.status = Status.UNREAD if needs_matched_headings else Status.UNCHECKED
        upload.total = row_count or 0
        upload.save()

        if not needs_matched_headings and upload.total <= KINDS[kind].at_once:
            # This is in the same transaction, because a worker that sees an unchecked upload would preview it too.
            preview_upload(upload=upload, author=author, now=now)
    return upload


def _row_count_if_headings_match(upload: Upload, author: User, now: dt.datetime) -> int | None:
    """Return the number of rows in the file, or None if a person must match its headings first.

    Raises `UnknownHeadings` if the file has too few headings to match.
    """
    try:
        return len(upload_table(upload, author, now).rows)
    except UnknownHeadings as error:
        sheets = arranged_sheets(KINDS[upload.kind], bytes(upload.content or b""), upload.file_name)
        headings = propose(sheets, error.columns, {}).headings
        required_count = sum(column.required for column in error.columns)
        # Each required column needs a different heading. A row with a single text is unlikely to contain headings.
        if len(headings) < max(2, required_count):
            raise
        return None
