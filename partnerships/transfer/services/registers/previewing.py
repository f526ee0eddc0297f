"""Preview an import, then apply or discard it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from django.db import transaction

from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportJob, ImportRun, RunStatus
from partnerships.transfer.reading.headings import UnknownHeadings
from partnerships.transfer.reading.proposals import Proposals, propose
from partnerships.transfer.reporting import OUTCOMES, Report
from partnerships.transfer.rights import may_apply, may_upload
from partnerships.transfer.services.choices import Choices
from partnerships.transfer.services.directory import Progress, silent
from partnerships.transfer.services.files import File, Given, names_of, pack
from partnerships.transfer.services.locking import take_turn, wait_for_turn
from partnerships.transfer.services.recording import new_run, record_import, settle_run
from partnerships.transfer.services.registers.importing import NO_CHOICES, apply_list, import_register
from partnerships.transfer.services.registers.kinds import columns_of
from partnerships.transfer.services.registers.known_headings import known_headings
from partnerships.transfer.services.registers.published_lists import files_in, parts_of


class UnableToApply(Exception):
    """The run is not a preview, or was applied or discarded."""


#: Bytes of a file that is checked at once, while the page waits; a larger one is checked by a worker.
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
    """Keep an uploaded list and check it, or let a worker check it.

    With `organisation` they are an authority's own files, uploaded by its staff. A small list is checked at once unless
    an import is running; any other by a worker, so that no page waits for it. Raises `UnableToRead` for a list that is
    refused at once.
    """
    require(may_upload(author, now, register=register, organisation=organisation))
    data = pack(files) if len(parts_of(register)) > 1 else files[0].data
    run = new_run(
        register=register,
        file_name=names_of(files),
        sha256=hashlib.sha256(data).hexdigest(),
        as_of=choices.as_of,
        author=author,
        now=now,
    )
    run.organisation = organisation
    run.publisher, run.content, run.status = choices.publisher[:120], data, RunStatus.CHECKING
    run.report = {"choices": choices.as_json()}
    with transaction.atomic():
        _check_or_ask(run, author, now)
    return run


def check_again(run: ImportRun, choices: Choices, author: User, now: dt.datetime) -> ImportRun:
    """Check a locked run again, with other choices; as `receive_list` does."""
    ImportJob.objects.filter(run=run).delete()
    run.publisher, run.as_of, run.status = choices.publisher[:120], choices.as_of, RunStatus.CHECKING
    run.report = {"choices": choices.as_json()}
    _check_or_ask(run, author, now)
    return run


def _check_or_ask(run: ImportRun, author: User, now: dt.datetime) -> None:
    """Check a small list at once if no import is running; else ask a worker."""
    if len(run.content or b"") <= CHECKED_AT_ONCE and take_turn():
        _check(run, author, now, silent)
    run.save()
    if run.is_unchecked:
        ImportJob.objects.create(run=run, asked_at=now, asked_by=author)


def check_list(*, run: ImportRun, author: User, now: dt.datetime, progress: Progress = silent) -> ImportRun:
    """Check a list that was left to a worker; its run becomes a preview, or waits for headings to be matched.

    Raises `UnableToApply` if it was checked or discarded meanwhile, and `UnableToRead` if it is refused.
    """
    with transaction.atomic():
        wait_for_turn()
        waiting = _locked(run)
        require(may_upload(author, now, register=waiting.register, organisation=waiting.organisation))
        if not waiting.is_unchecked:
            raise UnableToApply("This file has already been checked or discarded.")
        _check(waiting, author, now, progress)
        waiting.save()
        # Last: until then another connection writes the progress to it.
        ImportJob.objects.filter(run=waiting).delete()
    return waiting


def _locked(run: ImportRun) -> ImportRun:
    """The run as it is now, locked, with its organisation."""
    return ImportRun.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=run.pk)


def preview_register(
    *,
    register: str,
    file: File,
    author: User,
    now: dt.datetime,
    choices: Choices = NO_CHOICES,
) -> ImportRun:
    """Save a file and a report of what importing it would do.

    If headings are unknown but others of the file can be the needed columns, the run waits for a person to confirm
    them. Raises `UnableToRead`.
    """
    require(roles_of(author, now).keeps_directory)
    run = new_run(
        register=register,
        file_name=file.base_name,
        sha256=hashlib.sha256(file.data).hexdigest(),
        as_of=choices.as_of,
        author=author,
        now=now,
    )
    run.publisher, run.content, run.report = choices.publisher[:120], file.data, {"choices": choices.as_json()}
    with transaction.atomic():
        wait_for_turn()
        _check(run, author, now, silent)
        run.save(force_insert=True)
    return run


def _check(run: ImportRun, author: User, now: dt.datetime, progress: Progress) -> None:
    """Give the run a report of what importing its file would do; the caller saves it."""
    choices = Choices.of_preview(run.report, run.as_of, accept_missing=False)
    try:
        trial_run = import_register(
            register=run.register,
            file=_file_of(run),
            # People who upload their authority's files see what importing would do, even if they may not import.
            author=None if run.organisation else author,
            now=now,
            choices=choices,
            progress=progress,
            dry_run=True,
            organisation=run.organisation,
        ).run
        run.status, run.as_of, run.report = RunStatus.PREVIEWED, trial_run.as_of, trial_run.report
        run.finished_at = trial_run.finished_at
        for outcome in OUTCOMES:
            setattr(run, outcome, getattr(trial_run, outcome))
    except UnknownHeadings as error:
        if not _may_be_confirmed(run):
            raise
        settle_run(run, Report(remarks=error.lines()))
        run.status = RunStatus.UNREAD
    run.report["choices"] = choices.as_json()


def _file_of(run: ImportRun) -> File:
    """The file that a waiting run keeps."""
    return File(run.file_name, bytes(run.content or b""))


def _may_be_confirmed(run: ImportRun) -> bool:
    """Whether every required column of every file has a heading that could be meant."""
    return all(
        proposal.heading
        for file in proposals_for(run)
        for proposal in file.proposals.proposals
        if proposal.column.required
    )


class FileProposals(NamedTuple):
    """What the headings of one file probably mean; `label` is "" if the list is one file."""

    label: str
    proposals: Proposals


def proposals_for(run: ImportRun) -> list[FileProposals]:
    """What the headings of each file of a waiting run probably mean."""
    parts = parts_of(run.register)
    proposals = []
    for place, file in enumerate(files_in(run.register, _file_of(run))):
        sheets = file.sheets
        if not parts:
            columns = columns_of(run.register, sheets)
        elif sheets:
            columns = parts[place].columns
        else:
            columns = ()
        known = known_headings(run.register, run.publisher, sheets, place)
        label = parts[place].label if len(parts) > 1 else ""
        proposals.append(FileProposals(label, propose(sheets, columns, known)))
    return proposals


def apply_preview(
    *,
    run: ImportRun,
    author: User,
    now: dt.datetime,
    accept_missing: bool = False,
    progress: Progress = silent,
) -> ImportRun:
    """Import a preview's file into the directory as it is now.

    The run keeps its number, so that its page stays. `accept_missing` confirms that bodies missing from the list are
    really gone. Raises `UnableToApply` if the preview was applied or discarded meanwhile, and `UnableToRead` if it no
    longer fits.
    """
    with transaction.atomic():
        wait_for_turn()
        waiting = _locked(run)
        require(may_apply(author, now, register=waiting.register, organisation=waiting.organisation))
        if waiting.status != RunStatus.PREVIEWED or waiting.content is None:
            raise UnableToApply("This import has already been applied or discarded.")
        done = apply_list(
            waiting.register,
            Given(
                files=files_in(waiting.register, _file_of(waiting)),
                author=author,
                now=now,
                choices=Choices.of_preview(waiting.report, waiting.as_of, accept_missing=accept_missing),
                progress=progress,
                organisation=waiting.organisation,
                number=waiting.pk,
            ),
        )
        # Last: until then another connection writes the progress to it.
        ImportJob.objects.filter(run=done).delete()
    return done


def discard_preview(*, run: ImportRun, author: User, now: dt.datetime) -> None:
    """Delete a preview's file and rows without importing them.

    Raises `UnableToApply` if it was applied or discarded, or is being imported.
    """
    with transaction.atomic():
        waiting = _locked(run)
        require(may_upload(author, now, register=waiting.register, organisation=waiting.organisation))
        if not waiting.is_waiting:
            raise UnableToApply("This import has already been applied or discarded.")
        if ImportJob.objects.filter(run=run, error="").exists():
            raise UnableToApply("This import is running.")
        empty_preview(waiting, now=now)
        record_import(run, EventKind.DISCARDED, author=author, now=now)


def empty_preview(run: ImportRun, *, now: dt.datetime) -> None:
    """Discard a locked preview: delete its file and rows, keep the report of their problems."""
    run.status, run.content, run.finished_at = RunStatus.DISCARDED, None, now
    run.report["set_aside"] = []
    run.save(update_fields=["status", "content", "finished_at", "report"])
