"""An address that refused digests is not asked again after its owner is erased.

The database keeps only a keyed hash, which does not show whose address it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.models import Delivery, Subscription
from partnerships.kit.journal import replay
from partnerships.organisations.models import Role
from partnerships.people.models import RefusedAddress, User
from partnerships.people.personal_data import erase_person
from partnerships.people.retention import RULES
from partnerships.people.services import close_account, find_person
from partnerships.plans.models import Plan
from tests.digests.test_consent import ask
from tests.digests.test_email_requests import REFUSALS, type_in
from tests.world import World, join

SOL = "sol@council.example"


def erase_sol(world: World) -> None:
    erase_person(person=world.sol, author=None, reason="Asked to be erased.", now=timezone.now())


def ask_the_address(world: World, plan: Plan, *, now: dt.datetime | None = None) -> Subscription:
    """Ask the person who now has Sol's former address, on behalf of Larkhaven."""
    return services.add_stakeholder(
        email="Sol@Council.example",
        name="Sol",
        target=plan,
        author=world.amina,
        organisation=world.larkhaven,
        now=now or timezone.now(),
    )


@pytest.mark.parametrize("refuse", REFUSALS, ids=lambda refuse: refuse.__name__)
def test_an_address_that_refused_before_erasure_is_not_asked_again(
    world: World, plan: Plan, public_plan: Plan, refuse: Callable[[World, Plan], None]
) -> None:
    refuse(world, public_plan)
    erase_sol(world)
    email_count = Delivery.objects.count()

    for target in (public_plan, plan):
        for later in (dt.timedelta(0), dt.timedelta(days=4000)):
            with pytest.raises(services.UnableToSubscribe, match="asked not to be contacted"):
                ask_the_address(world, target, now=timezone.now() + later)
    type_in(public_plan, SOL.upper())

    assert find_person(SOL) is None
    assert Delivery.objects.count() == email_count


def test_an_address_that_never_refused_may_be_asked_again(world: World, public_plan: Plan) -> None:
    services.confirm(subscription=ask(world, public_plan), now=timezone.now())
    erase_sol(world)

    assert ask_the_address(world, public_plan).is_waiting
    assert not RefusedAddress.objects.exists()


def test_retention_keeps_the_refusal_of_people_who_left(world: World, plan: Plan) -> None:
    subscription = services.subscribe(person=world.vera, target=plan, author=world.vera, now=timezone.now())
    services.stop(subscriptions=[subscription], author=world.vera, reason="Stopped.", now=timezone.now())
    close_account(person=world.vera, author=world.dee, reason="Moved on.", now=timezone.now())

    RULES["leavers"].apply(timezone.now() + dt.timedelta(days=731), False)

    assert find_person("vera@larkhaven.example") is None
    with pytest.raises(services.UnableToSubscribe, match="asked not to be contacted"):
        services.add_stakeholder(
            email="vera@larkhaven.example",
            name="",
            target=plan,
            author=world.amina,
            organisation=world.larkhaven,
            now=timezone.now(),
        )


def refuse_and_erase_sol(world: World, plan: Plan) -> None:
    """Let Sol refuse a plan, and erase him."""
    services.stop(subscriptions=[ask(world, plan)], author=world.sol, reason="No.", now=timezone.now())
    erase_sol(world)


def test_the_hash_key_is_required_and_can_be_rotated(world: World, public_plan: Plan, settings: LazySettings) -> None:
    settings.ADDRESS_HASH_KEYS = ["the-first-key-" + "a" * 50]
    refuse_and_erase_sol(world, public_plan)
    first_hash = RefusedAddress.objects.get().address_hash

    settings.ADDRESS_HASH_KEYS = ["the-second-key-" + "b" * 50, "the-first-key-" + "a" * 50]
    with pytest.raises(services.UnableToSubscribe):
        ask_the_address(world, public_plan)
    settings.ADDRESS_HASH_KEYS = ["another-key-" + "c" * 50]

    assert "sol" not in first_hash
    assert ask_the_address(world, public_plan).is_waiting, "Without its key a hash says nothing about an address."


def test_without_a_hash_key_the_secret_key_and_its_fallbacks_are_used(
    world: World, public_plan: Plan, settings: LazySettings
) -> None:
    refuse_and_erase_sol(world, public_plan)

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "renewed-" + "d" * 50, [settings.SECRET_KEY]

    with pytest.raises(services.UnableToSubscribe):
        ask_the_address(world, public_plan)


def test_a_person_who_returns_and_follows_something_may_be_asked_again(world: World, public_plan: Plan) -> None:
    refuse_and_erase_sol(world, public_plan)
    returning_person = User.objects.create_user(SOL, "four other quiet words", name="Sol")
    join(returning_person, world.larkhaven, Role.VIEWER, timezone.now())

    services.subscribe(person=returning_person, target=public_plan, author=returning_person, now=timezone.now())

    assert not RefusedAddress.objects.exists()


def test_a_restored_backup_keeps_the_refusal(
    world: World, public_plan: Plan, django_capture_on_commit_callbacks: Any
) -> None:
    backup_at = timezone.now()
    with django_capture_on_commit_callbacks(execute=True):
        refuse_and_erase_sol(world, public_plan)
    RefusedAddress.objects.all().delete()  # the backup is older than the erasure

    replay(since=backup_at, now=timezone.now())

    with pytest.raises(services.UnableToSubscribe, match="asked not to be contacted"):
        ask_the_address(world, public_plan)


def test_operators_can_allow_an_address_again_when_its_owner_wants_it(world: World, public_plan: Plan) -> None:
    refuse_and_erase_sol(world, public_plan)

    call_command("allow_questions", SOL)

    assert ask_the_address(world, public_plan).is_waiting


def test_operators_cannot_allow_an_address_that_is_allowed(world: World, public_plan: Plan) -> None:
    refuse_and_erase_sol(world, public_plan)
    call_command("allow_questions", SOL)

    with pytest.raises(CommandError, match="No erased person"):
        call_command("allow_questions", SOL)
