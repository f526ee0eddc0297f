"""Import a list that is older than the latest one, so that it only adds to histories."""

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
from partnerships.transfer.reading.problems import Problem
from partnerships.transfer.services.directory import Directory, RunningImport
from partnerships.transfer.services.refusals import set_aside_if_refused
from partnerships.transfer.services.rows_to_review import RowsToReview


@dataclass(frozen=True, slots=True)
class OlderEntry:
    """An organisation according to a row of an older list."""

    row: int
    name: str
    kind: str
    #: The scheme and value of each identifier. The key of the register comes first.
    identifiers: tuple[tuple[str, str], ...]
    begun_on: dt.date | None = None
    ended_on: dt.date | None = None
    #: Whether the list has the organisation's own name. False for councils in a list of providers, and for areas in a
    #: list of codes and names.
    is_official: bool = True
    #: Whether newer lists should have the organisation too. False for a body that is not a council, in a list of
    #: councils.
    is_of_register: bool = True


class RowAges:
    """Compares the rows of a file with the same rows in earlier files, and finds the older rows.

    A row is older if one of its dates is earlier than before and none is later. A row that is new, or has the same
    dates as before, is treated as the other rows of its authority are.
    """

    def __init__(self) -> None:
        #: The date of the row in an earlier import, if that is newer, or None if this file's row is newer.
        self._newer_date_by_row: dict[Hashable, dt.date | None] = {}
        self._newer_date_by_authority: dict[Hashable, dt.date | None] = {}
        #: Whether an earlier import had any of the rows.
        self.is_compared = False

    def add(self, row: Hashable, authority: Hashable, date_pairs: Sequence[tuple[dt.date, dt.date]]) -> None:
        """Add a row with its dates, each as a pair of the date in this file and the date in the last import."""
        if date_pairs:
            self.is_compared = True
        if all(date == last_date for date, last_date in date_pairs):
            return
        has_later_date = any(date > last_date for date, last_date in date_pairs)
        newer_date = None if has_later_date else max(last_date for _, last_date in date_pairs)
        self._newer_date_by_row[row] = newer_date

        # If this file has a newer row of an authority, all of the authority's rows are treated as newer.
        newer_date_of_authority = self._newer_date_by_authority.get(authority, dt.date.min)
        if newer_date is None or newer_date_of_authority is None:
            self._newer_date_by_authority[authority] = None
        else:
            self._newer_date_by_authority[authority] = max(newer_date, newer_date_of_authority)

    def newer_than(self, row: Hashable, authority: Hashable, default: dt.date | None) -> dt.date | None:
        """Return the date of the row's earlier import, if that is newer, or None if this file's row is newer.

        Returns `default` if no dates were compared for the row or its authority.
        """
        if row in self._newer_date_by_row:
            return self._newer_date_by_row[row]
        return self._newer_date_by_authority.get(authority) or default


def ids_with_event_of_files(kind: EventKind, target_ids: Iterable[int], run: RunningImport) -> set[int]:
    """Return the ids of the targets that have an event of this kind from an earlier import of the same files."""
    events = Event.objects.filter(kind=kind, target_id__in=target_ids, data__file=run.digest)
    return set(events.values_list("target_id", flat=True))


def remark_on_older_rows(
    run: RunningImport,
    newer_date: dt.date,
    records_name: str,
    *,
    changed_count: int,
    existing_count: int,
    gone_count: int,
    later_count: int,
) -> None:
    """Add a remark that rows are older than those of an earlier import of `newer_date`, and how both differ."""
    older_count = existing_count + gone_count
    run.report.remark(
        f"Of these {records_name}, {older_count:,} {'is' if older_count == 1 else 'are'} older than in files of "
        f"{long_date(newer_date)}, which were imported before, and only added to the history. "
        f"{changed_count:,} of {existing_count:,} {records_name} have changed since, "
        f"{gone_count:,} are no longer there, and {later_count:,} were added later."
    )


def apply_older_list(
    entries: Sequence[OlderEntry],
    newest_date: dt.date,
    directory: Directory,
    rows_to_review: RowsToReview,
    run: RunningImport,
) -> None:
    """Add former names from an older list, and organisations that newer lists no longer have.

    `newest_date` is the date of the latest list, with which the report compares this list.
    """
    renamed_count = unlisted_count = 0
    existing_ids: set[int] = set()
    for done_count, entry in enumerate(entries, start=1):
        with set_aside_if_refused(entry.row, directory, run):
            organisation = _find(entry, directory)
            if organisation is not None:
                existing_ids.add(organisation.pk)
                renamed_count += _add_to_history(entry, organisation, directory, run)
            elif entry.is_of_register:
                unlisted_count += 1
                _add_unlisted(entry, directory, rows_to_review, run)
            else:
                _create_other_body(entry, directory, run)
        run.progress(done_count, len(entries))

    schemes = {entry.identifiers[0][0] for entry in entries if entry.is_of_register}
    current_ids = {
        organisation.pk
        for scheme in schemes
        for organisation in directory.with_scheme(scheme)
        if not organisation.is_ended
    }
    run.report.remark(
        f"This list is older than that of {long_date(newest_date)}, so it only adds to histories. "
        f"{renamed_count:,} of {len(existing_ids):,} of its organisations have changed their names since, "
        f"{unlisted_count:,} are no longer listed, and {len(current_ids - existing_ids):,} were added later."
    )


