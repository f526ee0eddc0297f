"""Changes between two contents are complete, exact and worded clearly."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings

from partnerships.plans.changes import Change, apply_changes, changes_between, homes_difference, homes_totals, summary
from partnerships.plans.comparisons import ChangeRow, Comparison, compare_plan_contents, csv_rows
from partnerships.plans.content import (
    ABOUT,
    COLLECTIONS,
    Collection,
    Field,
    content_for_outside,
    normalise,
    total_homes,
)
from tests.plans.strategies import CHOICES, FEW, chains_of_contents, contents, pairs

Content = dict[str, Any]


def a_plan(**parts: Any) -> Content:
    """Return the content of a small delivery programme, with some parts replaced."""
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


@given(contents)
@settings(max_examples=40)
def test_equal_contents_have_no_changes(content: Content) -> None:
    copied_content = normalise(json.loads(json.dumps(content)))

    assert changes_between(content, copied_content) == ()


def test_summary_of_no_changes_says_that_nothing_changed() -> None:
    assert summary(()) == "Nothing changed."


@given(pairs())
@settings(max_examples=120)
def test_changes_of_any_two_contents_turn_one_into_the_other(pair: tuple[Content, Content]) -> None:
    before, after = pair
    copy_of_before = copy.deepcopy(before)

    changes = changes_between(before, after)

    assert apply_changes(changes, before) == after
    assert before == copy_of_before
    assert bool(changes) == (before != after)


@given(pairs())
@settings(max_examples=120)
def test_every_change_of_any_two_contents_has_words_for_its_readers(pair: tuple[Content, Content]) -> None:
    changes = changes_between(*pair)

    assert all(change.sentence() and change.field_label and change.what_label for change in changes)
    assert summary(changes)


@given(pairs())
@settings(max_examples=120)
def test_totals_of_homes_agree_with_any_two_contents(pair: tuple[Content, Content]) -> None:
    before, after = pair

    totals = homes_totals(before, after)

    assert totals.total.was == total_homes(before)
    assert totals.total.now == total_homes(after)
    assert totals.total.difference == homes_difference(changes_between(before, after))
    for _heading, rows in totals.tables:
        assert sum(row.now for row in rows) == totals.total.now
        assert sum(row.was for row in rows) == totals.total.was


@given(pairs())
@settings(max_examples=120)
def test_changes_for_readers_outside_leave_out_confidential_sites(pair: tuple[Content, Content]) -> None:
    before, after = pair
    hidden_keys = {site["key"] for site in after["sites"] if site["confidential"]}

    changes = changes_between(content_for_outside(before), content_for_outside(after))

    # A site that became confidential is shown as removed, with what it had before.
    revealing_changes = [
        change
        for change in changes
        if change.what in ("site", "homes") and change.kind != "removed" and change.key in hidden_keys
    ]
    assert revealing_changes == []
    assert [change for change in changes if change.field == "notes"] == []
    assert content_for_outside(content_for_outside(after)) == content_for_outside(after)


def test_fewer_homes_show_old_number_new_number_and_difference() -> None:
    changed_content = a_plan()
    changed_content["sites"][0]["homes"][0]["count"] = 100

    (change,) = changes_between(a_plan(), changed_content)

    assert change.sentence() == "Homes, Social Rent at North Quay: was 120, now 100 (20 fewer)"
    assert change.was == 120
    assert change.now == 100
    assert change.difference == -20
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
def test_moved_milestone_says_by_how_much_as_precisely_as_both_dates_allow(was: str, now: str, words: str) -> None:
    before = a_plan(milestones=[{"name": "Start on site", "forecast": was}])
    after = a_plan(milestones=[{"name": "Start on site", "forecast": now}])

    (change,) = changes_between(before, after)

    assert change.sentence() == f"Milestone Start on site, forecast: {words}"


def test_moving_one_of_many_sections_is_one_change() -> None:
    titles = ["One", "Two", "Three", "Four", "Five"]
    before = a_plan(sections=[{"title": title} for title in titles])
    after = a_plan(sections=[{"title": title} for title in ["Five", *titles[:4]]])

    (change,) = changes_between(before, after)

    assert change.sentence() == "Section Five: moved from place 5 to place 1"


def test_removed_site_is_shown_with_its_homes() -> None:
    (change,) = changes_between(a_plan(), a_plan(sites=[]))

    assert change.sentence() == "Site removed: North Quay (120 homes)"
    assert change.was["forecast_completion"] == "2027-06"


def content_with_homes(count_by_year: dict[str, int]) -> Content:
    """Return a content with one site, which has these numbers of homes for Social Rent by year."""
    homes = [{"tenure": "Social Rent", "year": year, "count": count} for year, count in count_by_year.items()]
    return a_plan(sites=[{"name": "North Quay", "homes": homes}])


@pytest.mark.parametrize(
    ("was", "now", "sentences"),
    [
        (
            {"2027-28": 120},
            {"2027-28": 100, "2028-29": 20},
            ["Homes, Social Rent at North Quay: 20 moved from 2027-28 to 2028-29"],
        ),
        (
            {"2027-28": 1200},
            {"2028-29": 1150},
            [
                "Homes, Social Rent at North Quay: 1,150 moved from 2027-28 to 2028-29",
                "Homes, Social Rent, 2027-28 at North Quay: was 1,200, now 0 (50 fewer, besides 1,150 moved)",
            ],
        ),
        (
            {"2027-28": 10, "2028-29": 5},
            {"2028-29": 18},
            [
                "Homes, Social Rent at North Quay: 10 moved from 2027-28 to 2028-29",
                "Homes, Social Rent, 2028-29 at North Quay: was 5, now 18 (3 more, besides 10 moved)",
            ],
        ),
        ({"": 7}, {"2028-29": 7}, ["Homes, Social Rent at North Quay: 7 moved from no year to 2028-29"]),
    ],
)
def test_homes_of_another_year_read_as_moved(was: dict[str, int], now: dict[str, int], sentences: list[str]) -> None:
    before, after = content_with_homes(was), content_with_homes(now)

    changes = changes_between(before, after)

    assert [change.sentence() for change in changes] == sentences
    assert homes_difference(changes) == sum(now.values()) - sum(was.values())
    assert " moved from " in summary(changes)
    assert all(change.is_substantive for change in changes)
    assert apply_changes(changes, before) == after


def test_summary_is_one_paragraph_of_words_and_figures() -> None:
    after = a_plan(
        sections=[{"title": "Vision", "body": "Build what people need."}],
        milestones=[{"name": "Start on site", "forecast": "2027-04-25"}],
    )
    after["sites"][0]["homes"][0]["count"] = 100

    text = summary(changes_between(a_plan(), after))

    assert text == (
        "4 changes. 20 fewer homes in all. 1 section removed: Delivery. "
        "1 date later: Start on site 14 days later. Text changed: Vision."
    )


# ---- Every kind of piece and every field


def content_with_field(collection: Collection | None, field: Field, value: Any) -> Content:
    """Return a content in which one field has this value, in `about` or in the item "item-0" of a collection."""
    sites = [{"key": "item-0", "name": "Site 0"}, {"key": "item-1", "name": "Site 1"}]
    if collection is None:
        return normalise({"sites": sites, "about": {field.code: value}})
    item = {"key": "item-0", collection.title_field: "Name", field.code: value}
    if collection.code == "sites":
        return normalise({"sites": [item, sites[1]]})
    return normalise({"sites": sites, collection.code: [item]})


def two_values_of(field: Field) -> tuple[Any, Any]:
    """Return two different values that the field can have."""
    values = tuple(CHOICES[field.code]) if field.shape == "choice" else FEW[field.shape]
    return values[-2], values[-1]


def shows_difference(row: ChangeRow) -> bool:
    """Return whether a row of a comparison shows a visible difference."""
    if row.fragments:
        return any(fragment.kind in ("delete", "insert") for fragment in row.fragments) and bool(row.difference)
    return (row.was or row.nothing_before) != (row.now or row.nothing_now)


def change_rows(compared: Comparison) -> list[ChangeRow]:
    """Return all rows of a comparison, of all its parts."""
    return [row for _heading, items in compared.parts for item in items for row in item.rows]


EVERY_FIELD = [(None, field) for field in ABOUT] + [
    (collection, field) for collection in COLLECTIONS for field in collection.fields
]


@pytest.mark.parametrize(
    ("collection", "field"),
    EVERY_FIELD,
    ids=[f"{collection.code if collection else 'about'}-{field.code}" for collection, field in EVERY_FIELD],
)
def test_changing_one_field_gives_one_row_with_both_values(collection: Collection | None, field: Field) -> None:
    old_value, new_value = two_values_of(field)
    before = content_with_field(collection, field, old_value)
    after = content_with_field(collection, field, new_value)

    compared = compare_plan_contents(before, after, areas={"E07000228": "Mid Sussex", "E08000016": "Barnsley"})

    (change,) = compared.changes
    (row,) = change_rows(compared)
    assert change.field == field.code
    assert apply_changes(compared.changes, before) == after
    assert change.was_words != change.now_words
    assert shows_difference(row)
    assert "item-" not in f"{row.was} {row.now} {change.sentence()}"


@given(chains_of_contents)
@settings(max_examples=60)
def test_every_difference_is_visible_on_the_page_and_in_the_spreadsheet(
    chain: tuple[Content, Content, Content],
) -> None:
    original, first_copy, second_copy = chain

    assert_every_difference_is_visible(original, first_copy)
    assert_every_difference_is_visible(first_copy, second_copy)
    assert_every_difference_is_visible(second_copy, original)
    assert_every_difference_is_visible(content_for_outside(original), content_for_outside(first_copy))


#: The place of the column "Change" in a row of the spreadsheet. It is empty in rows that are not changes.
CHANGE_COLUMN = 3


def assert_every_difference_is_visible(before: Content, after: Content) -> None:
    """Assert that page and spreadsheet show one row with a visible difference for each change."""
    compared = compare_plan_contents(before, after)

    rows = change_rows(compared)
    rows_of_changes = [row for row in csv_rows(compared, was="1", now="2") if row[CHANGE_COLUMN]]
    assert compared.is_empty == (before == after)
    assert apply_changes(compared.changes, before) == after
    assert len(rows) == len(compared.changes)
    assert [row for row in rows if not shows_difference(row)] == []
    assert len(rows_of_changes) == 1 + len(rows)  # the row of headings too


@given(chains_of_contents)
@settings(max_examples=30)
def test_changes_can_be_reversed(chain: tuple[Content, Content, Content]) -> None:
    before, after, _ = chain

    changes_forwards = changes_between(before, after)
    changes_backwards = changes_between(after, before)

    assert apply_changes(changes_backwards, apply_changes(changes_forwards, before)) == before
    assert homes_difference(changes_forwards) == -homes_difference(changes_backwards)


def test_changed_spaces_and_line_breaks_are_shown() -> None:
    before = a_plan(sections=[{"title": "Vision", "body": "One. Two."}])
    after = a_plan(sections=[{"title": "Vision", "body": "One.\n\nTwo."}])

    (row,) = change_rows(compare_plan_contents(before, after))

    assert row.difference == "spaces and lines"


def with_sections(*titles: str) -> Content:
    """Return a content with sections of these titles, whose keys are the titles in lower case."""
    return a_plan(sections=[{"key": title.lower(), "title": title} for title in titles])


def test_moved_item_is_shown_with_its_places_when_an_item_before_it_was_removed() -> None:
    before = with_sections("Gone", "Aims", "Need", "Sites")
    after = with_sections("Need", "Aims", "Sites")

    changes = changes_between(before, after)

    assert [change.sentence() for change in changes] == [
        "Section Need: moved from place 3 to place 1",
        "Section removed: Gone",
    ]


def test_moved_item_names_its_neighbours_when_its_place_has_the_same_number() -> None:
    before = with_sections("Aims", "Need", "Gone", "Sites")
    after = with_sections("New", "Need", "Aims", "Sites")

    sentences = [change.sentence() for change in changes_between(before, after)]

    assert "Section Need: moved from place 2, after Aims to place 2, before Aims" in sentences


# ---- Names instead of keys and codes


def only_change(before: Content, after: Content, areas: dict[str, str] | None = None) -> Change:
    """Return the only change between two contents. `areas` has the name of each area by its code."""
    (change,) = changes_between(before, after, areas or {})
    return change


def content_with_milestone_at(site: str) -> Content:
    """Return a content with a milestone at one of two sites whose keys are not their names."""
    sites = [{"key": "a3f9", "name": "North Quay"}, {"key": "b1c2", "name": "Island"}]
    return normalise({"sites": sites, "milestones": [{"key": "start", "name": "Start", "site": site}]})


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        ("a3f9", "b1c2", "was North Quay, now Island"),
        ("", "b1c2", "was the whole plan, now Island"),
        ("a3f9", "", "was North Quay, now the whole plan"),
        ("a3f9", "gone", "was North Quay, now a site that is not in the plan"),
    ],
)
def test_milestone_moved_to_another_site_names_both_sites(was: str, now: str, words: str) -> None:
    change = only_change(content_with_milestone_at(was), content_with_milestone_at(now))

    assert change.sentence() == f"Milestone Start, site: {words}"


def content_with_site_in(area_code: str) -> Content:
    """Return a content with one site in this area."""
    return normalise({"sites": [{"key": "quay", "name": "Quay", "area": area_code}]})


def test_site_moved_to_another_area_names_both_areas() -> None:
    areas = {"E07000087": "Fareham", "E07000088": "Gosport"}

    change = only_change(content_with_site_in("E07000087"), content_with_site_in("E07000088"), areas)

    assert change.sentence() == "Site Quay, area: was Fareham, now Gosport"


def test_old_district_and_its_successor_with_the_same_name_are_told_apart() -> None:
    areas = {"E07000087": "Fareham", "E07000088": "Fareham"}

    change = only_change(content_with_site_in("E07000087"), content_with_site_in("E07000088"), areas)

    assert change.was_words == "Fareham"
    assert change.now_words == "Fareham (another of that name)"


HANDOVER = {
    "name": "Handover",
    "site": "north-quay",
    "forecast": "2028-05",
    "status": "at_risk",
    "note": "Wet ground.",
}
HANDOVER_IN_FULL = "Handover (forecast May 2028); site: North Quay; forecast: May 2028; status: At risk.\nWet ground."


def test_added_item_is_shown_in_full() -> None:
    before = a_plan()
    after = a_plan(milestones=[*before["milestones"], HANDOVER])

    (row,) = change_rows(compare_plan_contents(before, after))

    assert row.now == HANDOVER_IN_FULL


def test_removed_item_is_shown_in_full() -> None:
    before = a_plan(milestones=[HANDOVER])
    after = a_plan(milestones=[])

    (row,) = change_rows(compare_plan_contents(before, after))

    assert row.was == HANDOVER_IN_FULL


def test_cleared_value_is_shown_as_cleared() -> None:
    before = normalise({"sites": [{"key": "quay", "name": "Quay", "landowner": "The council"}]})
    after = normalise({"sites": [{"key": "quay", "name": "Quay"}]})

    compared = compare_plan_contents(before, after)

    assert change_rows(compared)[0].nothing_now == "No longer given"
    assert compared.changes[0].sentence() == "Site Quay, landowner: was The council, now not given"
