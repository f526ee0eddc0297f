"""Actions are verified by a person who did not do them."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.commitments import services
from partnerships.commitments.models import Commitment, Status
from partnerships.commitments.queries import WAITING
from partnerships.kit.rights import UnableToAct
from partnerships.organisations.waiting import tasks_for_people, tasks_from
from partnerships.people.models import User
from tests.commitments.promises import done_action, in_days
from tests.support.outbox import deliver, drop_emails, recorded
from tests.support.signing_in import signed_in
from tests.world import World

NOW = timezone.now


def tasks_of(person: User) -> set[str]:
    return {task.action for task in tasks_from(WAITING, person, NOW())}


def test_the_one_who_did_it_cannot_verify_it(world: World) -> None:
    action = done_action(world)

    with pytest.raises(UnableToAct):
        services.verify_delivery(commitment=action, author=world.eddie, now=NOW())


def test_colleague_verifies_an_action_for_nobody_else(world: World) -> None:
    action = done_action(world)

    verified = services.verify_delivery(commitment=action, author=world.amina, now=NOW())

    assert verified.is_verified
    assert verified.verified_by == world.amina


def test_owner_cannot_verify_what_a_colleague_reported(world: World) -> None:
    action = services.propose_action(
        organisation=world.larkhaven, text="Call.", owner=world.eddie, due_on=in_days(5), author=world.eddie, now=NOW()
    )
    services.record_progress(commitment=action, status=Status.DONE, author=world.amina, now=NOW())

    with pytest.raises(UnableToAct):
        services.verify_delivery(commitment=action, author=world.eddie, now=NOW())


def test_action_sent_back_needs_a_reason_and_is_in_progress_again(world: World) -> None:
    action = done_action(world, world.westmarch)

    with pytest.raises(services.UnableToVerify):
        services.send_back(commitment=action, reason=" ", author=world.ben, now=NOW())
    sent_back = services.send_back(commitment=action, reason="Page two is missing.", author=world.ben, now=NOW())

    assert sent_back.status == Status.IN_PROGRESS
    assert sent_back.done_by is None


def test_verifying_waits_for_the_other_side_else_for_colleagues(world: World) -> None:
    done_action(world, world.westmarch)

    assert "Verify the action" in tasks_of(world.ben)
    assert "Verify the action" not in tasks_of(world.amina)
    assert "Verify the action" not in tasks_of(world.eddie)

    done_action(world)

    assert "Verify the action" in tasks_of(world.amina)
    assert "Verify the action" not in tasks_of(world.eddie)


def test_work_of_many_people_is_the_same_as_of_each(world: World) -> None:
    done_action(world, world.westmarch)
    done_action(world)
    people = [world.amina, world.eddie, world.vera, world.ben, world.chidi]

    tasks_by_person = tasks_for_people(WAITING, people, NOW())

    assert tasks_by_person == {person.pk: tasks_from(WAITING, person, NOW()) for person in people}


def test_leads_of_the_other_side_are_emailed(world: World) -> None:
    drop_emails()

    done_action(world, world.westmarch)

    recorded_emails = recorded("commitments.done")
    assert [email.person_id for email in recorded_emails] == [world.ben.pk]
    [email] = deliver()
    assert "has reported that the action is done." in email.body
    assert "Verify the action:" in email.body


def test_action_done_before_actions_were_verified_stays_over(world: World) -> None:
    action = done_action(world)
    Commitment.objects.filter(pk=action.pk).update(done_by=None)
    action.refresh_from_db()

    assert action.is_over
    assert "Verify the action" not in tasks_of(world.amina)
    with pytest.raises(services.UnableToVerify):
        services.verify_delivery(commitment=action, author=world.amina, now=NOW())


def test_page_asks_the_second_person(world: World) -> None:
    action = done_action(world, world.westmarch)
    client = signed_in(world.ben)

    page = " ".join(client.get(action.get_absolute_url()).content.decode().split())
    answer = client.post(reverse("commitments:verify", args=[action.pk]), {"verdict": "verified"})

    assert "Verify the action" in page
    assert answer.status_code == 302
