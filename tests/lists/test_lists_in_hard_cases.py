"""Lists work when they are long, or have empty cells or no rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from django.http import QueryDict
from django.urls import reverse

from partnerships.commitments.models import Commitment
from partnerships.kit import lists
from partnerships.kit.lists import find_list
from partnerships.lists.reading import read
from tests.lists.conftest import promises
from tests.plans.drafts import published_plan
from tests.support.signing_in import signed_in
from tests.world import World


class LongList(NamedTuple):
    """The commitments of a list of three rows. Most columns sort only the newest two."""

    oldest: Commitment
    newest: list[Commitment]


@pytest.fixture
def long_list(world: World, monkeypatch: pytest.MonkeyPatch) -> LongList:
    """Propose three commitments, and let the list sort two."""
    oldest, *newest = promises(world)
    definition = find_list("commitments")
    assert definition is not None
    monkeypatch.setitem(lists._definitions, "commitments", replace(definition, max_sorted=2))
    return LongList(oldest, newest)


def test_a_long_list_sorts_all_rows_by_its_default_column(world: World, long_list: LongList) -> None:
    list_page = signed_in(world.ben).get(reverse("commitments:list"), {"sort": "-due"})

    assert long_list.oldest in list_page.context["page"].rows
    assert "only the newest 2" not in list_page.content.decode()


def test_a_long_list_sorts_its_newest_rows_by_other_columns(world: World, long_list: LongList) -> None:
    list_page = signed_in(world.ben).get(reverse("commitments:list"), {"sort": "text"})

    assert set(list_page.context["page"].rows) == set(long_list.newest)
    assert "only the newest 2" in list_page.content.decode()


def test_a_long_list_lists_all_rows_but_counts_its_newest(world: World, long_list: LongList) -> None:
    list_page = signed_in(world.ben).get(reverse("commitments:list"), {"group": "kind"})

    assert [group.count for group in list_page.context["groups"]] == [2]
    assert "only the newest 2" in list_page.content.decode()
    assert long_list.oldest in list_page.context["page"].rows


def test_a_file_of_a_long_list_has_all_rows(world: World, long_list: LongList) -> None:
    response: Any = signed_in(world.ben).get(reverse("lists:export", args=["commitments", "csv"]), {"sort": "text"})

    assert long_list.oldest.text in response.getvalue().decode()


@pytest.mark.parametrize("direction", ["", "-"])
@pytest.mark.parametrize(
    ("list_slug", "column"), [("commitments", "unit"), ("milestones", "baseline"), ("sites", "reference")]
)
def test_empty_cells_come_last_in_either_direction(world: World, list_slug: str, column: str, direction: str) -> None:
    promises(world)
    published_plan(world)
    definition = find_list(list_slug)
    assert definition is not None

    listing = read(definition, world.amina, QueryDict(f"sort={direction}{column}"))

    *_, last_row = listing.sortable().order_by(*listing.sorting)
    assert getattr(last_row, column) == ""


def test_an_organisation_that_is_not_found_can_be_asked_for_by_the_typed_name(world: World) -> None:
    page = signed_in(world.ben).get(reverse("organisations:list"), {"q": "Zzyzx Homes"}, headers={"HX-Request": "true"})

    page_text = page.content.decode()
    assert f'{reverse("organisations:ask")}?name=Zzyzx%20Homes"' in page_text
    assert "Try a shorter name, an earlier name" in page_text
    assert "<html" not in page_text
