"""Terms follow the schema of their kind, and are checked before they are signed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from partnerships import documents
from partnerships.agreements.terms.checks import problems_of
from partnerships.agreements.terms.declarations import Declarations, declare
from partnerships.agreements.terms.schema import build_schema

PANEL: Declarations = declare(
    "panel",
    "Panel",
    review_date=True,
    fields=[
        {"code": "call_off", "label": "Call-off", "shape": "text", "help": "How work is given out.", "required": True},
        {"code": "grant", "label": "Grant", "shape": "money"},
    ],
    tables=[
        {
            "code": "shares",
            "label": "Shares",
            "one": "share",
            "required": True,
            "fields": [
                {"code": "party", "label": "Party", "shape": "party"},
                {"code": "percent", "label": "Share", "shape": "percent"},
                {"code": "paid", "label": "Paid", "shape": "money"},
                {"code": "from", "label": "From", "shape": "date"},
                {"code": "to", "label": "To", "shape": "date"},
            ],
        }
    ],
    checks=[
        {"check": "adds_up_to_100", "table": "shares", "field": "percent"},
        {"check": "each_once", "table": "shares", "field": "party"},
        {"check": "not_after", "table": "shares", "field": "from", "other": "to"},
        {"check": "total_not_above", "table": "shares", "field": "paid", "other": "grant"},
        {"check": "needs", "field": "grant", "other": "call_off"},
        {"check": "adds_up_to_100", "table": "gone", "field": "percent"},
    ],
)


def content(shares: list[dict[str, Any]] = [], clauses: Any = "One", **about: Any) -> documents.Content:  # noqa: B006 - never changed
    """Return complete terms of a panel, with these shares, clauses and fields."""
    raw = {"about": {"call_off": "By rank.", "review_on": "2027-04-01", **about}, "shares": shares, "clauses": clauses}
    return documents.normalise(build_schema(PANEL), raw)


def problem_messages(terms: documents.Content, party_count: int | None = None) -> list[str]:
    """Return the messages of the problems that these terms have."""
    return [problem.message for problem in problems_of(PANEL, terms, party_count=party_count)]


HALVES = [{"party": "Larkhaven", "percent": "50"}, {"party": "Westmarch", "percent": "50.0 %"}]


def test_a_schema_has_the_general_fields_those_of_its_kind_and_its_tables() -> None:
    schema = build_schema(PANEL)

    assert [field.code for field in schema.about][:2] == ["purpose", "starts_on"]
    assert [field.code for field in schema.about][-2:] == ["call_off", "grant"]
    assert [table.code for table in schema.collections] == ["clauses", "shares", "contributions"]
    assert schema.about_by_code["call_off"].hint == "How work is given out. Needed before anyone can sign."


def test_declarations_mean_the_same_after_json_and_reordered_keys() -> None:
    stored = json.loads(json.dumps(PANEL, sort_keys=True))

    assert documents.normalise(build_schema(stored), content(HALVES)) == content(HALVES)
    assert [field.code for field in build_schema(stored).about] == [field.code for field in build_schema(PANEL).about]
    assert list(build_schema(stored).about_by_code["governing_law"].choices) == [
        "england_wales",
        "scotland",
        "northern_ireland",
    ]


def test_values_are_stored_in_one_spelling() -> None:
    terms = content(HALVES, annual_budget="£1,250,000", notice_days="90", quorum="")

    assert terms["about"]["annual_budget"] == "1250000.00"
    assert terms["about"]["notice_days"] == 90
    assert terms["about"]["quorum"] is None
    assert terms["shares"][1]["percent"] == "50"


def test_values_are_shown_in_words() -> None:
    terms = content(HALVES, annual_budget="£1,250,000", notice_days="90")
    schema = build_schema(PANEL)
    about = terms["about"]
    in_words = documents.Names(schema, terms).in_words

    assert in_words(schema.about_by_code["annual_budget"], about["annual_budget"]) == "£1,250,000"
    assert in_words(schema.about_by_code["notice_days"], 90) == "90 days"
    assert documents.item_in_words(schema.collection_by_code["shares"], terms["shares"][0]) == "Larkhaven (50%)"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("annual_budget", "a lot", "not an amount"),
        ("annual_budget", "1.234", "whole pence"),
        ("annual_budget", "-1", "between"),
        ("annual_budget", "NaN", "not an amount"),
        ("starts_on", "2027", "not a complete date"),
        ("notice_days", "soon", "whole number"),
        ("governing_law", "Narnia", "not one of"),
    ],
)
def test_invalid_values_are_refused_in_words(field: str, value: str, words: str) -> None:
    with pytest.raises(documents.InvalidContent, match=words):
        content(**{field: value})


def test_complete_terms_have_no_problems() -> None:
    assert problem_messages(content(HALVES)) == []


def test_missing_fields_rows_and_clauses_are_named() -> None:
    assert problem_messages(content([], clauses=[], call_off="", review_on="")) == [
        "Fill in “Review on”.",
        "Fill in “Call-off”.",
        "Add at least one clause to “Clauses”.",
        "Add at least one share to “Shares”.",
    ]


def test_each_declared_check_gives_a_sentence() -> None:
    shares = [
        {"party": "Larkhaven", "percent": "60", "paid": "80", "from": "2027-05-01", "to": "2027-04-01"},
        {"party": "larkhaven", "percent": "30", "paid": "30"},
    ]

    assert problem_messages(
        content(shares, grant="100", starts_on="2028-01-01", ends_on="2027-01-01", quorum=3), party_count=2
    ) == [
        "“Starts on” is after “Ends on”. Change one of the two dates.",
        "“Starts on” is after “Review on”. Change one of the two dates.",
        "“Quorum” is 3, but there are only 2 parties. Lower it, or invite more organisations.",
        "“Share” in “Shares” adds up to 90%. It must add up to 100%.",
        "“Party” in “Shares” has “Larkhaven” more than once. Remove the repeats.",
        "“From” is after “To” in the share “Larkhaven”. Change one of the two dates.",
        "“Paid” in “Shares” adds up to £110, which is more than “Grant”, £100. Lower these, or raise “Grant”.",
    ]


def test_a_field_that_another_needs_is_asked_for() -> None:
    assert "Fill in “Call-off”, or leave “Grant” empty." in problem_messages(content(HALVES, grant="5", call_off=""))


def test_thirds_add_up_to_100() -> None:
    thirds = [{"party": name, "percent": "33.33"} for name in ("Larkhaven", "Westmarch", "Riverside")]

    assert problem_messages(content(thirds)) == []
