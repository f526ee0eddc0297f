"""The first steps of administrators and of new leads show what they have really done."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.services import create_partnership
from partnerships.exchange.models import Entry
from partnerships.organisations.models import Role
from partnerships.organisations.services import create_organisation, update_organisation
from partnerships.web.first_steps import first_steps_at_home, first_steps_of
from tests.support.signing_in import signed_in
from tests.world import World, join, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def amina(world: World) -> Client:
    """Return the browser of Larkhaven's lead."""
    return signed_in(world.amina)


def states(user: object) -> list[bool]:
    """Return whether each step is done."""
    steps = first_steps_of(user)  # type: ignore[arg-type]  # a person of the world
    assert steps is not None
    return [step.done for step in steps.steps]


def test_a_new_lead_sees_what_is_left_to_do(world: World) -> None:
    body = create_organisation(name="New Homes", kind="registered_provider", author=None, now=world.now)
    nell = person("Nell New", "nell@new.example")
    join(nell, body, Role.LEAD, world.now)
    client = signed_in(nell)

    before = states(nell)
    update_organisation(organisation=body, author=nell, now=timezone.now(), website="https://new.example")
    join(person("Ned New", "ned@new.example"), body, Role.EDITOR, world.now)

    assert before == [False, False, False, False, False]
    assert states(nell) == [True, True, False, False, False]
    create_partnership(organisation=body, author=nell, title="Rural homes", kind="memorandum", now=timezone.now())
    assert states(nell) == [True, True, True, False, False]
    assert "First steps for New Homes" in client.get("/").content.decode()


def test_a_lead_hides_the_first_steps(world: World, amina: Client) -> None:
    steps = first_steps_at_home(world.amina, timezone.now())

    amina.post(reverse("web:hide-first-steps", args=[world.larkhaven.pk]))

    assert steps is not None
    assert first_steps_at_home(world.amina, timezone.now()) is None
    assert "First steps for" not in amina.get("/").content.decode()
    assert amina.get(reverse("web:first-steps")).status_code == 200


def test_first_steps_disappear_once_they_are_done(world: World) -> None:
    update_organisation(organisation=world.larkhaven, author=None, now=world.now, website="https://lark.example")
    states_of_steps = states(world.amina)

    assert states_of_steps[:4] == [True, True, True, True]
    assert states_of_steps[4] == Entry.objects.filter(organisation=world.larkhaven, shared_at__isnull=False).exists()


def test_an_editor_has_no_first_steps(world: World) -> None:
    assert first_steps_of(world.eddie) is None


def test_a_lead_of_long_standing_does_not_see_the_first_steps(world: World) -> None:
    assert first_steps_at_home(world.amina, world.now + dt.timedelta(days=60)) is not None
    assert first_steps_at_home(world.amina, world.now + dt.timedelta(days=61)) is None
