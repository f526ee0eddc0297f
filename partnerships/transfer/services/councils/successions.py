"""Record the successions that a list of councils contains."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from partnerships.kit.dates import known_day
from partnerships.organisations.models import (
    Organisation,
    Scheme,
    SuccessionKind,
    SuccessionStatus,
)
from partnerships.organisations.services import record_succession, ties_between
from partnerships.transfer.reading.councils import Council
from partnerships.transfer.reading.problems import Problem
from partnerships.transfer.services.directory import Directory, Import
from partnerships.transfer.services.rows import one_row


def record_successions(
    councils: tuple[Council, ...],
    bodies: dict[str, Organisation],
    undecided: set[str],
    directory: Directory,
    run: Import,
) -> None:
    """One succession for each set of successors on a date.

    Districts that became one council are a merger; the two successors of a county are a split. Rows left for review
    are not included yet. A succession waits for each of its rows that was set aside: recorded without one of its
    predecessors, it would be another succession.
    """
    events: dict[tuple[tuple[str, ...], dt.date | None], list[Organisation]] = {}
    rows: dict[tuple[tuple[str, ...], dt.date | None], int] = {}
    starts = {council.key: council.starts_on for council in councils}
    for council in councils:
        known = all(key in bodies or directory.holder(Scheme.LOCAL_AUTHORITY, key) for key in council.successors)
        if council.successors and not known and not undecided & set(council.successors):
            _leave(council.row, "its successor is in a row that was set aside.", "Correct that row.", run)
        elif council.successors and run.is_mentioned(council.successors):
            _leave(council.row, "another row about its successor was set aside.", "Correct that row.", run)
        elif council.successors and not undecided & set(council.successors):
            event = tuple(sorted(council.successors)), council.ends_on
            events.setdefault(event, []).append(bodies[council.key])
            rows.setdefault(event, council.row)
    kinds: Counter[str] = Counter()
    for (keys, on), predecessors in events.items():
        successors = [bodies.get(key) or directory.holder(Scheme.LOCAL_AUTHORITY, key) for key in keys]
        begun_before = len(keys) == 1 and on is not None and (starts.get(keys[0]) or on) < on
        kind = (
            SuccessionKind.SPLIT
            if len(keys) > 1
            else SuccessionKind.ABSORB
            if begun_before or len(predecessors) == 1
            else SuccessionKind.MERGE
        )
        with one_row(rows[keys, on], directory, run, is_used=True):
            record_succession(
                kind=kind,
                status=SuccessionStatus.EFFECTIVE,
                vests_on=known_day(on),
                ties=ties_between(predecessors, [body for body in successors if body is not None]),
                author=run.author,
                now=run.now,
                source=run.source[:300],
            )
            kinds[kind] += 1
    run.row = None
    if kinds:
        said = ", ".join(f"{count} {SuccessionKind(kind).label.lower()}" for kind, count in sorted(kinds.items()))
        run.report.remark(f"Successions in the list: {said}.")


def _leave(row: int, found: str, remedy: str, run: Import) -> None:
    """Leave a council's succession for when its row is imported again."""
    problem = Problem(
        row, "", f"the council was imported, but not its succession: {found}", f"{remedy} Upload both again."
    )
    run.set_aside(run.listed.row_set_aside([problem], is_used=True))
