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
def number(world: World) -> Identifier:
    """Add a registration number that a list gave to the wrong organisation."""
    return add_identifier(
        organisation=world.larkhaven, scheme=Scheme.RSH, value="LX9001", author=None, now=timezone.now()
    )


@pytest.fixture
def dee(world: World, client: Client) -> Client:
    """Return the browser of Dee, an administrator."""
    client.force_login(world.dee)
    return client


def form_fields(world: World, **fields: Any) -> dict[str, Any]:
    """Return the form data of the page, as a browser would send them."""
    return {"organisation": world.tidewater.pk, "value": "LX9001", "reason": "Their email of 3 March.", **fields}


def test_moving_an_identifier_is_recorded_for_both_organisations_with_the_reason(
    world: World, dee: Client, number: Identifier
) -> None:
    page = reverse("admin:organisations_identifier_change", args=[number.pk])

    response = dee.post(page, form_fields(world))

    number.refresh_from_db()
    assert response.status_code == 302
    assert number.organisation == world.tidewater
    events = Event.objects.filter(kind="organisation.identifier_corrected")
    assert {event.target_id for event in events} == {world.larkhaven.pk, world.tidewater.pk}
    assert all(event.actor_id == world.dee.pk for event in events)
    assert events[0].data["reason"] == "Their email of 3 March."
    assert events[0].data["before"]["organisation"] == "Larkhaven Homes"
    assert "Their email of 3 March." in dee.get(world.tidewater.get_absolute_url()).content.decode()
    history_page = dee.get(reverse("admin:organisations_identifier_history", args=[number.pk])).content.decode()
    assert "Their email of 3 March." in history_page


@pytest.mark.parametrize(
    "wrong",
    [{"reason": ""}, {"value": " "}, {"valid_from": "2024-02-01", "valid_to": "2024-01-01"}, {"value": "5069"}],
)
def test_an_invalid_correction_is_refused(world: World, dee: Client, number: Identifier, wrong: dict[str, str]) -> None:
    add_identifier(organisation=world.tidewater, scheme=Scheme.RSH, value="5069", author=None, now=timezone.now())
    page = reverse("admin:organisations_identifier_change", args=[number.pk])

    response = dee.post(page, form_fields(world, **wrong))

    number.refresh_from_db()
    assert response.status_code == 200
    assert number.organisation == world.larkhaven
    assert number.value == "LX9001"


def test_an_identifier_is_added_with_a_reason_and_cannot_be_deleted(world: World, dee: Client) -> None:
    post_fields = form_fields(world, scheme=Scheme.COMPANY, value=" 01234567 ")

    assert dee.post(reverse("admin:organisations_identifier_add"), post_fields).status_code == 302

    identifier = Identifier.objects.get(value="01234567")
    assert identifier.organisation == world.tidewater
    assert dee.post(reverse("admin:organisations_identifier_delete", args=[identifier.pk])).status_code == 403
    list_page = dee.get(reverse("admin:organisations_identifier_changelist"), {"q": "0123456"})
    assert "01234567" in list_page.content.decode()


def test_a_correction_cannot_give_one_identifier_to_two_organisations(world: World, number: Identifier) -> None:
    add_identifier(organisation=world.tidewater, scheme=Scheme.RSH, value="5069", author=None, now=timezone.now())

    for fields, reason in (({"value": "5069"}, "Because."), ({"value": "LX1"}, " ")):
        with pytest.raises(UnableToCorrectIdentifier):
            correct_identifier(identifier=number, author=world.dee, now=timezone.now(), reason=reason, **fields)  # type: ignore[arg-type]  # values of one kind here

    assert correct_identifier(identifier=number, value="LX9001", author=None, now=timezone.now(), reason="") == ()
