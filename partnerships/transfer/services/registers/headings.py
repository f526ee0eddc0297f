"""Match the headings of an uploaded list, which waits to be imported, with columns."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence

from django.db import transaction

from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportJob, ImportRun, KnownHeading, RunStatus
from partnerships.transfer.reading.headings import canonical
from partnerships.transfer.rights import may_upload
from partnerships.transfer.services.choices import Choices
from partnerships.transfer.services.recording import record_import
from partnerships.transfer.services.registers.known_headings import kept_heading
from partnerships.transfer.services.registers.previewing import (
    FileProposals,
    UnableToApply,
    check_again,
    proposals_for,
)


class UnableToConfirm(Exception):
    """Raised if a required column has no heading, or a heading was chosen for two columns."""


def column_key(file_index: int, code: str) -> str:
    """Return the key of a column among the columns of all files of a list: `name`, or `2.name` in the second file."""
    return f"{file_index + 1}.{code}" if file_index else code


def confirm_headings(
    *, run: ImportRun, publisher: str, headings: Mapping[str, str], author: User, now: dt.datetime
) -> ImportRun:
    """Save the headings for later lists of the publisher, and check the list again.

    `headings` has the file's heading by the key of its column (see `column_key`). The publisher of an authority's own
    files is the authority. Raises `UnableToConfirm`, `UnableToApply` if the run was applied or discarded, and
    `UnableToRead` with other problems.
    """
    if not publisher.strip() and run.organisation is None:
        raise UnableToConfirm("Enter the publisher of the list.")
    with transaction.atomic():
        waiting = ImportRun.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=run.pk)
        require(may_upload(author, now, register=waiting.register, organisation=waiting.organisation))
        if waiting.organisation is not None:
            publisher = waiting.organisation.name
        if waiting.status not in (RunStatus.UNREAD, RunStatus.PREVIEWED) or waiting.content is None:
            raise UnableToApply(
                "This import has already been applied or discarded. Upload the file again to start a new import."
            )
        if ImportJob.objects.filter(run=waiting, error="").exists():
            raise UnableToApply("This import is running. Wait for it to finish.")
        files = proposals_for(waiting)
        _check(files, headings)
        known_headings = [
            KnownHeading(
                register=waiting.register,
                publisher=publisher.strip(),
                heading=kept_heading(heading, file_index),
                column=column.code,
                confirmed_at=now,
                confirmed_by=author,
            )
            for file_index, file in enumerate(files)
            for column in file.columns
            if (heading := headings.get(column_key(file_index, column.code)))
        ]
        _replace_known_headings(waiting.register, publisher.strip(), files, known_headings)
        choices = Choices.of_preview(waiting.report, waiting.as_of, accept_missing=False).by(publisher.strip())
        checked_run = check_again(waiting, choices, author, now)
        record_import(checked_run, EventKind.HEADINGS_CONFIRMED, author=author, now=now, headings=dict(headings))
    return checked_run


def _replace_known_headings(
    register: str, publisher: str, files: Sequence[FileProposals], known_headings: Sequence[KnownHeading]
) -> None:
    """Save the confirmed headings; earlier meanings of the files' headings are deleted."""
    headings_in_files = {
        kept_heading(heading.name, file_index)
        for file_index, file in enumerate(files)
        for heading in file.proposals.headings
    }
    earlier = KnownHeading.objects.filter(register=register, publisher__iexact=publisher)
    earlier.filter(heading__in=headings_in_files).delete()
    for known_heading in known_headings:
        known_heading.save(force_insert=True)


def _check(files: Sequence[FileProposals], headings: Mapping[str, str]) -> None:
    """Refuse headings that are missing, chosen for two columns, or of a column that the list does not have."""
    column_keys: set[str] = set()
    for file_index, file in enumerate(files):
        heading_by_column = {column: headings.get(column_key(file_index, column.code), "") for column in file.columns}
        missing = [column.shown for column, heading in heading_by_column.items() if column.required and not heading]
        if missing:
            raise UnableToConfirm(f"Choose a heading for {' and '.join(f'“{name}”' for name in missing)}.")
        uses = Counter(canonical(heading) for heading in heading_by_column.values() if heading)
        for heading in heading_by_column.values():
            if uses[canonical(heading)] > 1:
                raise UnableToConfirm(f"You chose “{heading}” for two columns. Choose another heading for one of them.")
        column_keys |= {column_key(file_index, column.code) for column in file.columns}
    unknown_keys = headings.keys() - column_keys
    if unknown_keys:
        raise UnableToConfirm(
            f"“{min(unknown_keys)}” is not a column of this list. Open the page again, and choose from its columns."
        )
