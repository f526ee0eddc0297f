"""Confirm what the headings of a waiting file mean."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction

from partnerships.kit.rights import require
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportJob, ImportRun, KnownHeading
from partnerships.transfer.reading.headings import canonical
from partnerships.transfer.reading.proposals import Proposals, propose
from partnerships.transfer.reading.tables import read_sheets
from partnerships.transfer.services.locking import wait_for_turn
from partnerships.transfer.services.recording import record_import
from partnerships.transfer.services.registers.choices import Choices
from partnerships.transfer.services.registers.kinds import columns_of
from partnerships.transfer.services.registers.known_headings import known_headings
from partnerships.transfer.services.registers.previewing import UnableToApply, preview_register


class UnableToConfirm(Exception):
    """A needed column has no heading, or a heading has two meanings."""


def proposals_for(run: ImportRun) -> Proposals:
    """The headings of a waiting run's file, and what they probably mean."""
    sheets = read_sheets(bytes(run.content or b""), run.file_name)
    return propose(sheets, columns_of(run.register, sheets), known_headings(run.register, run.publisher, sheets))


def confirm_headings(
    *, run: ImportRun, publisher: str, headings: Mapping[str, str], author: User, now: dt.datetime
) -> ImportRun:
    """Remember what a file's headings mean, and preview the file again.

    `headings` has the file's heading for each column's code. The new preview takes the place of the run. Raises
    `UnableToConfirm`, `UnableToApply` if the run was applied or discarded, and `UnableToRead` with other problems.
    """
    if not publisher.strip():
        raise UnableToConfirm("Say who publishes the list.")
    with transaction.atomic():
        wait_for_turn()  # before the run, as every import does
        waiting = ImportRun.objects.select_for_update().get(pk=run.pk)
        require(roles_of(author, now).keeps_directory)
        if not waiting.is_waiting or waiting.content is None:
            raise UnableToApply("This import has already been applied or discarded.")
        if ImportJob.objects.filter(run=waiting, error="").exists():
            raise UnableToApply("This import is running.")
        _check(waiting, headings)
        _forget(waiting, publisher.strip())
        for column, heading in headings.items():
            KnownHeading.objects.create(
                register=waiting.register,
                publisher=publisher.strip(),
                heading=canonical(heading)[:120],
                column=column,
                confirmed_at=now,
                confirmed_by=author,
            )
        choices = Choices.of_preview(waiting.report, waiting.as_of, accept_missing=False)
        made = preview_register(
            register=waiting.register,
            data=bytes(waiting.content),
            file_name=waiting.file_name,
            author=author,
            now=now,
            choices=choices.by(publisher.strip()),
        )
        record_import(made, EventKind.HEADINGS_CONFIRMED, author=author, now=now, headings=dict(headings))
        waiting.delete()
    return made


def _forget(run: ImportRun, publisher: str) -> None:
    """Forget what the file's headings meant before: the person has just said it of each of them."""
    headings = {canonical(one.name)[:120] for one in proposals_for(run).headings}
    KnownHeading.objects.filter(register=run.register, publisher__iexact=publisher, heading__in=headings).delete()


def _check(run: ImportRun, headings: Mapping[str, str]) -> None:
    sheets = read_sheets(bytes(run.content or b""), run.file_name)
    columns = columns_of(run.register, sheets)
    lacking = [column.shown for column in columns if column.required and not headings.get(column.code)]
    if lacking:
        raise UnableToConfirm(f"Choose the heading of {' and '.join(f'“{name}”' for name in lacking)}.")
    chosen = [canonical(heading) for heading in headings.values()]
    twice = next((heading for heading in headings.values() if chosen.count(canonical(heading)) > 1), "")
    if twice:
        raise UnableToConfirm(f"“{twice}” cannot be two columns: choose another heading for one of them.")
    if unknown := headings.keys() - {column.code for column in columns}:
        raise UnableToConfirm(f"“{min(unknown)}” is no column of this list.")
