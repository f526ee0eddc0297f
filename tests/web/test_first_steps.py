"""The first steps of administrators and of new leads show what they have really done."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.services import create_partnership
from partnerships.exchange.models import Entry
from partnerships.organisations.models import Organisation, Role
from partnerships.organisations.services import create_organisation, update_organisation
from partnerships.people.models import User
from partnerships.web.first_steps import first_steps_at_home, first_steps_of
from tests.support.signing_in import signed_in
from tests.world import World, join, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def amina(world: World) -> Client:
    """Return the browser of Larkhaven's lead."""
    return signed_in(world.amina)


def states(user: User) -> list[bool]:
    """Return whether each step is done, in order."""
    steps = first_steps_of(user)
    assert steps is not None
    return [step.done for step in steps.steps]


@pytest.fixture
def new_homes(world: World) -> Organisation:
    """Return New Homes, an organisation without members."""
    return create_organisation(name="New Homes", kind="registered_provider", author=None, now=world.now)


@pytest.fixture
def nell(world: World, new_homes: Organisation) -> User:
    """Return Nell, the new lead of New Homes."""
    nell = person("Nell New", "nell@new.example")
    join(nell, new_homes, Role.LEAD, world.now)
    return nell


def test_a_new_lead_has_done_no_steps(nell: User) -> None:
    assert states(nell) == [False, False, False, False, False]
    assert "First steps for New Homes" in signed_in(nell).get("/").content.decode()


def test_details_of_the_organisation_are_the_first_step(new_homes: Organisation, nell: User) -> None:
    update_organisation(organisation=new_homes, author=nell, now=timezone.now(), website="https://new.example")

    assert states(nell) == [True, False, False, False, False]


def test_a_colleague_is_the_second_step(world: World, new_homes: Organisation, nell: User) -> None:
    join(person("Ned New", "ned@new.example"), new_homes, Role.EDITOR, world.now)

    assert states(nell) == [False, True, False, False, False]


def test_a_partnership_is_the_third_step(new_homes: Organisation, nell: User) -> None:
    create_partnership(organisation=new_homes, author=nell, title="Rural homes", kind="memorandum", now=timezone.now())

    assert states(nell) == [False, False, True, False, False]
    assert "First steps for New Homes" in signed_in(nell).get("/").content.decode()


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
