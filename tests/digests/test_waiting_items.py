"""Tasks that are read for many people together are the same as for each person."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Collection, Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from partnerships.agreements.services import create_post, edit_settings
from partnerships.digests.services import subscribe
from partnerships.kit.dates import known_day
from partnerships.kit.waiting import Work
from partnerships.nominations.models import NominationsReturn
from partnerships.organisations.audience import Crowd, people_reached
from partnerships.organisations.holdings import remembering_holdings
from partnerships.organisations.models import Handover, Organisation, Role
from partnerships.organisations.services import (
    create_organisation,
    end_membership,
    propose_handovers,
    record_succession,
    ties_between,
)
from partnerships.organisations.waiting import TaskSource, with_full_texts
from partnerships.people.models import User
from partnerships.plans.services import add_comment
from partnerships.surveys.services import ask_moderator
from partnerships.work.queries import SOURCES, tasks_of_people
from tests.support.constraints import check_once
from tests.support.prepared import kept_world
from tests.world import DEMO, World, join, person

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

#: Query limits: for one person and one kind of task, and for everybody together.
MAX_PER_KIND, FOR_ALL = 5, 2
#: Queries for people who have no task of a kind after all. Whether the next contact is due is found out for all
#: organisations together, so another organisation's last contact may make a source look for a task in vain.
MAX_IN_VAIN = 2
#: Days ahead; on each of them, different tasks are due, planned, quiet or lapsed.
AHEAD = (0, 4, 25, 80, 400)
#: The roles of two posts.
_TWO_POSTS = ("finance", "planning")


def add_waiting(world: World) -> None:
    """Add a task of every kind to the world of the access table.

    Amina mentions Ben, who does not answer, and Eddie, who does. She wants contact each week, and a post is vacant. A
    colleague who left followed the partnership. Harbour Homes will replace Riverside, and one of Riverside's posts has
    a handover line. A nominations return is disputed; the demonstration contains one that was sent. The reader of a
    survey's comments is asked to agree.
    """
    now = timezone.now()
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
    NominationsReturn.objects.filter(pk=world.things["return"].pk).update(status="disputed", settled_at=None)
    ask_moderator(survey_round=world.things["survey_draft"], author=world.amina, now=now)
    _prepare_a_succession(world, now)


def _prepare_a_succession(world: World, now: dt.datetime) -> None:
    """Record a succession in a month: one of Riverside's two posts has a line, which Harbour Homes has not answered.

    The line also needs a consent. Nobody leads a council that ends on the same day, and whose order is not made
    although its shadow authority was due.
    """
    posts = [create_post(organisation=world.riverside, role=role, author=world.nadia, now=now) for role in _TWO_POSTS]
    succession = record_succession(
        kind="absorb",
        status="order_made",
        vests_on=known_day(timezone.localdate() + dt.timedelta(30)),
        ties=ties_between([world.riverside], [world.harbour]),
        author=None,
        now=now,
    )
    propose_handovers(
        succession=succession,
        predecessor=world.riverside,
        kind="posts",
        records=[posts[0].pk],
        successor=world.harbour,
        consent="The lender",
        author=None,
        now=now,
    )
    council = create_organisation(name="Old Estuary Council", kind="council", author=None, now=now)
    create_post(organisation=council, role="finance", author=None, now=now)
    _propose_to_nobody(now)
    record_succession(
        kind="absorb",
        status="order_laid",
        shadow_on=known_day(timezone.localdate()),
        vests_on=known_day(timezone.localdate() + dt.timedelta(30)),
        ties=ties_between([council], [world.harbour]),
        author=None,
        now=now,
    )


@pytest.fixture(scope="module")
def everything(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Provide one world for this module: the world of the access table with tasks, and the demonstration network."""
    with kept_world(django_db_blocker, tmp_path_factory) as world, override_settings(DEMONSTRATION=True):
        add_waiting(world)
        call_command("load_network", str(DEMO), "--demo-passwords", verbosity=0)
        check_once()
        yield world


@pytest.fixture(autouse=True)
def media_root() -> None:
    """Leave the files of `everything` where they were created."""


