"""A newly published version is merged into an open draft, field by field."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings

from partnerships.documents.schema import Collection
from partnerships.plans.content import COLLECTIONS, line_of, normalise, rebase
from tests.plans.strategies import chains_of_contents

Content = dict[str, Any]
Item = dict[str, Any]
Work = tuple[Content, Content, Content]


def content_with_site(**fields: Any) -> Content:
    """Return a content with one site, "Quay", which has these fields."""
    return normalise({"sites": [{"key": "quay", "name": "Quay", **fields}]})


def test_change_of_the_draft_is_kept() -> None:
    base = content_with_site(notes="")
    draft = content_with_site(notes="Wet ground.")

    merged = rebase(draft, base, base)

    assert merged["sites"][0]["notes"] == "Wet ground."


def test_change_of_the_new_version_is_taken_over() -> None:
    base = content_with_site(notes="")
    new_version = content_with_site(notes="Dry ground.")

    merged = rebase(base, base, new_version)

    assert merged["sites"][0]["notes"] == "Dry ground."


def test_changes_of_two_fields_of_a_site_are_both_kept() -> None:
    base = content_with_site(notes="", address="")
    draft = content_with_site(notes="Wet ground.", address="")
    new_version = content_with_site(notes="", address="Quay Street")

    merged = rebase(draft, base, new_version)

    assert merged["sites"][0]["notes"] == "Wet ground."
    assert merged["sites"][0]["address"] == "Quay Street"


def test_draft_wins_when_both_changed_a_field() -> None:
    base = content_with_site(notes="")
    draft = content_with_site(notes="Wet ground.")
    new_version = content_with_site(notes="Dry ground.")

    merged = rebase(draft, base, new_version)

    assert merged["sites"][0]["notes"] == "Wet ground."


def test_site_that_the_new_version_removed_is_removed_from_the_draft() -> None:
    base = content_with_site(notes="")
    new_version = normalise({})

    merged = rebase(base, base, new_version)

    assert merged["sites"] == []


def test_site_that_the_new_version_removed_stays_if_the_draft_changed_it() -> None:
    base = content_with_site(notes="")
    draft = content_with_site(notes="Wet ground.")
    new_version = normalise({})

    merged = rebase(draft, base, new_version)

    assert merged["sites"][0]["notes"] == "Wet ground."


# ---- The same for any contents


def by_key(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the items of a collection by key."""
    return {item["key"]: item for item in items}


def counts_by_line(site: dict[str, Any]) -> dict[Any, int]:
    """Return the numbers of homes of a site by combination, such as two-bedroom homes for social rent."""
    return {line_of(line): line["count"] for line in site["homes"]}


def expected_value(old: Any, draft: Any, new: Any) -> Any:
    """Return the value that a merge should have.

    If the draft changed the value, this is the value of the draft. If not, it is the value of the new version.
    """
    return new if draft == old else draft


@given(chains_of_contents)
@settings(max_examples=200)
def test_merge_keeps_the_changes_of_both_for_each_field_and_line_of_homes(work: Work) -> None:
    old_base, draft, new_base = work

    merged = rebase(draft, old_base, new_base)

    assert normalise(merged) == merged
    for code, value in merged["about"].items():
        assert value == expected_value(old_base["about"][code], draft["about"][code], new_base["about"][code])
    for collection in COLLECTIONS:
        old_items, draft_items, new_items, merged_items = (
            by_key(content[collection.code]) for content in (old_base, draft, new_base, merged)
        )
        for key in merged_items.keys() & old_items.keys() & draft_items.keys() & new_items.keys():
            items = (old_items[key], draft_items[key], new_items[key], merged_items[key])
            check_fields_are_merged(collection, *items)
            if collection.singular == "site":
                check_homes_are_merged(*items)


def check_fields_are_merged(collection: Collection, old: Item, draft: Item, new: Item, merged: Item) -> None:
    """Check that each field of an item has the expected value."""
    for field in collection.fields:
        code = field.code
        assert merged[code] == expected_value(old[code], draft[code], new[code])


def check_homes_are_merged(old: Item, draft: Item, new: Item, merged: Item) -> None:
    """Check that each line of homes of a site has the expected number. A missing line has the number 0."""
    old_counts, draft_counts, new_counts, merged_counts = (counts_by_line(site) for site in (old, draft, new, merged))
    for line in {*old_counts, *draft_counts, *new_counts, *merged_counts}:
        expected_count = expected_value(old_counts.get(line, 0), draft_counts.get(line, 0), new_counts.get(line, 0))
        assert merged_counts.get(line, 0) == expected_count


@given(chains_of_contents)
@settings(max_examples=200)
def test_item_that_the_draft_changed_remains_if_the_new_version_removes_it(work: Work) -> None:
    old_base, draft, new_base = work

    merged = rebase(draft, old_base, new_base)

    for collection in COLLECTIONS:
        old_items, draft_items, new_items = (
            by_key(content[collection.code]) for content in (old_base, draft, new_base)
        )
        keys_unchanged_in_draft = {key for key, item in draft_items.items() if item == old_items.get(key)}
        removed_keys = (set(old_items) - set(draft_items)) | (keys_unchanged_in_draft - set(new_items))
        assert set(by_key(merged[collection.code])) == (set(draft_items) | set(new_items)) - removed_keys


@given(chains_of_contents)
@settings(max_examples=200)
def test_unchanged_draft_becomes_the_new_version(work: Work) -> None:
    old_base, _draft, new_base = work

    merged = rebase(old_base, old_base, new_base)

    assert merged == new_base


@given(chains_of_contents)
@settings(max_examples=200)
def test_draft_is_not_changed_by_an_equal_version(work: Work) -> None:
    old_base, draft, _new_base = work

    merged = rebase(draft, old_base, old_base)

    assert merged == draft


@given(chains_of_contents)
@settings(max_examples=200)
def test_new_order_is_kept_from_the_draft_or_the_new_version(work: Work) -> None:
    old_base, draft, new_base = work

    merged = rebase(draft, old_base, new_base)

    for collection in COLLECTIONS:
        old_keys, draft_keys, new_keys, merged_keys = (
            [item["key"] for item in content[collection.code]] for content in (old_base, draft, new_base, merged)
        )
        has_moved_in_draft = [key for key in draft_keys if key in old_keys] != [
            key for key in old_keys if key in draft_keys
        ]
        keys_in_new_order = draft_keys if has_moved_in_draft else new_keys
        assert [key for key in merged_keys if key in keys_in_new_order] == [
            key for key in keys_in_new_order if key in merged_keys
        ]
