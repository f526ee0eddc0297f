"""Actions are verified by a person who did not do them."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.commitments import services
from partnerships.commitments.models import Commitment, Status
from partnerships.commitments.queries import TASK_SOURCES
from partnerships.kit.rights import UnableToAct
from partnerships.organisations.waiting import tasks_for_people, tasks_from
from partnerships.people.models import User
from tests.commitments.promises import done_action, in_days
from tests.support.outbox import deliver, drop_emails, recorded
from tests.support.pages import collapse
from tests.support.signing_in import signed_in
from tests.world import World


def tasks_of(person: User) -> set[str]:
    """Return the actions of the tasks in My work of a person."""
    return {task.action for task in tasks_from(TASK_SOURCES, person, timezone.now())}


def test_person_who_did_an_action_cannot_verify_it(world: World) -> None:
    action = done_action(world)

    with pytest.raises(UnableToAct):
        services.verify_delivery(commitment=action, author=world.eddie, now=timezone.now())


def test_colleague_verifies_an_action_that_has_no_receiver(world: World) -> None:
    action = done_action(world)

    verified = services.verify_delivery(commitment=action, author=world.amina, now=timezone.now())

    assert verified.is_verified
    assert verified.verified_by == world.amina


def test_owner_cannot_verify_what_a_colleague_reported(world: World) -> None:
    action = services.propose_action(
        organisation=world.larkhaven,
        text="Call.",
        owner=world.eddie,
        due_on=in_days(5),
        author=world.eddie,
        now=timezone.now(),
    )
    services.record_progress(commitment=action, status=Status.DONE, author=world.amina, now=timezone.now())

    with pytest.raises(UnableToAct):
        services.verify_delivery(commitment=action, author=world.eddie, now=timezone.now())


def test_action_is_not_sent_back_without_a_reason(world: World) -> None:
    action = done_action(world, world.westmarch)

    with pytest.raises(services.UnableToVerify, match="what is missing"):
        services.send_back(commitment=action, reason=" ", author=world.ben, now=timezone.now())


def test_action_that_is_sent_back_is_in_progress_again(world: World) -> None:
    action = done_action(world, world.westmarch)

    sent_back = services.send_back(
        commitment=action, reason="Page two is missing.", author=world.ben, now=timezone.now()
    )

    assert sent_back.status == Status.IN_PROGRESS
    assert sent_back.done_by is None


def test_receiver_is_asked_to_verify_an_action(world: World) -> None:
    done_action(world, world.westmarch)

    assert "Verify the action" in tasks_of(world.ben)
    assert "Verify the action" not in tasks_of(world.amina)
    assert "Verify the action" not in tasks_of(world.eddie)


def test_colleagues_are_asked_to_verify_an_action_without_a_receiver(world: World) -> None:
    done_action(world)

    assert "Verify the action" in tasks_of(world.amina)
    assert "Verify the action" not in tasks_of(world.eddie)


def test_tasks_read_for_many_people_are_the_tasks_of_each(world: World) -> None:
    done_action(world, world.westmarch)
    done_action(world)
    people = [world.amina, world.eddie, world.vera, world.ben, world.chidi]

    tasks_by_person = tasks_for_people(TASK_SOURCES, people, timezone.now())

    assert tasks_by_person == {person.pk: tasks_from(TASK_SOURCES, person, timezone.now()) for person in people}


def test_only_leads_of_the_receiver_are_emailed_when_an_action_is_done(world: World) -> None:
    drop_emails()

    done_action(world, world.westmarch)

    assert [email.person_id for email in recorded("commitments.done")] == [world.ben.pk]


def test_email_asks_to_verify_the_action(world: World) -> None:
    drop_emails()
    done_action(world, world.westmarch)

    [email] = deliver()

    assert "has reported that the action is done." in email.body
    assert "Verify the action:" in email.body


@pytest.fixture
def old_action(world: World) -> Commitment:
    """Return an action that was done before the rule that a second person must verify actions."""
    action = done_action(world)
    Commitment.objects.filter(pk=action.pk).update(done_by=None)
    action.refresh_from_db()
    return action


def test_nobody_is_asked_to_verify_an_action_from_before_the_rule(world: World, old_action: Commitment) -> None:
    assert old_action.is_over
    assert "Verify the action" not in tasks_of(world.amina)


def test_action_from_before_the_rule_cannot_be_verified(world: World, old_action: Commitment) -> None:
    with pytest.raises(services.UnableToVerify):
        services.verify_delivery(commitment=old_action, author=world.amina, now=timezone.now())


def test_page_asks_the_receiver_to_verify_an_action(world: World) -> None:
    action = done_action(world, world.westmarch)

    html = signed_in(world.ben).get(action.get_absolute_url()).content.decode()

    assert "Verify the action" in collapse(html)


def test_receiver_verifies_an_action_on_its_page(world: World) -> None:
    action = done_action(world, world.westmarch)

    response = signed_in(world.ben).post(reverse("commitments:verify", args=[action.pk]), {"verdict": "verified"})

    action.refresh_from_db()
    assert response.status_code == 302
    assert action.is_verified
