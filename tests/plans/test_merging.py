"""Merging a newly published version into an open draft, field by field."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings

from partnerships.plans.content import COLLECTIONS, line_of, normalise, rebase
from tests.plans.strategies import lines_of_work

Content = dict[str, Any]
Work = tuple[Content, Content, Content]


def by_key(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {item["key"]: item for item in items}


def figures(site: dict[str, Any]) -> dict[Any, int]:
    return {line_of(line): line["count"] for line in site["homes"]}


@given(lines_of_work)
@settings(max_examples=200)
def test_changed_side_wins_for_each_field_and_line_of_homes(work: Work) -> None:
    was, draft, now = work

    merged = rebase(draft, was, now)

    assert normalise(merged) == merged
    for code, value in merged["about"].items():
        assert value == (now if draft["about"][code] == was["about"][code] else draft)["about"][code]
    for collection in COLLECTIONS:
        first, mine, theirs = (by_key(content[collection.code]) for content in (was, draft, now))
        for key, item in by_key(merged[collection.code]).items():
            if key not in first or key not in mine or key not in theirs:
                continue
            for code in (field.code for field in collection.fields):
                assert item[code] == (theirs if mine[key][code] == first[key][code] else mine)[key][code]
            if collection.one == "site":
                a, b, c, d = (figures(site) for site in (first[key], mine[key], theirs[key], item))
                for line in {*a, *b, *c, *d}:
                    assert d.get(line, 0) == (c if b.get(line, 0) == a.get(line, 0) else b).get(line, 0)


@given(lines_of_work)
@settings(max_examples=200)
def test_item_is_removed_only_if_the_other_side_did_not_change_it(work: Work) -> None:
    was, draft, now = work

    merged = rebase(draft, was, now)

    for collection in COLLECTIONS:
        first, mine, theirs = (by_key(content[collection.code]) for content in (was, draft, now))
        untouched_here = {key for key, item in mine.items() if item == first.get(key)}
        gone = (set(first) - set(mine)) | (untouched_here - set(theirs))
        assert set(by_key(merged[collection.code])) == (set(mine) | set(theirs)) - gone


@given(lines_of_work)
@settings(max_examples=200)
def test_unchanged_side_leaves_the_other_side_and_its_order_as_they_are(work: Work) -> None:
    was, draft, now = work

    assert rebase(was, was, now) == now
    assert rebase(draft, was, was) == draft


@given(lines_of_work)
@settings(max_examples=200)
def test_new_order_is_kept_whichever_side_made_it(work: Work) -> None:
    was, draft, now = work

    merged = rebase(draft, was, now)

    for collection in COLLECTIONS:
        first, mine, theirs, both = (
            [item["key"] for item in content[collection.code]] for content in (was, draft, now, merged)
        )
        moved_here = [key for key in mine if key in first] != [key for key in first if key in mine]
        leading = mine if moved_here else theirs
        assert [key for key in both if key in leading] == [key for key in leading if key in both]