def _find(entry: OlderEntry, directory: Directory) -> Organisation | None:
    """Return the organisation that has one of the identifiers, or None if no organisation has.

    A body that is not a council can also be found by name and kind, if only one organisation has both.
    """
    for scheme, value in entry.identifiers:
        if holder := directory.holder(scheme, value):
            return holder
    if entry.is_of_register:
        return None
    namesakes = [organisation for organisation in directory.with_name(entry.name) if organisation.kind == entry.kind]
    return namesakes[0] if len(namesakes) == 1 else None


def _create_other_body(entry: OlderEntry, directory: Directory, run: RunningImport) -> None:
    """Create a body that is not a council as active, since newer lists of councils need not have it."""
    organisation = create_organisation(
        name=entry.name, kind=entry.kind, identifiers=entry.identifiers, author=run.author, now=run.now
    )
    directory.remember(organisation, identifiers=entry.identifiers, names=[organisation.name])
    run.report.count("created", f"{organisation.name} ({organisation.get_kind_display().lower()})")


def _add_to_history(entry: OlderEntry, organisation: Organisation, directory: Directory, run: RunningImport) -> bool:
    """Add the older name and key, and return True if the organisation's present name differs.

    The list does not say when the name ended, so the former name ends on the day after the list's date.
    """
    identifiers = [
        (scheme, value)
        for index, (scheme, value) in enumerate(entry.identifiers)
        if index == 0 or scheme == Scheme.PLANNING_AREA or not entry.is_of_register
    ]
    changes = directory.update(organisation, run, fields={}, identifiers=identifiers, registered_on=entry.begun_on)
    is_renamed = entry.is_official and bool(entry.name) and fold_name(entry.name) != fold_name(organisation.name)
    if is_renamed and organisation.pk not in directory.by_name[fold_name(entry.name)]:
        add_name(
            organisation=organisation,
            name=entry.name,
            kind=NameKind.FORMER,
            valid_to=run.as_of + dt.timedelta(days=1),
            author=run.author,
            now=run.now,
        )
        directory.remember(organisation, identifiers=[], names=[entry.name])
        changes.append(f"was “{entry.name}” on {long_date(run.as_of)}")
    if changes:
        run.report.count("changed", f"{organisation.name}: {'; '.join(changes)}")
    else:
        run.report.count("left_alone")
    return is_renamed


def _add_unlisted(entry: OlderEntry, directory: Directory, rows_to_review: RowsToReview, run: RunningImport) -> None:
    """Create an organisation that newer lists do not have, as ended.

    The row is set aside instead if it may mean an existing organisation, or if a row with its key is still to be
    reviewed.
    """
    _scheme, key = entry.identifiers[0]  # the register's own identifier
    earlier_row = rows_to_review.rows_by_key.get(key)
    if earlier_row is not None and earlier_row.is_left_out:
        run.report.count("left_alone")
        return
    if earlier_row is not None and earlier_row.is_open:
        reason = f"a newer list has a row with this key, {key}, which is waiting for review."
        problem = Problem(entry.row, "", reason, "Review that row first.")
        run.set_aside(run.list_file.row_set_aside([problem]))
        return
    namesakes = [organisation for organisation in directory.with_name(entry.name) if organisation.kind == entry.kind]
    if namesakes or not entry.is_official or not entry.name:
        run.set_aside(run.list_file.row_set_aside([_unknown_key_problem(entry, key, namesakes)]))
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
    directory.remember(body, identifiers=entry.identifiers, names=[body.name])
    run.report.count("created", f"{body.name} ({key}), ended after {long_date(run.as_of)}")


def _unknown_key_problem(entry: OlderEntry, key: str, namesakes: Sequence[Organisation]) -> Problem:
    """Return why a row whose key no newer list has cannot be imported."""
    if namesakes:
        reason = f"no newer list has the key {key}, but {namesakes[0].name} has the same name."
    else:
        reason = f"no organisation in the directory has the key {key}."
    remedy = (
        "If it is the same organisation, add the key to it in Common Ground administration. Otherwise remove the row."
    )
    return Problem(entry.row, "", reason, remedy)