def _propose_to_nobody(now: dt.datetime) -> None:
    """Record a succession in a month whose successor has no lead.

    Of two posts, one awaits the answer, and the other cannot pass on.
    """
    predecessor, successor = (
        create_organisation(name=name, kind="council", author=None, now=now)
        for name in ("Upper Estuary Council", "Estuaries Council")
    )
    posts = [create_post(organisation=predecessor, role=role, author=None, now=now) for role in _TWO_POSTS]
    succession = record_succession(
        kind="absorb",
        status="order_made",
        vests_on=known_day(timezone.localdate() + dt.timedelta(30)),
        ties=ties_between([predecessor], [successor]),
        author=None,
        now=now,
    )
    propose_handovers(
        succession=succession,
        predecessor=predecessor,
        kind="posts",
        records=[post.pk for post in posts],
        successor=successor,
        author=None,
        now=now,
    )
    Handover.objects.filter(successor=successor, record=posts[1].pk).update(
        state="stayed", dispute="It has one already."
    )


def sorts_for(someone: User, now: dt.datetime) -> list[TaskSource]:
    """Return the sources that have tasks for a person, asked one by one."""
    return [source for source in SOURCES if source.of(someone, now)]


def assert_the_same(people: Collection[User], now: dt.datetime, *, on_pages: bool = False) -> None:
    """Assert that asking for these people together gives the same as one by one, on a page of each or outside one.

    Also assert that the first few are the start of all, and that due tasks are counted correctly without creating them.
    """
    tasks_by_person = tasks_of_people(people, now)

    for someone in people:
        with remembering_holdings() if on_pages else nullcontext():
            sources = SOURCES if someone.is_active and not someone.is_stakeholder else []
            work = Work(source.of(someone, now) for source in sources)
            tasks = with_full_texts(work.first())
        assert tasks_by_person[someone.pk] == tasks, someone
        assert [work.first(count) for count in (1, 3, 6)] == [work.first()[:count] for count in (1, 3, 6)], someone
        assert work.due_by(now.date()) == sum(1 for task in tasks if task.due and task.due <= now.date()), someone


def cost(people: Collection[User], now: dt.datetime) -> int:
    """Return the number of queries that reading the tasks of these people takes."""
    with CaptureQueriesContext(connection) as captured:
        tasks_of_people(people, now)
    return len(captured)


def test_asking_for_all_at_once_gives_the_same_as_one_by_one(everything: World) -> None:
    people = list(User.objects.order_by("pk"))

    for turn, days in enumerate(AHEAD):
        # Asking people one by one takes long, so each has a turn on one of the days.
        assert_the_same(people[turn :: len(AHEAD)], timezone.now() + dt.timedelta(days=days), on_pages=True)


def test_results_are_the_same_with_random_memberships(everything: World) -> None:
    people = list(User.objects.filter(account_since__isnull=False).order_by("pk"))
    bodies = list(Organisation.objects.filter(memberships__isnull=False).distinct().order_by("pk"))
    for seed in range(2):
        chance = random.Random(seed)
        with transaction.atomic():
            chosen = chance.sample(people, 3)
            for someone in chosen:
                body = chance.choice(bodies)
                if not someone.memberships.filter(organisation=body).exists():
                    join(someone, body, chance.choice(Role.values), timezone.now())

            assert_the_same(chosen, timezone.now() + dt.timedelta(days=chance.choice(AHEAD)))
            transaction.set_rollback(True)


def test_the_test_worlds_contain_every_kind_of_waiting_item(everything: World) -> None:
    people = User.objects.filter(account_since__isnull=False).in_bulk()

    def has_something(source: TaskSource, now: dt.datetime) -> bool:
        reached_now = set().union(*people_reached(source.reaches(now), Crowd(people)))  # it asks only these people
        return any(source.of(people[pk], now) for pk in reached_now)

    moments = [timezone.now() + dt.timedelta(days=days) for days in AHEAD]
    missing = [source for source in SOURCES if not any(has_something(source, now) for now in moments)]

    assert [source.of.__name__ for source in missing] == []


def test_other_people_need_a_few_queries_per_kind_of_item(everything: World) -> None:
    now = timezone.now() + dt.timedelta(days=25)
    people = list(User.objects.filter(account_since__isnull=False, is_active=True).order_by("pk"))[::4]
    sorts = {someone: len(sorts_for(someone, now)) for someone in people}

    costs = {someone: cost([someone], now) - FOR_ALL for someone in people}

    too_high = {someone: spent for someone, spent in costs.items() if spent > MAX_PER_KIND * sorts[someone]}
    assert too_high == {}
    assert cost(people, now) <= sum(costs.values()) + FOR_ALL + MAX_IN_VAIN
