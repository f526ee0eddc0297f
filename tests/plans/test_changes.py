"""What changed between two contents: complete, exact, in words and figures."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings

from partnerships.plans.changes import apply, changes, homes_difference, homes_totals, summary
from partnerships.plans.content import normalise, outside, total_homes
from tests.plans.strategies import contents, pairs

Content = dict[str, Any]


def a_plan(**parts: Any) -> Content:
    """A small delivery programme, with parts replaced."""
    raw: dict[str, Any] = {
        "sections": [
            {"title": "Vision", "body": "Build what is needed."},
            {"title": "Delivery", "body": "Two phases."},
        ],
        "sites": [
            {
                "name": "North Quay",
                "planning_authority": "Westmarch Borough Council",
                "forecast_completion": "2027-06",
                "homes": [{"tenure": "Social Rent", "count": 120}],
            }
        ],
        "milestones": [{"name": "Start on site", "forecast": "2027-04-11"}],
    }
    return normalise(raw | parts)


@given(pairs())
@settings(max_examples=120, deadline=None)
def test_applying_the_changes_to_the_first_gives_the_second(pair: tuple[Content, Content]) -> None:
    a, b = pair
    before = copy.deepcopy(a)

    result = apply(changes(a, b), a)

    assert result == b
    assert a == before


@given(contents)
@settings(max_examples=40, deadline=None)
def test_nothing_is_reported_for_equal_contents(content: Content) -> None:
    again = normalise(json.loads(json.dumps(content)))

    assert changes(content, again) == ()
    assert summary(()) == "Nothing changed."


@given(pairs())
@settings(max_examples=120, deadline=None)
def test_different_contents_never_give_an_empty_comparison_and_every_change_can_be_said(
    pair: tuple[Content, Content],
) -> None:
    a, b = pair

    found = changes(a, b)

    assert bool(found) == (a != b)
    assert all(change.sentence() and change.field_label and change.what_label for change in found)
    assert summary(found)


@given(pairs())
@settings(max_examples=60, deadline=None)
def test_the_figures_agree_with_the_changes(pair: tuple[Content, Content]) -> None:
    a, b = pair

    totals = homes_totals(a, b)

    assert (totals.total.was, totals.total.now) == (total_homes(a), total_homes(b))
    assert totals.total.difference == homes_difference(changes(a, b))
    for _heading, rows in totals.tables:
        assert sum(row.now for row in rows) == totals.total.now
        assert sum(row.was for row in rows) == totals.total.was


@given(pairs())
@settings(max_examples=60, deadline=None)
def test_outsiders_changes_hold_nothing_confidential(pair: tuple[Content, Content]) -> None:
    a, b = pair
    hidden = {site["key"] for site in b["sites"] if site["confidential"]}

    found = changes(outside(a), outside(b))

    assert not [
        change
        for change in found
        if change.what in ("site", "homes") and change.kind != "removed" and change.key in hidden
    ]
    assert not [change for change in found if change.field == "notes"]
    assert outside(outside(b)) == outside(b)


def test_fewer_homes_are_said_with_was_now_and_the_difference() -> None:
    now = a_plan()
    now["sites"][0]["homes"][0]["count"] = 100

    (change,) = changes(a_plan(), now)

    assert change.sentence() == "Homes, Social Rent at North Quay: was 120, now 100 (20 fewer)"
    assert (change.what, change.kind, change.was, change.now, change.difference) == ("homes", "changed", 120, 100, -20)
    assert change.anchor == "sites/north-quay"


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        ("2027-04-11", "2027-04-25", "was 11 April 2027, now 25 April 2027 (14 days later)"),
        ("2027-04-11", "2027-04-10", "was 11 April 2027, now 10 April 2027 (1 day earlier)"),
        ("2027-04", "2027-10", "was April 2027, now October 2027 (2 quarters later)"),
        ("2027-04", "2027-08", "was April 2027, now August 2027 (4 months later)"),
        ("2027-04", "2029-04", "was April 2027, now April 2029 (2 years later)"),
        ("2027-04-11", "2027-06", "was 11 April 2027, now June 2027 (2 months later)"),
        ("2027", "2028-01", "was 2027, now January 2028 (1 year later)"),
        ("2027-04", "2027-04-11", "was April 2027, now 11 April 2027"),
        ("2027-04", "", "was April 2027, now not given"),
    ],
)
def test_a_moved_milestone_says_how_far_as_precisely_as_both_dates_allow(was: str, now: str, words: str) -> None:
    a = a_plan(milestones=[{"name": "Start on site", "forecast": was}])
    b = a_plan(milestones=[{"name": "Start on site", "forecast": now}])

    (change,) = changes(a, b)

    assert change.sentence() == f"Milestone Start on site, forecast: {words}"


def test_moving_one_section_of_many_is_one_change() -> None:
    titles = ["One", "Two", "Three", "Four", "Five"]
    a = a_plan(sections=[{"title": title} for title in titles])
    b = a_plan(sections=[{"title": title} for title in ["Five", *titles[:4]]])

    (change,) = changes(a, b)

    assert change.sentence() == "Section Five: moved from place 5 to place 1"


def test_a_removed_site_is_shown_with_its_homes() -> None:
    (change,) = changes(a_plan(), a_plan(sites=[]))

    assert change.sentence() == "Site removed: North Quay (120 homes)"
    assert change.was["forecast_completion"] == "2027-06"


def test_the_summary_is_one_paragraph_in_words_and_figures() -> None:
    b = a_plan(
        sections=[{"title": "Vision", "body": "Build what people need."}],
        milestones=[{"name": "Start on site", "forecast": "2027-04-25"}],
    )
    b["sites"][0]["homes"][0]["count"] = 100

    text = summary(changes(a_plan(), b))

    assert text == (
        "4 changes. 20 fewer homes in all. 1 section removed: Delivery. "
        "1 date later: Start on site 14 days later. Text changed in Vision."
    )
