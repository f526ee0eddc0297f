"""Confirm what the headings of a waiting list mean."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import transaction

from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportJob, ImportRun, KnownHeading, RunStatus
from partnerships.transfer.reading.headings import canonical
from partnerships.transfer.reading.proposals import Proposals
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
    """A needed column has no heading, or a heading has two meanings."""


def column_key(place: int, code: str) -> str:
    """The name of a column among those of all files of a list.

    `name`, or `2.name` in the second file.
    """
    return f"{place + 1}.{code}" if place else code


def confirm_headings(
    *, run: ImportRun, publisher: str, headings: Mapping[str, str], author: User, now: dt.datetime
) -> ImportRun:
    """Remember what the headings of a list mean, and check the list again.

    `headings` has the heading for each column, named by `column_key`. Own files are published by their authority. The
    list is checked as a new one is. Raises `UnableToConfirm`, `UnableToApply` if the run was applied or discarded, and
    `UnableToRead` with other problems.
    """
    if not publisher.strip() and run.organisation is None:
        raise UnableToConfirm("Say who publishes the list.")
    with transaction.atomic():
        waiting = ImportRun.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=run.pk)
        require(may_upload(author, now, register=waiting.register, organisation=waiting.organisation))
        if waiting.organisation is not None:
            publisher = waiting.organisation.name
        if waiting.status not in (RunStatus.UNREAD, RunStatus.PREVIEWED) or waiting.content is None:
            raise UnableToApply("This import has already been applied or discarded.")
        if ImportJob.objects.filter(run=waiting, error="").exists():
            raise UnableToApply("This import is running.")
        proposals = proposals_for(waiting)
        _refuse_impossible(proposals, headings)
        for place, file in enumerate(proposals):
            _remember(waiting.register, publisher.strip(), place, file.proposals, headings, author, now)
        choices = Choices.of_preview(waiting.report, waiting.as_of, accept_missing=False).by(publisher.strip())
        made = check_again(waiting, choices, author, now)
        record_import(made, EventKind.HEADINGS_CONFIRMED, author=author, now=now, headings=dict(headings))
    return made


def _remember(
    register: str,
    publisher: str,
    place: int,
    proposals: Proposals,
    headings: Mapping[str, str],
    author: User,
    now: dt.datetime,
) -> None:
    """Replace what we knew of the headings of the file at a place by what the person has just confirmed."""
    written = {kept_heading(heading.name, place) for heading in proposals.headings}
    KnownHeading.objects.filter(register=register, publisher__iexact=publisher, heading__in=written).delete()
    for proposal in proposals.proposals:
        if heading := headings.get(column_key(place, proposal.column.code)):
            KnownHeading.objects.create(
                register=register,
                publisher=publisher,
                heading=kept_heading(heading, place),
                column=proposal.column.code,
                confirmed_at=now,
                confirmed_by=author,
            )


def _refuse_impossible(found: Sequence[FileProposals], headings: Mapping[str, str]) -> None:
    """Refuse headings that are missing, of an unknown column, or chosen for two columns."""
    keys: set[str] = set()
    for place, file in enumerate(found):
        columns = [proposal.column for proposal in file.proposals.proposals]
        missing = [
            column.shown for column in columns if column.required and not headings.get(column_key(place, column.code))
        ]
        if missing:
            raise UnableToConfirm(f"Choose a heading for {' and '.join(f'“{name}”' for name in missing)}.")
        chosen = [heading for column in columns if (heading := headings.get(column_key(place, column.code)))]
        canonical_chosen = [canonical(heading) for heading in chosen]
        twice = next((heading for heading in chosen if canonical_chosen.count(canonical(heading)) > 1), "")
        if twice:
            raise UnableToConfirm(f"You chose “{twice}” for two columns. Choose another heading for one of them.")
        keys |= {column_key(place, column.code) for column in columns}
    if unknown := headings.keys() - keys:
        raise UnableToConfirm(f"“{min(unknown)}” is not a column of this list.")
