"""Record successions from lists that say which council or code followed another."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from partnerships.kit.dates import PartialDate
from partnerships.organisations.models import (
    AreaKind,
    Kind,
    Organisation,
    SuccessionKind,
    SuccessionStatus,
    SuccessionTie,
)
from partnerships.organisations.services import record_succession, ties_between
from partnerships.transfer.models import Register
from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.councils import GSS
from partnerships.transfer.reading.headings import Column, Line, Table
from partnerships.transfer.services.directory import Directory, RunningImport
from partnerships.transfer.services.refusals import set_aside_if_refused
from partnerships.transfer.services.simple_lists import SimpleList

_IMPORT_COUNCILS = "Import the newest list of councils, then this list again."
_RECORD_SUCCESSION = (
    "If it has, add its succession to the pending ones, and let it take effect. Otherwise correct the codes."
)


def _apply(table: Table, collector: Collector, run: RunningImport) -> int:
    """Record the successions that are not in the directory, and return the number of rows outside England."""
    applier = _ChangeApplier(directory=Directory(), collector=collector, run=run)
    outside_count = 0
    for line in table:
        old_code = line.text("old").upper()
        if GSS.fullmatch(old_code) and not old_code.startswith("E"):
            outside_count += 1
        else:
            applier.apply_row(line)
    applier.record_successions()
    return outside_count


@dataclass(frozen=True, slots=True)
class _Change:
    """A council and its successor, from a row of the list, with the year of the change."""

    row: int
    predecessor: Organisation
    successor: Organisation
    year: PartialDate | None

    @property
    def when(self) -> str:
        """The year as the end of a line of the report, or "" if it is unknown."""
        return f", {self.year.words}" if self.year else ""


class _ChangeApplier:
    """Applies the rows, and then records the successions, because several rows can have one successor."""

    def __init__(self, *, directory: Directory, collector: Collector, run: RunningImport) -> None:
        self._directory = directory
        self._collector = collector
        self._run = run
        self._recorded_pairs = set(SuccessionTie.objects.values_list("predecessor_id", "successor_id"))
        self._changes: dict[tuple[int, PartialDate | None], list[_Change]] = defaultdict(list)

    def apply_row(self, line: Line) -> None:
        """Apply a row, or add the row's problems to the collector."""
        new_code = line.text("new").upper()
        predecessor = self._organisation(line, "old", line.text("old").upper())
        successor = self._organisation(line, "new", new_code) if new_code else None
        year = self._collector.partial(line, "start")
        if line.number in self._collector.bad_rows or predecessor is None:
            return
        if not new_code and not predecessor.is_ended:
            fault = f"{predecessor.name} has not ended in the directory."
            self._collector.add_problem(line, "new", fault, _IMPORT_COUNCILS)
            return
        if successor is None or predecessor == successor or (predecessor.pk, successor.pk) in self._recorded_pairs:
            self._run.report.count("left_alone")
            return

        change = _Change(row=line.number, predecessor=predecessor, successor=successor, year=year)
        if successor.kind == Kind.STRATEGIC_AUTHORITY and predecessor.kind == Kind.COUNCIL:
            self._add_to_combined_authority(line, change)
        elif not predecessor.is_ended:
            fault = f"{predecessor.name} has not ended in the directory."
            self._collector.add_problem(line, "old", fault, _RECORD_SUCCESSION)
        else:
            self._changes[successor.pk, year].append(change)

    def _organisation(self, line: Line, column: str, code: str) -> Organisation | None:
        """Return the organisation that has or had a code. If no organisation has, add a problem and return None."""
        organisation = self._directory.with_code(code)
        if organisation is None and code:
            fault = f"no organisation in the directory has the code “{code}”."
            self._collector.add_problem(line, column, fault, _IMPORT_COUNCILS)
        elif organisation is None:
            self._collector.add_problem(line, column, "the cell is blank.", "Fill in the code.")
        return organisation

    def _add_to_combined_authority(self, line: Line, change: _Change) -> None:
        """Make a combined authority serve the area of a council that became part of it.

        A combined authority serves districts, not counties. For a county, it must already serve one of the county's
        districts.
        """
        council, authority = change.predecessor, change.successor
        council_area_ids = set(self._directory.served[council.pk])
        district_ids = {area.pk for area in self._directory.areas.values() if area.parent_id in council_area_ids}
        if set(self._directory.served[authority.pk]) & (council_area_ids | district_ids):
            self._run.report.count("left_alone")
            return
        districts = [
            area
            for area in self._directory.areas.values()
            if area.pk in council_area_ids and area.kind == AreaKind.DISTRICT
        ]
        if not districts:
            fault = f"{authority.name} serves no district of {council.name} in the directory."
            remedy = "Import the list of combined authorities and their districts."
            self._collector.add_problem(line, "new", fault, remedy)
            return

        began_on = authority.valid_from
        is_founding_member = began_on is not None and change.year is not None and began_on.year == change.year.year
        with set_aside_if_refused(change.row, self._directory, self._run):
            for district in districts:
                self._directory.serve(
                    authority,
                    district,
                    self._run,
                    starts_on=began_on if is_founding_member else None,
                    ends_on=authority.valid_to,
                )
            self._run.report.count("changed", f"{authority.name}: serves {council.name}{change.when}")

    def record_successions(self) -> None:
        """Record a succession for each successor and year of the applied rows."""
        for changes in self._changes.values():
            first_change = changes[0]
            successor = self._directory.organisations[first_change.successor.pk]
            predecessors = list(dict.fromkeys(change.predecessor for change in changes))
            with set_aside_if_refused(first_change.row, self._directory, self._run):
                record_succession(
                    kind=SuccessionKind.MERGE if len(predecessors) > 1 else SuccessionKind.ABSORB,
                    status=SuccessionStatus.EFFECTIVE,
                    vests_on=first_change.year,
                    ties=ties_between(predecessors, [successor]),
                    author=self._run.author,
                    now=self._run.now,
                    source=self._run.source[:300],
                )
                for predecessor in predecessors:
                    self._run.report.count("created", f"{predecessor.name} → {successor.name}{first_change.when}")


CHANGES = SimpleList(
    Register.COUNCIL_CHANGES,
    (
        Column("old", ("oldcd", "oldcode", r"lad\d\dcdold", "predecessorcode"), "oldcd", required=True),
        Column("old_name", ("oldnm", "oldname"), "oldnm"),
        Column("new", ("newcd", "newcode", "successorcode"), "newcd", required=True),
        Column("new_name", ("newnm", "newname"), "newnm"),
        Column("type", ("type", "kind", "change"), "type"),
        Column("start", ("start", "year", "startdate", "date"), "start"),
    ),
    "the list of changes of councils",
    _apply,
)
