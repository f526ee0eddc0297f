"""Preview an import, then apply or discard it."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.kit.rights import require
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportRun, RunStatus
from partnerships.transfer.reading.tables import read_sheets
from partnerships.transfer.services.directory import silent
from partnerships.transfer.services.locking import wait_for_turn
from partnerships.transfer.services.recording import record_import
from partnerships.transfer.services.registers.importing import apply_list, import_register, reader_of


class UnableToApply(Exception):
    """The run is not a preview, or was applied or discarded."""


def preview_register(
    *,
    register: str,
    data: bytes,
    file_name: str,
    author: User,
    now: dt.datetime,
    as_of: dt.date | None = None,
    all_or_nothing: bool = False,
    take_others: bool = False,
) -> ImportRun:
    """Save a file and a report of what importing it would do.

    Raises `UnableToRead`.
    """
    outcome = import_register(
        register=register,
        data=data,
        file_name=file_name,
        author=author,
        now=now,
        as_of=as_of,
        all_or_nothing=all_or_nothing,
        take_others=take_others,
        dry_run=True,
    )
    run = outcome.run
    run.report |= {"all_or_nothing": all_or_nothing, "take_others": take_others}
    run.pk = None
    run.status = RunStatus.PREVIEWED
    run.content = data
    run.save(force_insert=True)
    return run


def apply_preview(*, run: ImportRun, author: User, now: dt.datetime, accept_missing: bool = False) -> ImportRun:
    """Import a preview's file into the directory as it is now; delete it.

    `accept_missing` confirms that bodies missing from the list are really gone. Raises `UnableToApply` if the preview
    was applied or discarded meanwhile, and `UnableToRead` if it no longer fits.
    """
    with transaction.atomic():
        wait_for_turn()
        waiting = ImportRun.objects.select_for_update().get(pk=run.pk)
        require(roles_of(author, now).keeps_directory)
        if not waiting.is_waiting or waiting.content is None:
            raise UnableToApply("This import has already been applied or discarded.")
        data = bytes(waiting.content)
        about, apply = reader_of(
            waiting.register,
            read_sheets(data, waiting.file_name),
            take_others=waiting.report.get("take_others", False),
        )
        done = apply_list(
            register=waiting.register,
            data=data,
            file_name=waiting.file_name,
            author=author,
            now=now,
            as_of=None if waiting.report.get("dated_today") else waiting.as_of,
            about=about,
            apply=apply,
            progress=silent,
            keep=True,
            accept_missing=accept_missing,
            all_or_nothing=waiting.report.get("all_or_nothing", False),
        )
        waiting.delete()
    return done


def discard_preview(*, run: ImportRun, author: User, now: dt.datetime) -> None:
    """Delete a preview's file without importing it.

    Raises `UnableToApply` if it was applied or discarded.
    """
    with transaction.atomic():
        require(roles_of(author, now).keeps_directory)
        waiting = ImportRun.objects.select_for_update().filter(pk=run.pk, status=RunStatus.PREVIEWED)
        if not waiting.update(status=RunStatus.DISCARDED, content=None, finished_at=now):
            raise UnableToApply("This import has already been applied or discarded.")
        record_import(run, EventKind.DISCARDED, author=author, now=now)
