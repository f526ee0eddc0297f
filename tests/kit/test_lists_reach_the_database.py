"""Arrays passed to PostgreSQL as one value arrive unchanged."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from partnerships.kit import database
from partnerships.kit.database import as_array, rows_planned_once

_TEXTS = st.lists(st.none() | st.text(st.characters(exclude_characters="\x00", codec="utf-8")), min_size=1, max_size=6)
_NUMBERS = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=6)
_TRUTHS = st.lists(st.booleans(), min_size=1, max_size=6)


@pytest.mark.django_db
@given(
    st.tuples(st.just("text[]"), _TEXTS)
    | st.tuples(st.just("bigint[]"), _NUMBERS)
    | st.tuples(st.just("bool[]"), _TRUTHS)
)
def test_list_passed_as_one_value_arrives_unchanged(case: tuple[str, list[Any]]) -> None:
    kind, values = case

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{kind}", [as_array(values)])
        [(arrived,)] = cursor.fetchall()

    assert isinstance(as_array(values), str)
    assert arrived == values
    assert rows_planned_once(f"SELECT unnest(%s::{kind})", [values], generic_plan=True) == [
        (value,) for value in values
    ]


@pytest.mark.django_db
def test_statement_whose_preparing_was_interrupted_gets_another_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = database._run

    def run_and_time_out(sql: str) -> None:
        run(sql)
        raise TimeoutError("soft time limit")

    monkeypatch.setattr(database, "_run", run_and_time_out)
    with pytest.raises(TimeoutError):
        rows_planned_once("SELECT %s::int + 4711", [1])
    monkeypatch.setattr(database, "_run", run)

    assert rows_planned_once("SELECT %s::int + 4712", [1]) == [(4713,)]


@pytest.mark.parametrize("value", [[], [1, "one"], [1.5], ("text",), "text", None])
def test_other_values_are_passed_unchanged(value: Any) -> None:
    assert as_array(value) is value
