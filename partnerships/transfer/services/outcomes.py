"""The outcome of an import, and the check that refuses a file with too many unusable rows."""

from __future__ import annotations

from dataclasses import dataclass

from partnerships.transfer.models import ImportRun, Register
from partnerships.transfer.reading.list_file import ListFile
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.reporting import OUTCOMES, summary


@dataclass(frozen=True, slots=True)
class Outcome:
    """An import run and the last line of its report. The run is not saved if it was a dry run."""

    run: ImportRun
    last_line: str


def last_line(run: ImportRun, *, applied: bool) -> str:
    """Return a sentence with the numbers of changes that a run made, or that a preview would make."""
    counts = {outcome: getattr(run, outcome) for outcome in OUTCOMES}
    return summary(Register(run.register).label, run.as_of, counts, applied=applied)


def refuse_unusable(list_file: ListFile, *, all_or_nothing: bool) -> None:
    """Raise `UnableToRead` if more rows are bad than good, because the file is probably another list.

    With `all_or_nothing`, raise it if a single row is bad. A file of corrected rows is never considered another list.
    """
    problems = [problem for row in list_file.set_aside for problem in row.problems]
    if all_or_nothing:
        if problems:
            raise UnableToRead(problems)
        return
    bad_count = sum(not row.belongs_elsewhere for row in list_file.set_aside)
    good_count = len(list_file.rows) - list_file.outside - len(list_file.set_aside)
    if bad_count > good_count and not list_file.is_corrected:
        fault = f"{bad_count:,} of its {len(list_file.rows):,} rows cannot be used."
        remedy = "Is it the right list? Correct its rows, or choose another list."
        raise UnableToRead([Problem(None, "", fault, remedy), *problems])
