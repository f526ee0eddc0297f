"""Services that match the headings of an upload with columns."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping

from django.db import transaction

from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.spreadsheets.models import OwnHeading, Status, Upload
from partnerships.spreadsheets.services.applying import NOT_WAITING, UnableToApply, preview_upload
from partnerships.spreadsheets.services.kinds import KINDS
from partnerships.spreadsheets.services.reading import (
    arranged_sheets,
    confirmed_columns,
    known_headings,
    upload_table,
    upload_target,
)
from partnerships.transfer.reading.headings import canonical
from partnerships.transfer.reading.proposals import Proposals, propose


class UnableToConfirm(Exception):
    """Raised if a required column has no heading, or a heading was chosen for two columns."""


def heading_proposals(upload: Upload, author: User, now: dt.datetime) -> Proposals:
    """Return the headings of an upload's file, and the columns that they probably mean."""
    kind, target = KINDS[upload.kind], upload_target(upload)
    sheets = arranged_sheets(kind, bytes(upload.content or b""), upload.file_name)
    known = {**known_headings(kind, kind.remembered_for(target, author, now)), **confirmed_columns(upload)}
    return propose(sheets, kind.columns(target), known)


def confirm_headings(*, upload: Upload, headings: Mapping[str, str], author: User, now: dt.datetime) -> None:
    """Save the headings for the author's organisation, and preview the file. A worker previews a large file.

    `headings` has the file's heading by the code of its column. Raises `UnableToRead` and `UnableToConfirm`. Raises
    `UnableToApply` if the upload was imported or discarded.
    """
    kind, target = KINDS[upload.kind], upload_target(upload)
    with transaction.atomic():
        locked_upload = Upload.objects.select_for_update(of=("self",)).get(pk=upload.pk)
        require(locked_upload.by_id == author.pk and kind.may_import(target, author, now))
        if locked_upload.status not in (Status.UNREAD, Status.PREVIEWED):
            raise UnableToApply(NOT_WAITING)
        _check(upload, headings)
        _save_own_headings(upload, headings, author, now)

        locked_upload.headings = dict(headings)
        locked_upload.status = Status.UNCHECKED
        locked_upload.error = ""
        locked_upload.total = len(upload_table(locked_upload, author, now).rows)
        locked_upload.save(update_fields=["headings", "status", "error", "total"])
        if locked_upload.total <= kind.at_once:
            # This is in the same transaction, because a worker that sees an unchecked upload would preview it too.
            preview_upload(upload=locked_upload, author=author, now=now)


def _check(upload: Upload, headings: Mapping[str, str]) -> None:
    """Raise `UnableToConfirm` unless every required column has a heading, and no two columns have the same."""
    columns = KINDS[upload.kind].columns(upload_target(upload))
    missing = [column.shown for column in columns if column.required and not headings.get(column.code)]
    if missing:
        raise UnableToConfirm(f"Choose a heading for {' and '.join(f'“{name}”' for name in missing)}.")
    uses = Counter(canonical(heading) for heading in headings.values())
    for heading in headings.values():
        if uses[canonical(heading)] > 1:
            raise UnableToConfirm(f"You chose “{heading}” for two columns. Choose another heading for one of them.")


def _save_own_headings(upload: Upload, headings: Mapping[str, str], author: User, now: dt.datetime) -> None:
    """Save the headings for later files of the organisation. Earlier meanings of the same headings are deleted."""
    owner = KINDS[upload.kind].remembered_for(upload_target(upload), author, now)
    if owner is None:
        return
    headings_in_file = {canonical(heading.name)[:120] for heading in heading_proposals(upload, author, now).headings}
    OwnHeading.objects.filter(organisation=owner, kind=upload.kind, heading__in=headings_in_file).delete()
    for column, heading in headings.items():
        OwnHeading.objects.create(
            organisation=owner,
            kind=upload.kind,
            heading=canonical(heading)[:120],
            column=column,
            confirmed_at=now,
            confirmed_by=author,
        )
