"""People without open tasks need no separate queries."""

from __future__ import annotations

import pytest
from django.utils import timezone

from partnerships.exchange import services as exchange
from partnerships.exchange.models import Audience, Entry
from partnerships.organisations.models import Role
from partnerships.people.models import User
from partnerships.work.queries import tasks_of_people, tasks_of_person
from tests.digests.test_waiting_items import FOR_ALL, cost
from tests.exchange.conftest import shared_entry
from tests.world import World, join, make_world, person

pytestmark = pytest.mark.django_db


def ask_of_westmarch(world: World) -> Entry:
    """Create an ask of Larkhaven to its partnership, which includes Westmarch."""
    return shared_entry(
        world.larkhaven,
        world.amina,
        world.now,
        audience=Audience.PARTNERSHIP,
        partnership=world.partnership,
        closes_on=None,
    )


def test_people_with_nothing_waiting_need_no_queries_of_their_own() -> None:
    world = make_world()
    now = timezone.now()
    ask = ask_of_westmarch(world)
    colleagues = [person(f"Colleague {i}", f"colleague{i}@westmarch.example") for i in range(50)]
    for colleague in colleagues:
        join(colleague, world.westmarch, Role.LEAD, now)
    assert [item.title for item in tasks_of_person(colleagues[0], now)] == [ask.title]
    exchange.respond(entry=ask, organisation=world.westmarch, author=world.ben, text="We can.", now=now)

    few = cost(colleagues[:5], now)
    many = cost(colleagues, now)

    assert set(map(len, tasks_of_people(colleagues, now).values())) == {0}
    assert few == many == FOR_ALL


def test_nothing_waits_for_stakeholders_or_closed_accounts() -> None:
    world = make_world()
    now = timezone.now()
    ask_of_westmarch(world)
    User.objects.filter(pk=world.ben.pk).update(is_active=False)
    world.ben.refresh_from_db()

    assert tasks_of_people([world.ben, world.sol], now) == {world.ben.pk: [], world.sol.pk: []}
    assert tasks_of_people([], now) == {}
