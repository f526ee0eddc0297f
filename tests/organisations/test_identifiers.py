"""Administrators find, add and correct identifiers in Django admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.organisations.models import Identifier, Scheme
from partnerships.organisations.services import UnableToCorrectIdentifier, add_identifier, correct_identifier
from tests.world import World


@pytest.fixture
def misplaced_identifier(world: World) -> Identifier:
    """Return a registration number that a list gave to Larkhaven; it is Tidewater's."""
    return add_identifier(
        organisation=world.larkhaven, scheme=Scheme.RSH, value="LX9001", author=None, now=timezone.now()
    )


@pytest.fixture
def dee(world: World, client: Client) -> Client:
    """Return the browser of Dee, an administrator."""
    client.force_login(world.dee)
    return client


def form_fields(world: World, **fields: Any) -> dict[str, Any]:
    """Return the fields of the page, as a browser would send them, to give the number to Tidewater."""
    return {"organisation": world.tidewater.pk, "value": "LX9001", "reason": "Their email of 3 March.", **fields}


def move_to_tidewater(world: World, dee: Client, identifier: Identifier) -> None:
    """Give the identifier to Tidewater on its admin page."""
    response = dee.post(reverse("admin:organisations_identifier_change", args=[identifier.pk]), form_fields(world))
    assert response.status_code == 302


def test_an_administrator_moves_an_identifier_to_another_organisation(
    world: World, dee: Client, misplaced_identifier: Identifier
) -> None:
    move_to_tidewater(world, dee, misplaced_identifier)

    misplaced_identifier.refresh_from_db()
    assert misplaced_identifier.organisation == world.tidewater


def test_moving_an_identifier_is_recorded_for_both_organisations_with_the_reason(
    world: World, dee: Client, misplaced_identifier: Identifier
) -> None:
    move_to_tidewater(world, dee, misplaced_identifier)

    events = Event.objects.filter(kind="organisation.identifier_corrected")
    assert {event.target_id for event in events} == {world.larkhaven.pk, world.tidewater.pk}
    assert all(event.actor_id == world.dee.pk for event in events)
    assert events[0].data["reason"] == "Their email of 3 March."
    assert events[0].data["before"]["organisation"] == "Larkhaven Homes"


def test_the_organisation_page_shows_why_an_identifier_was_moved(
    world: World, dee: Client, misplaced_identifier: Identifier
) -> None:
    move_to_tidewater(world, dee, misplaced_identifier)

    page = dee.get(world.tidewater.get_absolute_url()).content.decode()

    assert "Their email of 3 March." in page


def test_the_admin_history_shows_why_an_identifier_was_moved(
    world: World, dee: Client, misplaced_identifier: Identifier
) -> None:
    move_to_tidewater(world, dee, misplaced_identifier)

    page = dee.get(reverse("admin:organisations_identifier_history", args=[misplaced_identifier.pk])).content.decode()

    assert "Their email of 3 March." in page


@pytest.mark.parametrize(
    "invalid_fields",
    [
        pytest.param({"reason": ""}, id="no reason"),
        pytest.param({"value": " "}, id="no number"),
        pytest.param({"value": "5069"}, id="number in use"),
        pytest.param({"valid_from": "2024-02-01", "valid_to": "2024-01-01"}, id="an end before the start"),
    ],
)
def test_an_invalid_correction_is_refused(
    world: World, dee: Client, misplaced_identifier: Identifier, invalid_fields: dict[str, str]
) -> None:
    add_identifier(organisation=world.tidewater, scheme=Scheme.RSH, value="5069", author=None, now=timezone.now())
    address = reverse("admin:organisations_identifier_change", args=[misplaced_identifier.pk])

    response = dee.post(address, form_fields(world, **invalid_fields))

    misplaced_identifier.refresh_from_db()
    assert response.status_code == 200
    assert misplaced_identifier.organisation == world.larkhaven
    assert misplaced_identifier.value == "LX9001"


def test_an_administrator_adds_an_identifier(world: World, dee: Client) -> None:
    post_fields = form_fields(world, scheme=Scheme.COMPANY, value=" 01234567 ")

    response = dee.post(reverse("admin:organisations_identifier_add"), post_fields)

    assert response.status_code == 302
    assert Identifier.objects.get(value="01234567").organisation == world.tidewater


@pytest.mark.usefixtures("misplaced_identifier")
def test_an_administrator_finds_an_identifier_by_a_part_of_it(dee: Client) -> None:
    page = dee.get(reverse("admin:organisations_identifier_changelist"), {"q": "X900"}).content.decode()

    assert "LX9001" in page


def test_administrators_cannot_delete_an_identifier(dee: Client, misplaced_identifier: Identifier) -> None:
    response = dee.post(reverse("admin:organisations_identifier_delete", args=[misplaced_identifier.pk]))

    assert response.status_code == 403
    assert Identifier.objects.filter(pk=misplaced_identifier.pk).exists()


def test_a_correction_cannot_give_one_identifier_to_two_organisations(
    world: World, misplaced_identifier: Identifier
) -> None:
    add_identifier(organisation=world.tidewater, scheme=Scheme.RSH, value="5069", author=None, now=timezone.now())

    with pytest.raises(UnableToCorrectIdentifier, match="already belongs to Tidewater Housing Group"):
        correct_identifier(
            identifier=misplaced_identifier, value="5069", reason="Because.", author=world.dee, now=timezone.now()
        )


def test_a_correction_by_a_person_needs_a_reason(world: World, misplaced_identifier: Identifier) -> None:
    with pytest.raises(UnableToCorrectIdentifier, match="reason"):
        correct_identifier(
            identifier=misplaced_identifier, value="LX1", reason=" ", author=world.dee, now=timezone.now()
        )


def test_a_correction_to_the_same_value_changes_nothing(misplaced_identifier: Identifier) -> None:
    changed_fields = correct_identifier(
        identifier=misplaced_identifier, value="LX9001", reason="", author=None, now=timezone.now()
    )

    assert changed_fields == ()
