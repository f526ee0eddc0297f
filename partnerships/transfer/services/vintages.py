"""Older lists fill history, as at their date, and change nothing present."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from partnerships.activity.models import Event
from partnerships.kit.dates import long_date
from partnerships.kit.names import fold_name
from partnerships.organisations.models import NameKind, Organisation, Scheme, Status
from partnerships.organisations.services import add_name, create_organisation
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import Answer
from partnerships.transfer.reading.problems import Problem
from partnerships.transfer.services.directory import Directory, Import
from partnerships.transfer.services.doubts import Doubts
from partnerships.transfer.services.rows import one_row


@dataclass(frozen=True, slots=True)
class Entry:
    """One body as an older list had it; its own key comes first.

    Bodies that are no councils, in a list of councils, are not of its register: newer lists need not have them, and
    they may have no key.
    """

    row: int
    name: str
    kind: str
    identifiers: tuple[tuple[str, str], ...]
    begun_on: dt.date | None = None
    ended_on: dt.date | None = None
    #: Whether the list has the body's own name, and is where its bodies come from. Not so for councils in a list of
    #: providers, or areas in a list of codes and names.
    is_official: bool = True
    is_of_register: bool = True


class Ages:
    """Which rows of files are older than what was read of them before.

    A row is older if one of its dates is earlier than before and none later. One that was not read before, or has the
    same dates, goes as the others of its authority.
    """

    def __init__(self) -> None:
        self._rows: dict[Hashable, dt.date | None] = {}
        self._authorities: dict[Hashable, dt.date | None] = {}
        #: Whether any row was read before.
        self.is_compared = False

    def add(self, row: Hashable, authority: Hashable, both: Sequence[tuple[dt.date, dt.date]]) -> None:
        """Add a row with its dates: each as it is here and as it was before."""
        self.is_compared |= bool(both)
        if all(here == last for here, last in both):
            return
        age = None if any(here > last for here, last in both) else max(last for _, last in both)
        before = self._authorities.get(authority, dt.date.min)
        self._rows[row] = age
        self._authorities[authority] = max(age, before) if age and before else None

    def newer_than(self, row: Hashable, authority: Hashable, otherwise: dt.date | None) -> dt.date | None:
        """The date of what was read before, if that is newer.

        `otherwise` where no row of the authority says.
        """
        if row in self._rows:
            return self._rows[row]
        return self._authorities.get(authority) or otherwise


def told_before(kind: EventKind, targets: Iterable[int], run: Import) -> set[int]:
    """Which of these (ids) have a line of the same files in their history."""
    lines = Event.objects.filter(kind=kind, target_id__in=targets, data__file=run.digest)
    return set(lines.values_list("target_id", flat=True))


def remark_on_older_rows(
    run: Import, newer: dt.date, what: str, *, changed: int, known: int, gone: int, later: int
) -> None:
    """Say in the report that rows are older than those of `newer`, read before, and how the two differ."""
    run.report.remark(
        f"Of these {what}, {known + gone:,} {'is' if known + gone == 1 else 'are'} older than in files of "
        f"{long_date(newer)}, which were imported before, and only added to the history. "
        f"{changed:,} of {known:,} {what} have changed since, {gone:,} are no longer there, "
        f"and {later:,} were added later."
    )


def fill_history(entries: Sequence[Entry], newest: dt.date, directory: Directory, doubts: Doubts, run: Import) -> None:
    """Add what bodies were called on the list's date, and bodies that are gone.

    `newest` is the date of the latest list. The report compares the two. A name is added until the day after the list's
    date: nothing says when it ended.
    """
    renamed = gone = 0
    seen: set[int] = set()
    for done, entry in enumerate(entries, start=1):
        with one_row(entry.row, directory, run):
            body = _known(entry, directory)
            if body is None and not entry.is_of_register:
                _add_other(entry, directory, run)
            elif body is None:
                gone += 1
                _add_gone(entry, directory, doubts, run)
            else:
                seen.add(body.pk)
                renamed += _complete(entry, body, directory, run)
        run.progress(done, len(entries))
    schemes = {entry.identifiers[0][0] for entry in entries if entry.is_of_register}
    present = {
        organisation.pk for scheme in schemes for organisation in directory.having(scheme) if not organisation.is_ended
    }
    run.report.remark(
        f"This list is older than that of {long_date(newest)}: it adds to the history and changes nothing current. "
        f"{renamed:,} of {len(seen):,} of its bodies have changed their names since, {gone:,} are no longer listed, "
        f"and {len(present - seen):,} were added later."
    )


def _known(entry: Entry, directory: Directory) -> Organisation | None:
    """The body with one of its keys.

    Unless it is a council, also the only one with its name and kind.
    """
    for pair in entry.identifiers:
        if holder := directory.holder(*pair):
            return holder
    alike = (
        []
        if entry.is_of_register
        else [organisation for organisation in directory.called(entry.name) if organisation.kind == entry.kind]
    )
    return alike[0] if len(alike) == 1 else None


def _add_other(entry: Entry, directory: Directory, run: Import) -> None:
    """Create a body that is not a council.

    That newer lists of councils lack it does not say that it ended.
    """
    body = create_organisation(
        name=entry.name, kind=entry.kind, identifiers=entry.identifiers, author=run.author, now=run.now
    )
    directory.adopt(body, identifiers=entry.identifiers, names=[body.name])
    run.report.count("created", f"{body.name} ({body.get_kind_display().lower()})")


def _complete(entry: Entry, body: Organisation, directory: Directory, run: Import) -> bool:
    """Add the older name and key; whether the body has another name now."""
    own = [
        pair
        for place, pair in enumerate(entry.identifiers)
        if place == 0 or pair[0] == Scheme.PLANNING_AREA or not entry.is_of_register
    ]
    said = directory.update(body, run, fields={}, identifiers=own, registered_on=entry.begun_on)
    is_renamed = entry.is_official and bool(entry.name) and fold_name(entry.name) != fold_name(body.name)
    if is_renamed and body.pk not in directory.by_name[fold_name(entry.name)]:
        add_name(
            organisation=body,
            name=entry.name,
            kind=NameKind.FORMER,
            valid_to=run.as_of + dt.timedelta(days=1),
            author=run.author,
            now=run.now,
        )
        directory.adopt(body, identifiers=[], names=[entry.name])
        said.append(f"was “{entry.name}” on {long_date(run.as_of)}")
    if said:
        run.report.count("changed", f"{body.name}: {'; '.join(said)}")
    else:
        run.report.count("left_alone")
    return is_renamed


def _add_gone(entry: Entry, directory: Directory, doubts: Doubts, run: Import) -> None:
    """Create a body that newer lists do not have.

    One that it may be goes to a person. What a person decided about its key counts, and a decision that is open comes
    first.
    """
    key = entry.identifiers[0][1]
    decision = doubts.answers.get(key)
    if decision is not None and decision.answer == Answer.LEAVE_OUT:
        run.report.count("left_alone")
        return
    if decision is not None and decision.is_open:
        found = f"a newer list has its key {key}, and that row is waiting for review."
        remedy = "Decide the row to review first."
        run.set_aside(run.listed.row_set_aside([Problem(entry.row, "", found, remedy)]))
        return
    alike = [organisation for organisation in directory.called(entry.name) if organisation.kind == entry.kind]
    if alike or not entry.is_official or not entry.name:
        found = (
            f"its key {key} is in no newer list, but {alike[0].name} is."
            if alike
            else f"no organisation in the directory has the key {key}."
        )
        remedy = "If it is the same body, add the key to it in the administration. Otherwise leave the row out."
        run.set_aside(run.listed.row_set_aside([Problem(entry.row, "", found, remedy)]))
        return
    body = create_organisation(
        name=entry.name,
        kind=entry.kind,
        identifiers=list(entry.identifiers),
        status=Status.DISSOLVED,
        valid_to=entry.ended_on,
        author=run.author,
        now=run.now,
    )
    directory.adopt(body, identifiers=entry.identifiers, names=[body.name])
    run.report.count("created", f"{body.name} ({key}), ended after {long_date(run.as_of)}")
