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


@pytest.mark.parametrize(
    ("words", "expected_names"),
    [
        pytest.param("Gos", ["Gosport"], id="beginning"),
        pytest.param("PORT", ["Gosport"], id="end in capitals"),
        pytest.param("", [], id="no words"),
    ],
)
def test_suggestions_find_any_part_of_a_name(world: World, words: str, expected_names: list[str]) -> None:
    response = signed_in(world.chidi).get(reverse("organisations:list"), {"suggest": "area", "words": words})

    assert [name for _id, name in response.json()["choices"]] == expected_names


def test_a_filter_without_records_suggests_nothing(world: World) -> None:
    response = signed_in(world.chidi).get(reverse("organisations:list"), {"suggest": "q", "words": "x"})

    assert response.status_code == 404


def html_of_commitments(world: World, **query: Any) -> str:
    """Return the list of commitments with this query, as Ben sees it."""
    return signed_in(world.ben).get(reverse("commitments:list"), {"view": "", **query}).content.decode()


def test_without_javascript_a_long_filter_asks_for_part_of_a_name(world: World) -> None:
    html = html_of_commitments(world)

    assert f'<option value="{world.partnership.pk}"' not in html
    assert 'name="partnership-find"' in html
    assert 'Part of a name<span class="govuk-visually-hidden">, Partnership</span>' in " ".join(html.split())


def test_without_javascript_a_long_filter_offers_records_with_the_words(world: World) -> None:
    html = html_of_commitments(world, **{"partnership-find": "estuary"})

    assert f'<option value="{world.partnership.pk}"' in html


def test_without_javascript_a_long_filter_keeps_the_chosen_record(world: World) -> None:
    html = html_of_commitments(world, partnership=world.partnership.pk)

    assert f'<option value="{world.partnership.pk}" selected' in html


def test_the_board_suggests_areas(world: World) -> None:
    response = signed_in(world.ben).get(reverse("exchange:board"), {"suggest": "area", "words": "gos"})

    assert response.json()["choices"] == [[world.gosport.pk, "Gosport"]]


def test_the_board_finds_areas_without_javascript(world: World) -> None:
    response = signed_in(world.ben).get(reverse("exchange:board"), {"area-find": "gos"})

    html = " ".join(response.content.decode().split())
    assert f'<option value="{world.gosport.pk}">Gosport</option>' in html
