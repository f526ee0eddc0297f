"""Lists that say which council or code followed another.

What the directory lacks is recorded.
"""

from __future__ import annotations

from collections import defaultdict

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
from partnerships.transfer.services.directory import Directory, Import
from partnerships.transfer.services.rows import one_row
from partnerships.transfer.services.simple_lists import SimpleList

_IMPORT_COUNCILS = "Import the newest list of councils, then this list again."
_RECORD_IT = (
    "If it has, record the succession on the page of those that are to come, and let it take effect. Otherwise correct "
    "the codes."
)


def _apply(table: Table, faults: Collector, run: Import) -> int:
    """Record successions that are not known.

    Changes outside England are counted.
    """
    directory, outside = Directory(), 0
    known = set(SuccessionTie.objects.values_list("predecessor_id", "successor_id"))
    new: dict[tuple[int, PartialDate | None], list[tuple[Line, Organisation]]] = defaultdict(list)
    for line in table:
        old, code = line.text("old").upper(), line.text("new").upper()
        if old and not old.startswith("E") and GSS.fullmatch(old):
            outside += 1
            continue
        before = _held(line, "old", old, directory, faults)
        after = _held(line, "new", code, directory, faults) if code else None
        year = faults.partial(line, "start")
        if line.number in faults.bad_rows or before is None:
            continue
        if not code and not before.is_ended:
            faults.add_problem(line, "new", f"{before.name} has not ended in the directory.", _IMPORT_COUNCILS)
        elif after is None or before == after or (before.pk, after.pk) in known:
            run.report.count("left_alone")
        elif after.kind == Kind.STRATEGIC_AUTHORITY and before.kind == Kind.COUNCIL:
            _joined(line, before, after, year, directory, faults, run)
        elif not before.is_ended:
            faults.add_problem(line, "old", f"{before.name} has not ended in the directory.", _RECORD_IT)
        else:
            new[after.pk, year].append((line, before))
    for (successor, year), rows in new.items():
        _record(directory.organisations[successor], year, rows, directory, run)
    return outside


def _held(line: Line, column: str, code: str, directory: Directory, faults: Collector) -> Organisation | None:
    """The body that has or had a code; a problem if there is none."""
    body = directory.of_code(code)
    if body is None:
        what = f"no organisation in the directory has the code “{code}”." if code else "the cell is blank."
        faults.add_problem(line, column, what, _IMPORT_COUNCILS if code else "Fill in the code.")
    return body


def _joined(
    line: Line,
    council: Organisation,
    authority: Organisation,
    year: PartialDate | None,
    directory: Directory,
    faults: Collector,
    run: Import,
) -> None:
    """A council became part of a combined authority, which serves its area from then on.

    Of a county, one of its districts must be known to be served: the look-up of districts names them.
    """
    own, served = set(directory.served[council.pk]), set(directory.served[authority.pk])
    within = {area.pk for area in directory.areas.values() if area.parent_id in own}
    if served & (own | within):
        run.report.count("left_alone")
        return
    areas = [area for area in directory.areas.values() if area.pk in own and area.kind == AreaKind.DISTRICT]
    if not areas:
        found = f"{authority.name} serves no district of {council.name} in the directory."
        faults.add_problem(line, "new", found, "Import the list of combined authorities and their districts.")
        return
    begun = authority.valid_from
    starts_on = begun if begun is not None and year is not None and begun.year == year.year else None
    with one_row(line.number, directory, run):
        for area in areas:
            directory.serve(authority, area, run, starts_on=starts_on, ends_on=authority.valid_to)
        run.report.count("changed", f"{authority.name}: serves {council.name}{f', {year.words}' if year else ''}")


def _record(
    successor: Organisation,
    year: PartialDate | None,
    rows: list[tuple[Line, Organisation]],
    directory: Directory,
    run: Import,
) -> None:
    """Record one succession of the bodies that the successor followed in a year."""
    first, bodies = rows[0][0], list(dict.fromkeys(body for _, body in rows))
    with one_row(first.number, directory, run):
        record_succession(
            kind=SuccessionKind.MERGE if len(bodies) > 1 else SuccessionKind.ABSORB,
            status=SuccessionStatus.EFFECTIVE,
            vests_on=year,
            ties=ties_between(bodies, [successor]),
            author=run.author,
            now=run.now,
            source=run.source[:300],
        )
        for body in bodies:
            run.report.count("created", f"{body.name} → {successor.name}{f', {year.words}' if year else ''}")


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
