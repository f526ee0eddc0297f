"""Apply a list of councils and combined authorities to the directory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace

from partnerships.kit.dates import long_date
from partnerships.organisations.models import (
    Organisation,
    Scheme,
)
from partnerships.transfer.models import Doubt
from partnerships.transfer.reading.councils import Council, CouncilList
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.services.councils.areas import areas_of
from partnerships.transfer.services.councils.bodies import keep_council
from partnerships.transfer.services.councils.matching import DATES, GOVERNING, TUPLES, Matching
from partnerships.transfer.services.councils.others import keep_others
from partnerships.transfer.services.councils.successions import record_successions
from partnerships.transfer.services.directory import Directory, Import
from partnerships.transfer.services.doubts import Doubts, distinct
from partnerships.transfer.services.rows import one_row


def apply_councils(listed: CouncilList, directory: Directory, doubts: Doubts, run: Import) -> None:
    """Update the directory from a list of councils.

    Rows that contradict each other or the directory are set aside; raises `UnableToRead` where rows do not stand
    alone.
    """
    listed = _without_contradictions(listed, directory, run)
    if listed.elsewhere:
        run.report.remark(f"Councils outside England were skipped: {listed.elsewhere:,}.")
    councils = _as_at(listed.councils, run)
    matching = Matching(listed, directory, doubts, run)
    known = matching.matched(councils)
    decided = tuple(council for council in councils if council.key in known)
    areas = areas_of(decided, directory, names_are_areas=not listed.is_whole)
    bodies: dict[str, Organisation] = {}
    for done, council in enumerate(decided, start=1):
        with one_row(council.row, directory, run):
            bodies[council.key] = keep_council(
                council,
                known[council.key],
                areas[council.key],
                directory,
                run,
                official=listed.is_whole,
                joined=council.key in matching.joined,
            )
        run.progress(done, len(decided))
    run.row = None
    keep_others(listed.others, directory, run)
    record_successions(
        tuple(council for council in decided if council.key in bodies),
        bodies,
        {council.key for council in councils} - bodies.keys(),
        directory,
        run,
    )
    directory.mark_listed({body.pk for body in bodies.values()}, _expected(listed, directory, doubts), run)


def _expected(listed: CouncilList, directory: Directory, doubts: Doubts) -> list[Organisation]:
    """The bodies that such a list should have: of its types, and without those that a person is asked about."""
    types = {council.type for council in listed.councils}
    knows_ended = any(not council.is_current for council in listed.councils)
    asked = {candidate.pk for doubt in doubts.asked for candidate in doubt.candidates}
    return [
        body
        for body in directory.having(Scheme.LOCAL_AUTHORITY if listed.is_whole else Scheme.GSS)
        if body.kind in GOVERNING
        and body.pk not in asked
        and (listed.is_whole or body.council_type in types)
        and (knows_ended or not body.is_ended)
    ]


def _as_at(councils: Sequence[Council], run: Import) -> tuple[Council, ...]:
    """The councils as they were on the list's date.

    Ends after it are ignored, ends before it count.
    """
    later = [
        council for council in councils if council.ends_on and council.ends_on > run.as_of and not council.is_current
    ]
    if later:
        words = ", ".join(f"{council.name} ({long_date(council.ends_on)})" for council in later[:10] if council.ends_on)
        run.report.remark(f"{len(later):,} in the list end after its date and stay active until then: {words}.")
    return tuple(
        replace(council, is_current=council.ends_on > run.as_of) if council.ends_on is not None else council
        for council in councils
    )


def apply_council_answer(doubt: Doubt, body: Organisation | None, directory: Directory, run: Import) -> Organisation:
    """Apply an answer: match the row to the organisation, or create one."""
    row = dict(doubt.row)
    official = row.pop("official")
    row |= {name: dt.date.fromisoformat(row[name]) if row[name] else None for name in DATES}
    row |= {name: tuple(row[name]) for name in TUPLES}
    council = Council(**row)
    area = areas_of((council,), directory, names_are_areas=not official)[council.key]
    known = directory.organisations[body.pk] if body is not None else None
    return keep_council(council, known, area, directory, run, official=official, joined=known is not None)


def _without_contradictions(listed: CouncilList, directory: Directory, run: Import) -> CouncilList:
    """The list without rows that contradict each other or the directory."""
    problems = list(_contradictions(listed, directory, run))
    if not problems:
        return listed
    if not run.rows_stand_alone:
        raise UnableToRead(problems)
    for row in {problem.row: None for problem in problems}:
        run.set_aside(run.listed.row_set_aside([problem for problem in problems if problem.row == row]))
    bad = {problem.row for problem in problems}
    return replace(listed, councils=tuple(council for council in listed.councils if council.row not in bad))


def _contradictions(listed: CouncilList, directory: Directory, run: Import) -> Iterator[Problem]:
    """Rows that contradict the directory or each other: keys, codes and successors."""
    keys = {council.key for council in listed.councils}
    claimed: dict[int, Council] = {}
    for council in listed.councils:
        by_key = directory.holder(Scheme.LOCAL_AUTHORITY, council.key)
        by_code = directory.holder(Scheme.GSS, council.gss)
        if by_key and by_code and by_key.pk != by_code.pk:
            found = f"the key {council.key} is {by_key.name}, but the code {council.gss} is {by_code.name}."
            yield Problem(council.row, "", found, "Correct the key or the code.")
        for body in distinct(one for one in (by_key, by_code) if one is not None):
            other = claimed.setdefault(body.pk, council)
            if other is not council:
                yield _claims_too(council, other, body)
                yield _claims_too(other, council, body)
        for successor in council.successors:
            is_known = successor in keys or directory.holder(Scheme.LOCAL_AUTHORITY, successor) is not None
            if not is_known and not run.is_mentioned([successor]):
                found = f"“{successor}” is the key of no council in the file or the directory."
                yield Problem(council.row, "replaced-by", found, "Correct it, or add the successor's row.")


def _claims_too(council: Council, other: Council, body: Organisation) -> Problem:
    """The problem of a row that is the same body as another row."""
    found = f"this row and row {other.row} are both {body.name} in the directory."
    return Problem(council.row, "", found, "Correct the key or the code of one of the two.")
