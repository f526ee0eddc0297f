"""For names of real lists, the first answer is the body with the list's own number."""

from __future__ import annotations

import datetime as dt

import pytest

from partnerships.organisations.models import Scheme
from tests.reconciliation.first_answers import Column, rows_of, score
from tests.transfer.lists import extract, import_list

COUNCILS = Column(
    "councils.csv", "official-name", "local-authority-code", Scheme.LOCAL_AUTHORITY, dt.date(2025, 7, 10), "end-date"
)
PROVIDERS = Column("providers.json", "organisation_name", "registration_number", Scheme.RSH, dt.date(2023, 2, 28))


@pytest.fixture
def imported_lists(db: None) -> None:
    """Import the extracts of both lists."""
    import_list("councils", extract("councils.csv"), name="councils.csv", as_of=dt.date(2025, 7, 10))
    import_list("providers", extract("providers.json"), name="providers.json", as_of=dt.date(2023, 2, 28))


@pytest.mark.usefixtures("imported_lists")
@pytest.mark.parametrize("column", [COUNCILS, PROVIDERS], ids=["councils", "providers"])
def test_at_least_99_in_100_names_get_the_right_first_answer(column: Column) -> None:
    rows = rows_of(extract(column.file), column)

    result = score(rows, column.scheme)

    assert result.asked > 25
    assert result.share >= 0.99, result.wrong
    assert result.certainly_wrong == []
