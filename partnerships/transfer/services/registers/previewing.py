"""Receive an uploaded list and preview its import, then apply or discard it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportJob, ImportRun, RunStatus
from partnerships.transfer.reading.headings import Column, UnknownHeadings
from partnerships.transfer.reading.proposals import Proposals, propose
from partnerships.transfer.reporting import OUTCOMES, Report
from partnerships.transfer.rights import may_apply, may_upload
from partnerships.transfer.services.choices import Choices
from partnerships.transfer.services.directory import Progress, ignore_progress
from partnerships.transfer.services.files import File, ImportRequest, file_names, pack
from partnerships.transfer.services.locking import lock_imports, try_to_lock_imports
from partnerships.transfer.services.recording import new_run, record_import, settle_run
from partnerships.transfer.services.registers.importing import NO_CHOICES, apply_list, import_register
from partnerships.transfer.services.registers.kinds import columns_of
from partnerships.transfer.services.registers.known_headings import known_headings
from partnerships.transfer.services.registers.published_lists import files_in, parts_of


class UnableToApply(Exception):
    """Raised if the run is not a preview, or was already applied or discarded."""


#: Files of at most this many bytes are checked while the page loads. A worker checks larger files.
CHECKED_AT_ONCE = 100_000


def receive_list(
    *,
    register: str,
    files: Sequence[File],
    author: User,
    now: dt.datetime,
    choices: Choices = NO_CHOICES,
    organisation: Organisation | None = None,
) -> ImportRun:
    """Save an uploaded list, and check it or let a worker check it.

    With `organisation`, the files are an authority's own, uploaded by its staff. A small list is checked at once,
    unless another import is running. Raises `UnableToRead` if a list is refused at once.
    """
    require(may_upload(author, now, register=register, organisation=organisation))
    data = pack(files) if len(parts_of(register)) > 1 else files[0].data
    run = new_run(
        register=register,
        file_name=file_names(files),
        sha256=hashlib.sha256(data).hexdigest(),
        as_of=choices.as_of,
        author=author,
        now=now,
    )
    run.organisation = organisation
    run.publisher = choices.publisher[:120]
    run.content = data
    run.status = RunStatus.CHECKING
    run.report = {"choices": choices.as_json()}
    with transaction.atomic():
        _check_or_create_job(run, author, now)
    return run


def check_again(run: ImportRun, choices: Choices, author: User, now: dt.datetime) -> ImportRun:
    """Check a locked run again with other choices. A small list is checked at once, a large one by a worker."""
    ImportJob.objects.filter(run=run).delete()
    run.publisher = choices.publisher[:120]
    run.as_of = choices.as_of
    run.status = RunStatus.CHECKING
    run.report = {"choices": choices.as_json()}
    _check_or_create_job(run, author, now)
    return run


def _check_or_create_job(run: ImportRun, author: User, now: dt.datetime) -> None:
    """Check a small list at once. Create a job for a worker if the list is large, or an import is running."""
    if len(run.content or b"") <= CHECKED_AT_ONCE and try_to_lock_imports():
        _check(run, author, now, ignore_progress)
    run.save()
    if run.is_unchecked:
        ImportJob.objects.create(run=run, asked_at=now, asked_by=author)


def check_list(*, run: ImportRun, author: User, now: dt.datetime, progress: Progress = ignore_progress) -> ImportRun:
    """Check a list in a worker. The run becomes a preview, or waits for a person to match its headings.

    Raises `UnableToApply` if the run was checked or discarded in the meantime, and `UnableToRead` if the list is
    refused.
    """
    with transaction.atomic():
        lock_imports()
        locked_run = _lock_run(run)
        require(may_upload(author, now, register=locked_run.register, organisation=locked_run.organisation))
        if not locked_run.is_unchecked:
            raise UnableToApply(
                "This file has already been checked or discarded. Open the import again to see its status."
            )
        _check(locked_run, author, now, progress)
        locked_run.save()
        # The job is deleted last: until then, another connection writes the progress to it.
        ImportJob.objects.filter(run=locked_run).delete()
    return locked_run


def _lock_run(run: ImportRun) -> ImportRun:
    """Return the current state of the run, locked, with its organisation."""
    return ImportRun.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=run.pk)


def preview_register(
    *,
    register: str,
    file: File,
    author: User,
    now: dt.datetime,
    choices: Choices = NO_CHOICES,
) -> ImportRun:
    """Save a file with a report of the changes that its import would make.

    If required columns are missing and the file has headings that could be these columns, the run waits for a person to
    match them. Raises `UnableToRead` if the file is refused.
    """
    require(roles_of(author, now).may_change_directory)
    run = new_run(
        register=register,
        file_name=file.base_name,
        sha256=hashlib.sha256(file.data).hexdigest(),
        as_of=choices.as_of,
        author=author,
        now=now,
    )
    run.publisher = choices.publisher[:120]
    run.content = file.data
    run.report = {"choices": choices.as_json()}
    with transaction.atomic():
        lock_imports()
        _check(run, author, now, ignore_progress)
        run.save(force_insert=True)
    return run


def _check(run: ImportRun, author: User, now: dt.datetime, progress: Progress) -> None:
    """Import the file as a dry run, and copy the result to the run, which the caller saves."""
    choices = Choices.from_preview(run.report, run.as_of, accept_missing=False)
    try:
        trial_run = import_register(
            register=run.register,
            file=_file_of(run),
            # Staff of an authority may see the preview of their own files, even if they may not import them.
            author=None if run.organisation else author,
            now=now,
            choices=choices,
            progress=progress,
            dry_run=True,
            organisation=run.organisation,
        ).run
        run.status = RunStatus.PREVIEWED
        run.as_of = trial_run.as_of
        run.report = trial_run.report
        run.finished_at = trial_run.finished_at
        for outcome in OUTCOMES:
            setattr(run, outcome, getattr(trial_run, outcome))
    except UnknownHeadings as error:
        if not _can_match_headings(run):
            raise
        settle_run(run, Report(remarks=error.lines()))
        run.status = RunStatus.UNREAD
    run.report["choices"] = choices.as_json()


def _file_of(run: ImportRun) -> File:
    """Return the file of a run that is waiting to be applied or discarded."""
    return File(run.file_name, bytes(run.content or b""))


def _can_match_headings(run: ImportRun) -> bool:
    """Return whether every required column of every file has a likely heading."""
    return all(
        proposal.heading
        for file in proposals_for(run)
        for proposal in file.proposals.proposals
        if proposal.column.required
    )


@dataclass(frozen=True, slots=True)
class FileProposals:
    """The proposed headings for the columns of one file."""

    #: The label of the file among the list's files, or "" if the list is one file.
    label: str
    proposals: Proposals

    @property
    def columns(self) -> list[Column]:
        """The columns of the file."""
        return [proposal.column for proposal in self.proposals.proposals]


def proposals_for(run: ImportRun) -> list[FileProposals]:
    """Return the proposed headings of each file of a waiting run."""
    parts = parts_of(run.register)
    proposals = []
    for file_index, file in enumerate(files_in(run.register, _file_of(run))):
        sheets = file.sheets
        if not parts:
            columns = columns_of(run.register, sheets)
        elif sheets:
            columns = parts[file_index].columns
        else:
            columns = ()
        confirmed_headings = known_headings(run.register, run.publisher, sheets, file_index)
        label = parts[file_index].label if len(parts) > 1 else ""
        proposals.append(FileProposals(label=label, proposals=propose(sheets, columns, confirmed_headings)))
    return proposals


def apply_preview(
    *,
    run: ImportRun,
    author: User,
    now: dt.datetime,
    accept_missing: bool = False,
    progress: Progress = ignore_progress,
) -> ImportRun:
    """Import a preview's file into the directory in its current state. The run remains the same record.

    `accept_missing` confirms that organisations are really missing from the list. Raises `UnableToApply` if the preview
    was applied or discarded in the meantime, and `UnableToRead` if the file is now refused.
    """
    with transaction.atomic():
        lock_imports()
        locked_run = _lock_run(run)
        require(may_apply(author, now, register=locked_run.register, organisation=locked_run.organisation))
        if locked_run.status != RunStatus.PREVIEWED or locked_run.content is None:
            raise UnableToApply(
                "This import has already been applied or discarded. Upload the file again to start a new import."
            )

        import_request = ImportRequest(
            files=files_in(locked_run.register, _file_of(locked_run)),
            author=author,
            now=now,
            choices=Choices.from_preview(locked_run.report, locked_run.as_of, accept_missing=accept_missing),
            progress=progress,
            organisation=locked_run.organisation,
            run_pk=locked_run.pk,
        )
        applied_run = apply_list(locked_run.register, import_request)
        # The job is deleted last: until then, another connection writes the progress to it.
        ImportJob.objects.filter(run=applied_run).delete()
    return applied_run


def discard_preview(*, run: ImportRun, author: User, now: dt.datetime) -> None:
    """Delete a preview's file and rows without importing them.

    Raises `UnableToApply` if the preview was applied or discarded, or is being imported.
    """
    with transaction.atomic():
        locked_run = _lock_run(run)
        require(may_upload(author, now, register=locked_run.register, organisation=locked_run.organisation))
        if not locked_run.is_waiting:
            raise UnableToApply(
                "This import has already been applied or discarded. Upload the file again to start a new import."
            )
        if ImportJob.objects.filter(run=run, error="").exists():
            raise UnableToApply("This import is running. Wait for it to finish.")
        empty_preview(locked_run, now=now)
        record_import(run, EventKind.DISCARDED, author=author, now=now)


def empty_preview(run: ImportRun, *, now: dt.datetime) -> None:
    """Discard a locked preview. Its file and its rows set aside are deleted, but not the report of their problems."""
    run.status = RunStatus.DISCARDED
    run.content = None
    run.finished_at = now
    run.report["set_aside"] = []
    run.save(update_fields=["status", "content", "finished_at", "report"])
