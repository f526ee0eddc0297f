"""Errors about rows that a service or the database refuses. Errors about single cells are in `reading/`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DataError, IntegrityError, transaction

from partnerships.organisations.services import (
    UnableToAddIdentifier,
    UnableToChangeSuccession,
    UnableToCorrectIdentifier,
    UnableToCreateOrganisation,
    UnableToDissolve,
    UnableToRecordSuccession,
    UnableToUpdateOrganisation,
)
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.services.directory import Directory, RunningImport

#: Exceptions of services whose cause is a row of the list, or the directory.
REFUSALS = (
    UnableToAddIdentifier,
    UnableToChangeSuccession,
    UnableToCorrectIdentifier,
    UnableToCreateOrganisation,
    UnableToDissolve,
    UnableToRecordSuccession,
    UnableToUpdateOrganisation,
)


def problem_of_refusal(error: Exception, row: int | None) -> Problem:
    """Return the problem of a row that a service or the database refused."""
    if isinstance(error, IntegrityError):
        fault = f"this row contradicts the directory ({constraint_of(error)})."
        return Problem(
            row, "", fault, "Correct the dates, keys and codes, or the directory in Common Ground administration."
        )
    if isinstance(error, DataError):
        fault = f"we cannot store this row: {str(error).splitlines()[0]}."
        return Problem(row, "", fault, "Shorten the text that is too long.")
    return Problem(row, "", str(error), "Correct the list, or the directory in Common Ground administration.")


@contextmanager
def refuse_file_with_row(run: RunningImport) -> Iterator[None]:
    """Turn an error of a service or the database into `UnableToRead`, with the row that is being imported."""
    try:
        yield
    except (*REFUSALS, IntegrityError, DataError) as error:
        raise UnableToRead([problem_of_refusal(error, run.row)]) from error


@contextmanager
def set_aside_if_refused(
    row: int, directory: Directory, run: RunningImport, *, is_used: bool = False
) -> Iterator[None]:
    """Apply one row inside a savepoint. If the row is refused, roll back and set it aside.

    If a bad row must refuse the whole file, the error is raised instead. `is_used` means that the row is already
    imported, except for what is done inside.
    """
    run.row = row
    if not run.sets_bad_rows_aside:
        yield
        return
    try:
        with transaction.atomic():
            yield
    except (*REFUSALS, IntegrityError, DataError) as error:
        run.set_aside(run.list_file.row_set_aside([problem_of_refusal(error, row)], is_used=is_used))
        directory.reload()
    finally:
        run.row = None


def constraint_of(error: IntegrityError) -> str:
    """Return the name of the constraint that a row violates, in words."""
    diagnostics = getattr(error.__cause__, "diag", None)
    name = getattr(diagnostics, "constraint_name", None) or "a rule of the database"
    return str(name).replace("_", " ")
