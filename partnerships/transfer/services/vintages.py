"""Older lists fill history, as at their date, and change nothing present."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from partnerships.kit.dates import long_date
from partnerships.kit.names import fold_name
from partnerships.organisations.models import NameKind, Organisation, Scheme, Status
from partnerships.organisations.services import add_name, create_organisation
from partnerships.transfer.services.directory import Directory, Import
from partnerships.transfer.services.rows import one_row


@dataclass(frozen=True, slots=True)
class Entry:
    """One body as an older list had it.

    `identifiers` begin with the list's own key; a body that has none of them is created as ended, unless it `exists_by`
    other means, such as a council in a list of providers.
    """

    row: int
    name: str
    kind: str
    identifiers: tuple[tuple[str, str], ...]
    begun_on: dt.date | None = None
    ended_on: dt.date | None = None
    is_council: bool = False


def fill_history(entries: Sequence[Entry], newest: dt.date, directory: Directory, run: Import) -> None:
    """Add what bodies were called on the list's date, and bodies that are gone.

    `newest` is the date of the latest list. A body that only the older list has ended on an unknown day between the two.
    """
    renamed = gone = 0
    seen: set[int] = set()
    for done, entry in enumerate(entries, start=1):
        with one_row(entry.row, directory, run):
            body = _holder(entry, directory)
            if body is None:
                gone += _add_ended(entry, directory, run)
            else:
                seen.add(body.pk)
                renamed += _add_name(entry, body, newest, directory, run)
        run.progress(done, len(entries))
    scheme = entries[0].identifiers[0][0] if entries else Scheme.GSS
    present = [one for one in directory.having(scheme) if not one.is_ended]
    new = sum(one.pk not in seen for one in present)
    run.report.remark(
        f"Compared with the directory as the list of {long_date(newest)} left it: {renamed:,} of {len(entries):,} have "
        f"another name now, {gone:,} are no longer there, {new:,} are new since."
    )


def _holder(entry: Entry, directory: Directory) -> Organisation | None:
    for scheme, value in entry.identifiers:
        if body := directory.holder(scheme, value):
            return body
    return None


def _add_name(entry: Entry, body: Organisation, newest: dt.date, directory: Directory, run: Import) -> bool:
    """Add the older name; whether the body has another name now."""
    if not entry.name or fold_name(entry.name) == fold_name(body.name):
        run.report.count("left_alone")
        return False
    if body.pk in directory.by_name[fold_name(entry.name)]:
        run.report.count("left_alone")
    elif entry.is_council:
        run.report.count("left_alone")
        return False
    else:
        add_name(
            organisation=body,
            name=entry.name,
            kind=NameKind.FORMER,
            valid_to=newest,
            author=run.author,
            now=run.now,
        )
        directory.adopt(body, identifiers=[], names=[entry.name])
        run.report.count("changed", f"{body.name}: was “{entry.name}” on {long_date(run.as_of)}")
    return True


def _add_ended(entry: Entry, directory: Directory, run: Import) -> bool:
    """Create a body that newer lists do not have; whether it was created."""
    if entry.is_council or not entry.name:
        run.report.count("left_alone")
        run.report.remark(f"Row {entry.row}: no council has the key {entry.identifiers[0][1]}; nothing was done with it.")
        return False
    body = create_organisation(
        name=entry.name,
        kind=entry.kind,
        identifiers=list(entry.identifiers),
        status=Status.DISSOLVED,
        valid_from=entry.begun_on,
        valid_to=entry.ended_on,
        author=run.author,
        now=run.now,
    )
    directory.adopt(body, identifiers=entry.identifiers, names=[body.name])
    run.report.count("created", f"{body.name} ({entry.identifiers[0][1]}), ended")
    return True
