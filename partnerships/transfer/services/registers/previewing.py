"""Preview an import, then apply or discard it."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import PurePath

from django.db import transaction

from partnerships.kit.rights import require
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportJob, ImportRun, RunStatus
from partnerships.transfer.reading.headings import UnknownHeadings
from partnerships.transfer.reading.proposals import propose
from partnerships.transfer.reading.tables import read_sheets
from partnerships.transfer.reading.values import text
from partnerships.transfer.reporting import Report
from partnerships.transfer.services.directory import Progress, silent
from partnerships.transfer.services.locking import wait_for_turn
from partnerships.transfer.services.recording import new_run, record_import, settle_run
from partnerships.transfer.services.registers.choices import Choices
from partnerships.transfer.services.registers.importing import NO_CHOICES, apply_list, import_register


class UnableToApply(Exception):
    """The run is not a preview, or was applied or discarded."""


def preview_register(
    *,
    register: str,
    data: bytes,
    file_name: str,
    author: User,
    now: dt.datetime,
    choices: Choices = NO_CHOICES,
) -> ImportRun:
    """Save a file and a report of what importing it would do.

    If headings are unknown but others of the file can be the needed columns, the run waits for a person to confirm
    them. Raises `UnableToRead`.
    """
    try:
        run = import_register(
            register=register, data=data, file_name=file_name, author=author, now=now, choices=choices, dry_run=True
        ).run
        run.status = RunStatus.PREVIEWED
    except UnknownHeadings as error:
        if not _may_be_confirmed(error, register, data, file_name):
            raise
        digest = hashlib.sha256(data).hexdigest()
        name = text(PurePath(file_name).name)
        run = new_run(register=register, file_name=name, sha256=digest, as_of=choices.as_of, author=author, now=now)
        settle_run(run, Report(remarks=error.lines()))
        run.publisher = choices.publisher[:120]
        run.status = RunStatus.UNREAD
    run.pk = None
    run.report["choices"] = choices.as_json()
    run.content = data
    run.save(force_insert=True)
    return run


def _may_be_confirmed(error: UnknownHeadings, register: str, data: bytes, file_name: str) -> bool:
    """Whether headings of the file can be all the needed columns."""
    found = propose(read_sheets(data, file_name), error.columns, {})
    return all(one.heading for one in found.proposals if one.column.required)


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
        waiting = ImportRun.objects.select_for_update().get(pk=run.pk)
        require(roles_of(author, now).keeps_directory)
        if waiting.status != RunStatus.PREVIEWED or waiting.content is None:
            raise UnableToApply("This import has already been applied or discarded.")
        done = apply_list(
            register=waiting.register,
            data=bytes(waiting.content),
            file_name=waiting.file_name,
            author=author,
            now=now,
            choices=Choices.of_preview(waiting.report, waiting.as_of, accept_missing=accept_missing),
            progress=progress,
            keep=True,
            number=waiting.pk,
        )
        # Last: until then another connection writes the progress to it.
        ImportJob.objects.filter(run=done).delete()
    return done


def discard_preview(*, run: ImportRun, author: User, now: dt.datetime) -> None:
    """Delete a preview's file and rows without importing them.

    Raises `UnableToApply` if it was applied or discarded, or is being imported.
    """
    with transaction.atomic():
        require(roles_of(author, now).keeps_directory)
        waiting = ImportRun.objects.select_for_update(of=("self",)).defer("content").get(pk=run.pk)
        if not waiting.is_waiting:
            raise UnableToApply("This import has already been applied or discarded.")
        if ImportJob.objects.filter(run=run, error="").exists():
            raise UnableToApply("This import is running.")
        empty_preview(waiting, now=now)
        record_import(run, EventKind.DISCARDED, author=author, now=now)


def empty_preview(run: ImportRun, *, now: dt.datetime) -> None:
    """Discard a locked preview: its file and its rows go, the report of their problems stays."""
    run.status, run.content, run.finished_at = RunStatus.DISCARDED, None, now
    run.report["set_aside"] = []
    run.save(update_fields=["status", "content", "finished_at", "report"])
