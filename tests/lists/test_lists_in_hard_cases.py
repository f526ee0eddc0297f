"""Lists that are long, or have empty cells or no rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.http import QueryDict
from django.urls import reverse

from partnerships.kit import lists
from partnerships.kit.lists import find_list
from partnerships.lists.reading import read
from tests.lists.conftest import promises
from tests.plans.drafts import published
from tests.support.signing_in import signed_in
from tests.world import World


def test_a_list_too_long_to_sort_sorts_and_counts_its_newest_rows(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, *newest = promises(world)
    definition = find_list("commitments")
    assert definition is not None
    monkeypatch.setitem(lists._definitions, "commitments", replace(definition, max_sorted=2))
    ben, address = signed_in(world.ben), reverse("commitments:list")

    own, by_text, counted = (
        ben.get(address, {name: value})
        for name, value in (
            ("sort", "-due"),
            ("sort", "text"),
            ("group", "kind"),
        )
    )
    file = ben.get(reverse("lists:export", args=["commitments", "csv"]), {"sort": "text"}).getvalue().decode()

    assert old in own.context["page"].rows
    assert old in counted.context["page"].rows
    assert set(by_text.context["page"].rows) == set(newest)
    assert [group.count for group in counted.context["groups"]] == [2]
    assert ["only the newest 2" in page.content.decode() for page in (own, by_text, counted)] == [False, True, True]
    assert old.text in file


@pytest.mark.parametrize("direction", ["", "-"])
def test_empty_cells_come_last_in_either_direction(world: World, direction: str) -> None:
    promises(world)
    published(world)

    def last(slug: str, column: str) -> Any:
        definition = find_list(slug)
        assert definition is not None
        listing = read(definition, world.amina, QueryDict(f"sort={direction}{column}"))
        return list(listing.sortable().order_by(*listing.sorting))[-1]

    assert last("commitments", "unit").unit == ""
    assert last("milestones", "baseline").baseline == ""
    assert last("sites", "reference").reference == ""


def test_an_organisation_that_is_not_found_can_be_asked_for_by_the_typed_name(world: World) -> None:
    page = signed_in(world.ben).get(reverse("organisations:list"), {"q": "Zzyzx Homes"}, headers={"HX-Request": "true"})

    words = page.content.decode()
    assert f'{reverse("organisations:ask")}?name=Zzyzx%20Homes"' in words
    assert "Try a shorter name, an earlier name" in words
    assert "<html" not in words
