"""Contributions are totalled by year and party, and terms are copied to columns."""

from __future__ import annotations

from decimal import Decimal

from partnerships.agreements.terms.contributions import contributions_of
from partnerships.agreements.terms.projection import clauses_as_text, column_values, content_from_columns

CONTENT = {
    "about": {"quorum": 3, "review_on": "2027-03-01", "annual_budget": "12,000.50", "legally_binding": True},
    "clauses": [{"key": "a", "title": "Purpose", "body": "Homes."}, {"key": "b", "title": "Exit", "body": ""}],
    "contributions": [
        {"key": "1", "party": "Larkhaven", "year": "2026", "money": "1000", "in_kind": ""},
        {"key": "2", "party": "Larkhaven", "year": "2027", "money": "1500", "in_kind": "A desk"},
        {"key": "3", "party": "Westmarch", "year": "2026", "money": "2000", "in_kind": ""},
    ],
}


def test_money_is_totalled_by_party() -> None:
    contributions = contributions_of(CONTENT)

    assert [(row.party, row.amounts, row.total) for row in contributions.rows] == [
        ("Larkhaven", (1000, 1500), 2500),
        ("Westmarch", (2000, 0), 2000),
    ]
    assert contributions.total == 4500


def test_money_is_totalled_by_year_and_compared_with_the_year_before() -> None:
    contributions = contributions_of(CONTENT)

    assert [(year.year, year.total, year.difference) for year in contributions.years] == [
        ("2026", 3000, None),
        ("2027", 1500, -1500),
    ]


def test_each_year_is_compared_with_the_annual_budget() -> None:
    contributions = contributions_of(CONTENT)

    assert [year.against_budget for year in contributions.years] == [Decimal("-9000.50"), Decimal("-10500.50")]


def test_contributions_in_kind_are_listed() -> None:
    assert contributions_of(CONTENT).in_kind == (("Larkhaven", "2027", "A desk"),)


def test_terms_without_contributions_have_an_empty_table() -> None:
    assert contributions_of({"about": {}}).is_empty


def test_columns_get_the_particulars_as_values_of_their_type() -> None:
    values = column_values(CONTENT)

    assert values["quorum"] == 3
    assert values["annual_budget"] == Decimal("12000.50")
    assert values["legally_binding"]
    assert str(values["review_on"]) == "2027-03-01"
    assert values["ends_on"] is None


def test_columns_get_clauses_and_contributions_as_text() -> None:
    values = column_values(CONTENT)

    assert values["terms_of_reference"] == "Purpose\n\nHomes.\n\nExit"
    assert values["contribution"].splitlines()[1] == "Larkhaven, 2027: £1,500; A desk"


def test_the_text_of_the_columns_becomes_a_clause_that_says_the_same() -> None:
    raw = content_from_columns({**column_values(CONTENT), "terms_of_reference": "We meet.", "contribution": ""})

    assert raw["about"]["review_on"] == "2027-03-01"
    assert clauses_as_text(raw) == "Terms\n\nWe meet."
