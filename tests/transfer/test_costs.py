"""An import makes about two statements for each further row of a list."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from partnerships.organisations.models import Identifier, Scheme

from .lists import COUNCILS, import_list

pytestmark = pytest.mark.django_db

FEW, MANY = 10, 60


def providers(count: int, *, prefix: str) -> str:
    """Return a list of new providers, whose numbers and names begin with `prefix`."""
    other_cells = "01/04/2015,Non-profit,Company"
    rows = [f"{prefix} Homes {number} Limited,{prefix}{number:03},{other_cells}" for number in range(count)]
    return "\n".join(["organisation_name,registration_number,registration_date,designation,corporate_form", *rows])


def queries_of(count: int, prefix: str, **choices: object) -> int:
    """Return the number of queries that importing a list of providers makes."""
    with CaptureQueriesContext(connection) as captured:
        import_list("providers", providers(count, prefix=prefix), as_of=dt.date(2024, 1, 1), is_part=True, **choices)
    return len(captured)


def test_new_providers_cost_two_statements_a_row() -> None:
    """Only the savepoint of each row, which is two statements, is executed row by row."""
    import_list("councils", COUNCILS, as_of=dt.date(2024, 1, 1))
    few = queries_of(FEW, "LA")
    many = queries_of(MANY, "LB")

    assert Identifier.objects.filter(scheme=Scheme.RSH, value__startswith="L").count() == FEW + MANY
    assert (many - few) / (MANY - FEW) <= 2.1


def test_known_providers_cost_two_statements_a_row() -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2024, 1, 1))
    for count, prefix in ((FEW, "LA"), (MANY, "LB")):
        queries_of(count, prefix)

    few = queries_of(FEW, "LA")
    many = queries_of(MANY, "LB")

    assert (many - few) / (MANY - FEW) <= 2.1


def test_provider_that_is_refused_does_not_prevent_the_others_of_its_batch() -> None:
    """A name that is too long for the directory is refused only by the database."""
    import_list("councils", COUNCILS, as_of=dt.date(2024, 1, 1))
    listed = providers(5, prefix="LC").replace("LC Homes 3 Limited", "x" * 400)

    run = import_list("providers", listed, as_of=dt.date(2024, 1, 1), is_part=True)

    assert run.created == 4
    assert run.set_aside == 1
    assert not Identifier.objects.filter(value="LC003").exists()
