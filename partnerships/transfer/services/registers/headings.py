"""Save which heading of an uploaded list belongs to which column, before the list is imported."""

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
from partnerships.transfer.services.registers.known_headings import stored_heading
from partnerships.transfer.services.registers.previewing import (
    FileProposals,
    UnableToApply,
    check_again,
    proposals_for,
)


class UnableToConfirm(Exception):
    """Raised if a required column has no heading, or a heading was chosen for two columns."""


def column_key(file_index: int, code: str) -> str:
    """Return the key of a column among the files of a list, such as `name`, or `2.name` in the second file."""
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
        locked_run = ImportRun.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=run.pk)
        require(may_upload(author, now, register=locked_run.register, organisation=locked_run.organisation))
        _check_is_waiting(locked_run)
        files = proposals_for(locked_run)
        _check(files, headings)

        if locked_run.organisation is not None:
            publisher = locked_run.organisation.name
        publisher = publisher.strip()
        known_headings = [
            KnownHeading(
                register=locked_run.register,
                publisher=publisher,
                heading=stored_heading(heading, file_index),
                column=column.code,
                confirmed_at=now,
                confirmed_by=author,
            )
            for file_index, file in enumerate(files)
            for column in file.columns
            if (heading := headings.get(column_key(file_index, column.code)))
        ]
        _replace_known_headings(locked_run.register, publisher, files, known_headings)

        choices = Choices.from_preview(locked_run.report, locked_run.as_of, accept_missing=False)
        checked_run = check_again(locked_run, choices.with_publisher(publisher), author, now)
        record_import(checked_run, EventKind.HEADINGS_CONFIRMED, author=author, now=now, headings=dict(headings))
    return checked_run


def _check_is_waiting(run: ImportRun) -> None:
    """Raise `UnableToApply` if the run was applied or discarded, or a worker is checking or importing it."""
    if run.status not in (RunStatus.UNREAD, RunStatus.PREVIEWED) or run.content is None:
        raise UnableToApply(
            "This import has already been applied or discarded. Upload the file again to start a new import."
        )
    if ImportJob.objects.filter(run=run, error="").exists():
        raise UnableToApply("This import is running. Wait for it to finish.")


def _replace_known_headings(
    register: str, publisher: str, files: Sequence[FileProposals], known_headings: Sequence[KnownHeading]
) -> None:
    """Save the confirmed headings, after deleting earlier meanings of the files' headings."""
    headings_in_files = {
        stored_heading(heading.name, file_index)
        for file_index, file in enumerate(files)
        for heading in file.proposals.headings
    }
    earlier_headings = KnownHeading.objects.filter(register=register, publisher__iexact=publisher)
    earlier_headings.filter(heading__in=headings_in_files).delete()
    for known_heading in known_headings:
        known_heading.save(force_insert=True)


def _check(files: Sequence[FileProposals], headings: Mapping[str, str]) -> None:
    """Raise `UnableToConfirm` unless the headings are complete and unambiguous.

    A required column needs a heading, a heading can belong to only one column, and each column must be one of the
    list's.
    """
    column_keys: set[str] = set()
    for file_index, file in enumerate(files):
        heading_by_column = {column: headings.get(column_key(file_index, column.code), "") for column in file.columns}
        missing = [column.shown for column, heading in heading_by_column.items() if column.required and not heading]
        if missing:
            raise UnableToConfirm(f"Choose a heading for {' and '.join(f'“{name}”' for name in missing)}.")
        count_by_heading = Counter(canonical(heading) for heading in heading_by_column.values() if heading)
        for heading in heading_by_column.values():
            if count_by_heading[canonical(heading)] > 1:
                raise UnableToConfirm(f"You chose “{heading}” for two columns. Choose another heading for one of them.")
        column_keys |= {column_key(file_index, column.code) for column in file.columns}
    unknown_keys = headings.keys() - column_keys
    if unknown_keys:
        raise UnableToConfirm(
            f"“{min(unknown_keys)}” is not a column of this list. Open the page again, and choose from its columns."
        )
