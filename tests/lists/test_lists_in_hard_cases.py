"""Lists work when they are long, or have empty cells or no rows."""

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
from tests.plans.drafts import published_plan
from tests.support.signing_in import signed_in
from tests.world import World


def test_a_list_too_long_to_sort_sorts_and_counts_its_newest_rows(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    oldest, *newest = promises(world)
    definition = find_list("commitments")
    assert definition is not None
    monkeypatch.setitem(lists._definitions, "commitments", replace(definition, max_sorted=2))
    ben = signed_in(world.ben)
    address = reverse("commitments:list")

    page_by_due_date, page_by_text, page_with_counts = (
        ben.get(address, {name: value})
        for name, value in (
            ("sort", "-due"),
            ("sort", "text"),
            ("group", "kind"),
        )
    )
    file = ben.get(reverse("lists:export", args=["commitments", "csv"]), {"sort": "text"}).getvalue().decode()

    assert oldest in page_by_due_date.context["page"].rows
    assert oldest in page_with_counts.context["page"].rows
    assert set(page_by_text.context["page"].rows) == set(newest)
    assert [group.count for group in page_with_counts.context["groups"]] == [2]
    assert [
        "only the newest 2" in page.content.decode() for page in (page_by_due_date, page_by_text, page_with_counts)
    ] == [False, True, True]
    assert oldest.text in file


@pytest.mark.parametrize("direction", ["", "-"])
def test_empty_cells_come_last_in_either_direction(world: World, direction: str) -> None:
    promises(world)
    published_plan(world)

    def last_row(slug: str, column: str) -> Any:
        definition = find_list(slug)
        assert definition is not None
        listing = read(definition, world.amina, QueryDict(f"sort={direction}{column}"))
        return list(listing.sortable().order_by(*listing.sorting))[-1]

    assert last_row("commitments", "unit").unit == ""
    assert last_row("milestones", "baseline").baseline == ""
    assert last_row("sites", "reference").reference == ""


def test_an_organisation_that_is_not_found_can_be_asked_for_by_the_typed_name(world: World) -> None:
    page = signed_in(world.ben).get(reverse("organisations:list"), {"q": "Zzyzx Homes"}, headers={"HX-Request": "true"})

    page_text = page.content.decode()
    assert f'{reverse("organisations:ask")}?name=Zzyzx%20Homes"' in page_text
    assert "Try a shorter name, an earlier name" in page_text
    assert "<html" not in page_text
