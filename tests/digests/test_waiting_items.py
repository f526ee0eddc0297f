"""What waits for many people at once equals what waits for each.

People with nothing waiting need no queries of their own.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from partnerships.agreements.services import create_post, edit_settings
from partnerships.digests.services import subscribe
from partnerships.exchange import services as exchange
from partnerships.exchange.models import Audience, Entry
from partnerships.organisations.models import Organisation, Role
from partnerships.organisations.services import end_membership
from partnerships.organisations.waiting import Source, waiting_from
from partnerships.people.models import User
from partnerships.plans.services import add_comment
from partnerships.work.queries import SOURCES, waiting_for, waiting_for_all
from tests.exchange.conftest import shared
from tests.support.prepared import prepared
from tests.world import DEMO, World, join, make_world, person

#: Query limits: for one person and one kind of waiting item, and for everybody together.
MAX_PER_KIND, FOR_ALL = 5, 2
#: Days ahead; on each, other items are due, planned, quiet or lapsed.
AHEAD = (0, 4, 25, 80, 400)


def demonstration(settings: Any) -> None:
    """Load the demonstration network."""
    settings.DEMONSTRATION = True
    call_command("load_network", str(DEMO), "--demo-passwords", verbosity=0)


def everyday(settings: Any) -> None:
    """Make the world of the access table, with comments that wait.

    Amina mentions Ben, who is silent, and Eddie, who answers. She wants contact each week, and a post is vacant. A
    colleague who left followed the partnership.
    """
    world, now = prepared(), timezone.now()
    create_post(organisation=world.larkhaven, role="nominations", author=world.amina, now=now)
    edit_settings(partnership=world.partnership, contact_days=7, reason="Closer.", author=world.amina, now=now)
    plan = world.things["plan"]
    for text, answer in (("@Ben West, is it so?", ""), ("@Eddie Larch, and @Ben West?", "It is.")):
        thread = add_comment(plan=plan, version_number=1, text=text, author=world.amina, now=now)
        if answer:
            add_comment(plan=plan, version_number=1, text=answer, parent=thread, author=world.eddie, now=now)
    leaver = person("Lara Larch", "lara@larkhaven.example")
    membership = join(leaver, world.larkhaven, Role.EDITOR, now)
    subscribe(person=leaver, target=world.partnership, author=leaver, now=now)
    end_membership(membership=membership, reason="Moved.", author=world.amina, now=now)


def everything(settings: Any) -> None:
    """Make that world and the demonstration, side by side."""
    everyday(settings)
    demonstration(settings)


def ask_of_westmarch(world: World) -> Entry:
    """An ask of Larkhaven's to its partnership."""
    return shared(
        world.larkhaven,
        world.amina,
        world.now,
        audience=Audience.PARTNERSHIP,
        partnership=world.partnership,
        closes_on=None,
    )


def sorts_for(someone: User, now: dt.datetime) -> list[Source]:
    """The sources that have something for a person, asked one by one."""
    return [source for source in SOURCES if source.of(someone, now)]


def assert_the_same(people: Collection[User], now: dt.datetime) -> None:
    """Assert that asking for all people at once gives the same as one by one."""
    together = waiting_for_all(people, now)

    for someone in people:
        exact = waiting_from(SOURCES, someone, now) if someone.is_active and not someone.is_stakeholder else []
        assert together[someone.pk] == exact, someone


def cost(people: Collection[User], now: dt.datetime) -> int:
    """The number of queries it takes to know what waits for these people."""
    with CaptureQueriesContext(connection) as captured:
        waiting_for_all(people, now)
    return len(captured)


@pytest.mark.parametrize("make", [demonstration, everyday])
def test_asking_for_all_at_once_gives_the_same_as_one_by_one(
    db: None, make: Callable[[Any], None], settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    make(settings)
    people = list(User.objects.order_by("pk"))

    for days in AHEAD:
        assert_the_same(people, timezone.now() + dt.timedelta(days=days))


def test_results_are_the_same_with_random_memberships(db: None, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    everything(settings)
    people = list(User.objects.filter(account_since__isnull=False).order_by("pk"))
    bodies = list(Organisation.objects.filter(memberships__isnull=False).distinct().order_by("pk"))
    for seed in range(4):
        chance = random.Random(seed)
        with transaction.atomic():
            for someone in chance.sample(people, 12):
                body = chance.choice(bodies)
                if not someone.memberships.filter(organisation=body).exists():
                    join(someone, body, chance.choice(Role.values), timezone.now())

            assert_the_same(people, timezone.now() + dt.timedelta(days=chance.choice(AHEAD)))
            transaction.set_rollback(True)


def test_the_test_worlds_contain_every_kind_of_waiting_item(db: None, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    everything(settings)
    people = list(User.objects.filter(account_since__isnull=False))

    found = {
        source
        for days in AHEAD
        for source in SOURCES
        if any(source.of(someone, timezone.now() + dt.timedelta(days=days)) for someone in people)
    }

    assert [source.of.__name__ for source in SOURCES if source not in found] == []


def test_people_with_nothing_waiting_need_no_queries_of_their_own(db: None) -> None:
    world, now = make_world(), timezone.now()
    ask = ask_of_westmarch(world)
    colleagues = [person(f"Colleague {i}", f"colleague{i}@westmarch.example") for i in range(50)]
    for colleague in colleagues:
        join(colleague, world.westmarch, Role.LEAD, now)
    assert [item.title for item in waiting_for(colleagues[0], now)] == [ask.title]
    exchange.respond(entry=ask, organisation=world.westmarch, author=world.ben, text="We can.", now=now)

    few, many = cost(colleagues[:5], now), cost(colleagues, now)

    assert set(map(len, waiting_for_all(colleagues, now).values())) == {0}
    assert few == many == FOR_ALL


def test_other_people_need_a_few_queries_per_kind_of_item(db: None, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    everything(settings)
    now = timezone.now() + dt.timedelta(days=25)
    people = list(User.objects.filter(account_since__isnull=False, is_active=True))
    sorts = {someone: len(sorts_for(someone, now)) for someone in people}

    costs = {someone: cost([someone], now) - FOR_ALL for someone in people}

    assert {one: (spent, sorts[one]) for one, spent in costs.items() if spent > MAX_PER_KIND * sorts[one]} == {}
    assert cost(people, now) == sum(costs.values()) + FOR_ALL


def test_nothing_waits_for_stakeholders_or_closed_accounts(db: None) -> None:
    world, now = make_world(), timezone.now()
    ask_of_westmarch(world)
    User.objects.filter(pk=world.ben.pk).update(is_active=False)
    world.ben.refresh_from_db()

    assert waiting_for_all([world.ben, world.sol], now) == {world.ben.pk: [], world.sol.pk: []}
    assert waiting_for_all([], now) == {}
