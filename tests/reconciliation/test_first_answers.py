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


@pytest.mark.django_db
def test_at_least_99_in_100_names_get_the_right_first_answer() -> None:
    import_list("councils", extract("councils.csv"), name="councils.csv", as_of=dt.date(2025, 7, 10))
    import_list("providers", extract("providers.json"), name="providers.json", as_of=dt.date(2023, 2, 28))

    scores = [score(rows_of(extract(one.file), one), one.scheme) for one in (COUNCILS, PROVIDERS)]

    assert [score.asked > 25 for score in scores] == [True, True]
    assert [score.wrong for score in scores if score.share < 0.99] == []
    assert [score.certainly_wrong for score in scores] == [[], []]
