"""What services and the database refuse in a row, in words."""

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
from partnerships.transfer.services.directory import Directory, Import

#: What services refuse while a list is applied: a problem in a row, or in the directory.
REFUSALS = (
    UnableToAddIdentifier,
    UnableToChangeSuccession,
    UnableToCorrectIdentifier,
    UnableToCreateOrganisation,
    UnableToDissolve,
    UnableToRecordSuccession,
    UnableToUpdateOrganisation,
)


def problem_of(error: Exception, row: int | None) -> Problem:
    """What a service or the database refused, as a problem of the row."""
    if isinstance(error, IntegrityError):
        found = f"it contradicts the directory ({constraint_of(error)})."
        return Problem(row, "", found, "Correct its dates, keys and codes, or the directory in the administration.")
    if isinstance(error, DataError):
        found = f"it cannot be stored: {str(error).splitlines()[0]}."
        return Problem(row, "", found, "Shorten the text that is too long.")
    return Problem(row, "", str(error), "Correct the list, or the directory in the administration.")


@contextmanager
def row_errors(run: Import) -> Iterator[None]:
    """Refuse the file with the row that services or the database refused. Raises `UnableToRead`."""
    try:
        yield
    except (*REFUSALS, IntegrityError, DataError) as error:
        raise UnableToRead([problem_of(error, run.row)]) from error


@contextmanager
def one_row(row: int, directory: Directory, run: Import, *, is_used: bool = False) -> Iterator[None]:
    """Apply one row; where rows stand alone, a refused one is set aside.

    What was done inside is undone; other rows stay. `is_used` means that the row's body is already imported.
    """
    run.row = row
    if not run.rows_stand_alone:
        yield
        return
    try:
        with transaction.atomic():
            yield
    except (*REFUSALS, IntegrityError, DataError) as error:
        run.set_aside(run.list_file.row_set_aside([problem_of(error, row)], is_used=is_used))
        directory.reload()
    finally:
        run.row = None


def constraint_of(error: IntegrityError) -> str:
    """The name of the broken constraint, as words."""
    rule = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or "a rule of the database"
    return str(rule).replace("_", " ")
