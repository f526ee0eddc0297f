"""What somebody refused since the backup stays refused: a plan, matches, questions, a report by email, a view."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.account.signals import email_changed
from django.utils import timezone

from partnerships.digests import services as digests
from partnerships.digests.models import Frequency, Preference, Subscription
from partnerships.digests.queries.stoppable import Stoppable, covering
from partnerships.kit import journal
from partnerships.lists import services as lists
from partnerships.lists.models import Follow
from partnerships.people.models import RefusedAddress, User
from partnerships.people.refusals import has_refused
from partnerships.people.services import person_for_address
from partnerships.plans.models import Plan
from partnerships.reports import services as reports
from partnerships.reports.models import Schedule
from tests.faults.restore import lost, redo
from tests.faults.test_ways_in_after_a_restore import request
from tests.plans.drafts import published_plan
from tests.world import World

ADDRESS = "paula@council.example"


@pytest.fixture(autouse=True)
def journal_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests roll back what the journal is to remember."""
    monkeypatch.setattr(journal, "note", journal.write)


@pytest.fixture
def followed_plan(world: World) -> Plan:
    """Return a plan that Ben follows through its partnership."""
    plan = published_plan(world)
    digests.subscribe(person=world.ben, target=world.partnership, author=world.ben, now=timezone.now())
    assert covering(world.ben, plan)
    return plan


def stop_plan(world: World, plan: Plan) -> digests.StopRecord:
    return digests.stop_chosen(
        person=world.ben, chosen=Stoppable(had_any=True, plans=(plan,)), reason="Enough.", now=timezone.now()
    )


def test_plan_refused_since_the_backup_through_its_partnership_is_refused_again(
    world: World, followed_plan: Plan
) -> None:
    with lost():
        stop_plan(world, followed_plan)

    redo()
    redo()

    assert covering(world.ben, followed_plan) == []
    refused = Subscription.objects.get(person=world.ben, plan=followed_plan)
    assert refused.is_refused
    assert Subscription.objects.get(person=world.ben, partnership=world.partnership).is_confirmed


def test_plan_that_was_followed_by_itself_before_is_refused_again(world: World, followed_plan: Plan) -> None:
    own_subscription = digests.subscribe(person=world.ben, target=followed_plan, author=world.ben, now=timezone.now())
    digests.stop(subscriptions=[own_subscription], author=None, reason="Over.", now=timezone.now())
    assert covering(world.ben, followed_plan)
    with lost():
        stop_plan(world, followed_plan)

    redo()

    assert covering(world.ben, followed_plan) == []


def test_plan_followed_and_refused_since_the_backup_is_refused(world: World) -> None:
    plan = published_plan(world)
    with lost():
        subscription = digests.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
        digests.stop(subscriptions=[subscription], author=world.ben, reason="Enough.", now=timezone.now())

    redo()

    assert Subscription.objects.refused().filter(person=world.ben, plan=plan).exists()


def test_refusal_of_a_plan_that_was_undone_since_the_backup_is_not_made_again(
    world: World, followed_plan: Plan
) -> None:
    with lost():
        stopped = stop_plan(world, followed_plan)
        digests.undo_stop(person=world.ben, stopped=stopped, now=timezone.now())

    redo()

    assert covering(world.ben, followed_plan)


def test_refusal_of_a_plan_that_the_backup_does_not_have_is_left_out(world: World) -> None:
    with lost():
        plan = published_plan(world)
        digests.subscribe(person=world.ben, target=world.partnership, author=world.ben, now=timezone.now())
        stop_plan(world, plan)

    outcome = redo()

    assert not [words for words, one in outcome.items() if one.has_failed]
    assert not Subscription.objects.filter(person=world.ben).exists()


# ---- Matches


def prefer_matches(world: World, *, on: bool) -> None:
    digests.prefer(
        person=world.ben,
        frequency=Frequency.DAILY,
        hour=8,
        weekday=0,
        working_days_of="",
        paused_until=None,
        time_zone="Europe/London",
        tells_matches=on,
        author=world.ben,
        now=timezone.now(),
    )


def stop_matches_from_an_email(world: World) -> None:
    prefer_matches(world, on=True)
    digests.stop_chosen(
        person=world.ben, chosen=Stoppable(had_any=True, matches=True), reason="Enough.", now=timezone.now()
    )


def stop_matches_by_preference(world: World) -> None:
    prefer_matches(world, on=False)


def hears_of_matches(world: World) -> bool:
    return not Preference.objects.filter(person=world.ben, tells_matches=False).exists()


MATCHES_OFF = [stop_matches_from_an_email, stop_matches_by_preference]


@pytest.mark.parametrize("stop", MATCHES_OFF, ids=lambda stop: stop.__name__)
def test_matches_stopped_since_the_backup_stay_stopped(world: World, stop: Any) -> None:
    with lost():
        stop(world)
    assert hears_of_matches(world)

    redo()

    assert not hears_of_matches(world)


@pytest.mark.parametrize("stop", MATCHES_OFF, ids=lambda stop: stop.__name__)
def test_matches_stopped_and_wanted_again_since_the_backup_come(world: World, stop: Any) -> None:
    with lost():
        stop(world)
        prefer_matches(world, on=True)

    redo()

    assert hears_of_matches(world)


# ---- Questions


def refuse_everything(person: User) -> None:
    digests.stop_all(person=person, reason="Enough.", now=timezone.now())


