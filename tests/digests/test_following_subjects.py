"""Followers of subjects wait for their numbered changes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from partnerships.activity.models import Event, Subject
from partnerships.agreements.models import Partnership
from partnerships.digests import services
from partnerships.digests.models import SubjectNews, SubjectWatermark, Subscription
from partnerships.digests.planning.subjects import spread_changes
from partnerships.digests.queries.naming import named_to_followers
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.models import Plan
from tests.world import World


def happen(*subjects: str, actor: User | None = None, kind: str = "plan.agreed") -> Event:
    """Create an event that is a change of these subjects, and number it at once."""
    event = Event.objects.create(
        kind=kind,
        actor_id=actor.pk if actor else None,
        target_kind="plan",
        target_id=7,
        at=timezone.now(),
        subjects=list(subjects),
    )
    connection.check_constraints()
    return event


def follow(person: User, target: Any, **more: Any) -> Subscription:
    """Add a confirmed subscription of a person with an account."""
    return services.add_confirmed_subscription(person=person, target=target, author=None, now=timezone.now(), **more)


def waiting(person: User) -> list[tuple[str, int]]:
    """Return the subjects with news for a person, each with the number up to which they were told."""
    rows = SubjectWatermark.objects.filter(recipient=person, due_at__isnull=False).order_by("subject")
    return [(f"{row.subject.kind}:{row.subject.record_id}", row.number) for row in rows.select_related("subject")]


def test_followers_start_at_the_newest_change(world: World) -> None:
    subject = f"partnership:{world.partnership.pk}"
    happen(subject)
    happen(subject)

    follow(world.ben, world.partnership)
    spread_changes(now=timezone.now())

    assert waiting(world.ben) == []
    assert SubjectWatermark.objects.get(recipient=world.ben, subject__kind="partnership").number >= 2


def test_first_change_after_following_waits(world: World) -> None:
    follow(world.ben, world.partnership)
    number_before = SubjectWatermark.objects.get(recipient=world.ben).number

    happen(f"partnership:{world.partnership.pk}")
    spread_changes(now=timezone.now())

    assert waiting(world.ben) == [(f"partnership:{world.partnership.pk}", number_before)]
    assert not SubjectNews.objects.exists()


def test_followers_of_an_organisation_follow_its_partnerships(world: World) -> None:
    follow(world.ben, world.larkhaven)

    happen(f"partnership:{world.partnership.pk}", f"organisation:{world.larkhaven.pk}")
    spread_changes(now=timezone.now())

    assert {subject for subject, _ in waiting(world.ben)} == {
        f"partnership:{world.partnership.pk}",
        f"organisation:{world.larkhaven.pk}",
    }


def test_a_partnership_joined_later_starts_at_its_present_state(world: World) -> None:
    organisation = Organisation.objects.get(pk=world.larkhaven.pk)
    follow(world.ben, organisation)
    subject, _ = Subject.objects.get_or_create(
        kind="partnership", record_id=world.partnership.pk, defaults={"last_number": 0}
    )
    SubjectWatermark.objects.filter(subject=subject).delete()

    happen(f"partnership:{world.partnership.pk}")
    spread_changes(now=timezone.now())

    assert waiting(world.ben) == []
    subject.refresh_from_db()
    assert SubjectWatermark.objects.get(recipient=world.ben, subject=subject).number == subject.last_number


def test_nobody_waits_for_what_no_email_tells_as_a_change(world: World) -> None:
    follow(world.ben, world.partnership)
    subject = f"partnership:{world.partnership.pk}"

    happen(subject, kind="plan.version_published")  # reported by the part of digests about plans
    happen(subject, kind="plan.commented")
    spread_changes(now=timezone.now())

    row = SubjectWatermark.objects.select_related("subject").get(recipient=world.ben, subject__kind="partnership")
    assert waiting(world.ben) == []
    assert row.number == row.subject.last_number
    happen(subject)
    happen(subject, kind="plan.commented")
    spread_changes(now=timezone.now())
    assert waiting(world.ben) == [(subject, row.number)]


def test_own_changes_do_not_wait(world: World) -> None:
    follow(world.ben, world.partnership)

    happen(f"partnership:{world.partnership.pk}", actor=world.ben)
    spread_changes(now=timezone.now())

    assert waiting(world.ben) == []


def test_weekly_followers_wait_for_their_day(world: World, plan: Plan) -> None:
    follow(world.ben, world.partnership, frequency="weekly")
    now = timezone.now()

    happen(f"partnership:{world.partnership.pk}")
    spread_changes(now=now)

    watermark = SubjectWatermark.objects.get(recipient=world.ben, due_at__isnull=False)
    assert watermark.slotted
    assert watermark.due_at is not None
    assert watermark.due_at > now + dt.timedelta(minutes=1) or watermark.due_at.weekday() == 0


def test_nothing_waits_after_stopping_or_pausing(world: World) -> None:
    subscription = follow(world.ben, world.partnership)
    happen(f"partnership:{world.partnership.pk}")
    spread_changes(now=timezone.now())

    services.pause(subscription=subscription, author=world.ben, now=timezone.now())

    assert waiting(world.ben) == []
    services.resume(subscription=subscription, author=world.ben, now=timezone.now())
    assert len(waiting(world.ben)) == 1
    services.stop(subscriptions=[subscription], author=world.ben, reason="Enough.", now=timezone.now())
    assert waiting(world.ben) == []


@pytest.mark.parametrize("amount", [1, 3])
def test_an_idle_sweep_reads_one_empty_table(world: World, django_assert_num_queries: Any, amount: int) -> None:
    for _ in range(amount):
        follow(world.ben, world.partnership)
    spread_changes(now=timezone.now())

    with django_assert_num_queries(1):
        spread_changes(now=timezone.now())


def test_the_names_for_many_readers_take_two_queries(world: World, django_assert_max_num_queries: Any) -> None:
    now = timezone.now()
    people = [world.amina, world.ben, world.vera, world.chidi, world.nadia, world.hana]
    subscriptions = Subscription.objects.bulk_create(
        Subscription(
            person=person, partnership=world.partnership, status="confirmed", how="self", asked_at=now, confirmed_at=now
        )
        for person in people
    )

    with django_assert_max_num_queries(2):
        named_ids = named_to_followers(Subscription.objects.for_listing(), now)

    visible_ids = {
        subscription.pk
        for subscription in subscriptions
        if Partnership.objects.visible_to(subscription.person).filter(pk=subscription.partnership_id)
    }
    assert named_ids == visible_ids
    assert 0 < len(visible_ids) < len(people)
