"""Turn refusals of services and the database into problems of a row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DataError, IntegrityError

from partnerships.organisations.services import (
    UnableToAddIdentifier,
    UnableToCreateOrganisation,
    UnableToDissolve,
    UnableToRecordSuccession,
    UnableToUpdateOrganisation,
)
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.services.directory import Import

#: What services refuse while a list is applied: a problem in a row, or in the directory.
REFUSALS = (
    UnableToAddIdentifier,
    UnableToCreateOrganisation,
    UnableToDissolve,
    UnableToRecordSuccession,
    UnableToUpdateOrganisation,
)


@contextmanager
def row_errors(run: Import) -> Iterator[None]:
    """Turn refusals of services and the database into problems of a row.

    Raises `UnableToRead`.
    """
    try:
        yield
    except REFUSALS as error:
        remedy = "Correct the list, or the directory in the administration."
        raise UnableToRead([Problem(run.row, "", str(error), remedy)]) from error
    except IntegrityError as error:
        found = f"it contradicts the directory ({constraint_of(error)})."
        raise UnableToRead(
            [Problem(run.row, "", found, "Correct its dates, keys and codes, or the directory in the administration.")]
        ) from error
    except DataError as error:
        found = f"it cannot be stored: {str(error).splitlines()[0]}."
        raise UnableToRead([Problem(run.row, "", found, "Shorten the text that is too long.")]) from error


def constraint_of(error: IntegrityError) -> str:
    """The name of the broken constraint, as words."""
    rule = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or "a rule of the database"
    return str(rule).replace("_", " ")