def test_somebody_whom_the_backup_does_not_know_is_not_asked_again(world: World) -> None:
    with lost():
        refuse_everything(person_for_address(email=ADDRESS, name="Paula Quiet"))

    redo()
    redo()

    assert has_refused(ADDRESS.upper())
    assert not User.objects.filter(email=ADDRESS).exists()


def test_somebody_who_refused_and_allowed_questions_since_the_backup_may_be_asked(world: World) -> None:
    with lost():
        person = person_for_address(email=ADDRESS, name="Paula Quiet")
        refuse_everything(person)
        digests.allow_questions(person=person, now=timezone.now())

    redo()

    assert not RefusedAddress.objects.exists()


def test_somebody_who_came_back_after_a_restore_may_be_asked_after_a_second_run(world: World) -> None:
    with lost():
        refuse_everything(person_for_address(email=ADDRESS, name="Paula Quiet"))
    redo()
    person = person_for_address(email=ADDRESS, name="Paula Quiet")
    digests.allow_questions(person=person, now=timezone.now())

    redo()

    assert not has_refused(ADDRESS)
    assert not Preference.objects.filter(person=person, refused_at__isnull=False).exists()


def give_up_address(person: User) -> str:
    """Change somebody's address; returns the old one."""
    old = EmailAddress(user=person, email=person.email)
    User.objects.filter(pk=person.pk).update(email="ben.west@westmarch.example")
    person.refresh_from_db()
    email_changed.send(sender=User, request=request(), user=person, from_email_address=old)
    return old.email


def test_refused_address_that_its_person_gave_up_since_the_backup_stays_refused(world: World) -> None:
    with lost():
        refuse_everything(world.ben)
        old = give_up_address(world.ben)
    assert not has_refused(old)

    redo()

    assert has_refused(old)


def test_address_given_up_and_allowed_again_since_the_backup_may_be_asked(world: World) -> None:
    with lost():
        refuse_everything(world.ben)
        old = give_up_address(world.ben)
        digests.allow_questions(person=person_for_address(email=old, name="Another Ben"), now=timezone.now())

    redo()

    assert not has_refused(old)


def test_refusal_after_a_new_address_counts_for_the_person_in_the_backup(world: World) -> None:
    with lost():
        User.objects.filter(pk=world.ben.pk).update(email="ben.west@westmarch.example")
        refuse_everything(User.objects.get(pk=world.ben.pk))

    redo()

    assert Preference.objects.get(person=world.ben).refused_at is not None


def test_refusal_of_questions_leaves_matches_on(world: World) -> None:
    prefer_matches(world, on=True)
    with lost():
        digests.refuse_questions(person=world.ben, now=timezone.now())

    redo()

    assert hears_of_matches(world)
    assert Preference.objects.get(person=world.ben).refused_at is not None


def test_lines_of_an_earlier_release_are_still_applied(world: World) -> None:
    prefer_matches(world, on=True)
    subscription = digests.subscribe(
        person=world.ben, target=published_plan(world), author=world.ben, now=timezone.now()
    )
    a_second_later = timezone.now() + dt.timedelta(seconds=1)
    address = journal.address_hash(world.ben.email)
    same = digests_identity(subscription)
    journal.write(
        "subscription", now=a_second_later, subscription=subscription.pk, same=same, refused=True, undone=False
    )
    journal.write("refused all", now=a_second_later, person=world.ben.pk, address=address)

    outcome = redo()

    assert not [words for words, one in outcome.items() if one.has_failed]
    subscription.refresh_from_db()
    assert subscription.is_refused
    assert not hears_of_matches(world)


def digests_identity(one: Subscription) -> str:
    return journal.identity(one.person_id, one.person.joined_at, one.plan_id, one.partnership_id, one.organisation_id)


# ---- Scheduled reports


def schedule_for(world: World) -> Schedule:
    return reports.schedule_report(
        details=reports.ScheduleDetails(
            report="partnership-register",
            query_string="",
            name="Every month",
            every="month",
            first_on=timezone.localdate(),
            people=[world.vera, world.ben],
            audience=world.partnership,
        ),
        author=world.amina,
        now=timezone.now(),
    )


def test_scheduled_report_that_was_ended_since_the_backup_ends_again(world: World) -> None:
    schedule = schedule_for(world)
    with lost():
        reports.end_schedule(schedule=schedule, author=world.amina, now=timezone.now())

    redo()
    redo()

    schedule.refresh_from_db()
    assert schedule.ended_at is not None
    assert reports.send_due_reports(now=timezone.now()) == 0


def test_who_stopped_a_scheduled_report_since_the_backup_gets_it_no_more(world: World) -> None:
    schedule = schedule_for(world)
    with lost():
        for person in (world.vera, world.ben):
            reports.stop_receiving(schedule=schedule, person=person, now=timezone.now())
        reports.receive_schedule(schedule=schedule, person=world.ben, now=timezone.now())

    redo()

    assert [recipient.person for recipient in schedule.recipients.all()] == [world.ben]


# ---- Followed views


def test_who_stopped_following_a_view_since_the_backup_follows_it_no_more(world: World) -> None:
    mine, other = (
        lists.save_view(person=world.ben, kind="asks", name=name, state={}, now=timezone.now())
        for name in ("Land", "Homes")
    )
    for view in (mine, other):
        lists.follow_view(view=view, person=world.ben, now=timezone.now())
    with lost():
        for view in (mine, other):
            lists.unfollow_view(view=view, person=world.ben, now=timezone.now())
        lists.follow_view(view=other, person=world.ben, now=timezone.now())

    redo()
    redo()

    assert [follow.view for follow in Follow.objects.filter(person=world.ben)] == [other]
