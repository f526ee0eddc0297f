"""What every import ends with, and which files it refuses whole."""

from __future__ import annotations

from dataclasses import dataclass

from partnerships.transfer.models import ImportRun, Register
from partnerships.transfer.reading.list_file import ListFile
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.reporting import OUTCOMES, summary


@dataclass(frozen=True, slots=True)
class Outcome:
    """The import run and its last line; a dry run's is not saved."""

    run: ImportRun
    last_line: str


def last_line(run: ImportRun, *, applied: bool) -> str:
    """What a run did or would do, in one sentence."""
    counts = {outcome: getattr(run, outcome) for outcome in OUTCOMES}
    return summary(Register(run.register).label, run.as_of, counts, applied=applied)


def refuse_unusable(list_file: ListFile, *, all_or_nothing: bool) -> None:
    """Refuse a wrong list, and with `all_or_nothing` one with a bad row.

    A list is wrong if fewer than half of its rows can be used. Rows that somebody corrected are never a wrong list.
    """
    problems = [problem for row in list_file.set_aside for problem in row.problems]
    bad = sum(not row.belongs_elsewhere for row in list_file.set_aside)
    sound = len(list_file.rows) - list_file.outside - len(list_file.set_aside)
    if bad and not all_or_nothing and not list_file.is_corrected and bad > sound:
        found = f"{bad:,} of its {len(list_file.rows):,} rows cannot be used."
        problems.insert(0, Problem(None, "", found, "Is it the right list? Correct its rows, or choose another list."))
    elif not (problems and all_or_nothing):
        return
    raise UnableToRead(problems)
