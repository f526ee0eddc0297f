"""Filters by many records suggest them, and work without JavaScript."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from tests.support.signing_in import signed_in
from tests.world import World


@pytest.fixture(autouse=True)
def _long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every filter by a record suggest names, as if it had more than 100."""
    monkeypatch.setattr("partnerships.kit.record_fields.MAX_LISTED", 0)


@pytest.mark.parametrize(
    ("name", "args"),
    [("commitments:list", ()), ("plans:list", ()), ("reports:report", ("contact",)), ("agreements:document-list", ())],
)
def test_a_long_filter_suggests_only_records_that_the_reader_can_see(
    world: World, name: str, args: tuple[Any, ...]
) -> None:
    address = reverse(name, args=args)
    parameters = {"suggest": "partnership", "words": "ary part"}

    choices_by_reader = {
        reader: signed_in(getattr(world, reader)).get(address, parameters).json()["choices"]
        for reader in ("ben", "chidi")
    }

    assert choices_by_reader["ben"] == [[world.partnership.pk, "Estuary Partnership"]]
    assert choices_by_reader["chidi"] == []


def test_suggestions_find_any_part_of_a_name(world: World) -> None:
    address = reverse("organisations:list")

    def suggested_names(words: str) -> list[str]:
        response = signed_in(world.chidi).get(address, {"suggest": "area", "words": words})
        return [name for _, name in response.json()["choices"]]

    assert suggested_names("Gos") == ["Gosport"]
    assert suggested_names("PORT") == ["Gosport"]
    assert suggested_names("") == []
    assert signed_in(world.chidi).get(address, {"suggest": "q", "words": "x"}).status_code == 404


def test_without_javascript_a_long_filter_offers_what_has_the_words(world: World) -> None:
    ben = signed_in(world.ben)
    address = reverse("commitments:list")
    option = f'<option value="{world.partnership.pk}"'

    def page(**query: Any) -> str:
        return ben.get(address, {"view": "", **query}).content.decode()

    assert option not in page()
    assert 'name="partnership-find"' in page()
    assert 'Part of a name<span class="govuk-visually-hidden">, Partnership</span>' in " ".join(page().split())
    assert option in page(**{"partnership-find": "estuary"})
    assert f"{option} selected" in page(partnership=world.partnership.pk)


def test_the_board_suggests_areas_and_finds_them_without_javascript(world: World) -> None:
    ben = signed_in(world.ben)
    address = reverse("exchange:board")
    gosport = [world.gosport.pk, "Gosport"]

    suggested = ben.get(address, {"suggest": "area", "words": "gos"}).json()["choices"]
    page = ben.get(address, {"area-find": "gos"}).content.decode()

    assert suggested == [gosport]
    assert f'<option value="{world.gosport.pk}">Gosport</option>' in " ".join(page.split())
