"""Record the successions that a list of councils contains."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from partnerships.kit.dates import known_day
from partnerships.organisations.models import Organisation, Scheme, SuccessionKind, SuccessionStatus
from partnerships.organisations.services import record_succession, ties_between
from partnerships.transfer.reading.councils import Council
from partnerships.transfer.reading.problems import Problem
from partnerships.transfer.services.directory import Directory, RunningImport
from partnerships.transfer.services.refusals import set_aside_if_refused


@dataclass
class _Succession:
    """Councils that ended on the same day and have the same successors."""

    successor_keys: tuple[str, ...]
    ended_on: dt.date | None
    #: The row of the first predecessor, for error messages.
    row: int
    predecessors: list[Organisation] = field(default_factory=list)

    def kind(self, start_by_key: Mapping[str, dt.date | None]) -> SuccessionKind:
        """Return the kind: a split, a merger, or an absorption, in which the successor existed before."""
        if len(self.successor_keys) > 1:
            return SuccessionKind.SPLIT
        successor_starts_on = start_by_key.get(self.successor_keys[0])
        existed_before = (
            self.ended_on is not None and successor_starts_on is not None and successor_starts_on < self.ended_on
        )
        if existed_before or len(self.predecessors) == 1:
            return SuccessionKind.ABSORB
        return SuccessionKind.MERGE


def record_successions(
    councils: Sequence[Council],
    organisations_by_key: Mapping[str, Organisation],
    *,
    undecided_keys: Collection[str],
    directory: Directory,
    run: RunningImport,
) -> None:
    """Record a succession for each set of successors and date.

    A succession is recorded only once all of its rows are imported: without one of the predecessors it would be a
    different succession. `undecided_keys` are the keys of rows that wait for review or were refused.
    """
    successor_keys = {key for council in councils for key in council.successors}
    successor_by_key: dict[str, Organisation] = {}
    for key in successor_keys:
        successor = organisations_by_key.get(key) or directory.holder(Scheme.LOCAL_AUTHORITY, key)
        if successor is not None:
            successor_by_key[key] = successor

    start_by_key = {council.key: council.starts_on for council in councils}
    count_by_kind: Counter[str] = Counter()
    for succession in _group(councils, organisations_by_key, successor_by_key, undecided_keys, run):
        kind = succession.kind(start_by_key)
        successors = [successor_by_key[key] for key in succession.successor_keys if key in successor_by_key]
        with set_aside_if_refused(succession.row, directory, run, is_used=True):
            record_succession(
                kind=kind,
                status=SuccessionStatus.EFFECTIVE,
                vests_on=known_day(succession.ended_on),
                ties=ties_between(succession.predecessors, successors),
                author=run.author,
                now=run.now,
                source=run.source[:300],
            )
            count_by_kind[kind] += 1
    run.row = None

    _report_counts(count_by_kind, run)


def _group(
    councils: Sequence[Council],
    organisations_by_key: Mapping[str, Organisation],
    successor_by_key: Mapping[str, Organisation],
    undecided_keys: Collection[str],
    run: RunningImport,
) -> list[_Succession]:
    """Group the councils that ended by their successors and the day, and set aside those without all successors."""
    successions: dict[tuple[tuple[str, ...], dt.date | None], _Succession] = {}
    for council in councils:
        if not council.successors:
            continue
        has_undecided = any(key in undecided_keys for key in council.successors)
        has_unknown = any(key not in successor_by_key for key in council.successors)
        if has_unknown and not has_undecided:
            _set_succession_aside(council.row, "the successor is in a row that was set aside.", run)
            continue
        if run.is_mentioned(council.successors):
            _set_succession_aside(council.row, "another row about its successor was set aside.", run)
            continue
        if has_undecided:
            continue
        successor_keys = tuple(sorted(council.successors))
        succession = successions.setdefault(
            (successor_keys, council.ends_on),
            _Succession(successor_keys=successor_keys, ended_on=council.ends_on, row=council.row),
        )
        succession.predecessors.append(organisations_by_key[council.key])
    return list(successions.values())


def _report_counts(count_by_kind: Counter[str], run: RunningImport) -> None:
    """Say in the report of the import how many successions of each kind the list contained."""
    if count_by_kind:
        counts = [f"{count} {SuccessionKind(kind).label.lower()}" for kind, count in sorted(count_by_kind.items())]
        run.report.remark(f"Successions in the list: {', '.join(counts)}.")


def _set_succession_aside(row: int, why: str, run: RunningImport) -> None:
    """Set a row aside although its council was imported, so that its succession can be imported later."""
    problem = Problem(
        row,
        "",
        f"the council was imported, but not its succession: {why}",
        "Correct that row, then upload both rows again.",
    )
    run.set_aside(run.list_file.row_set_aside([problem], is_used=True))
