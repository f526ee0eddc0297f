"""Administrators see another person’s digest only after giving a reason, and the person can see it."""

from __future__ import annotations

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.people.models import SecurityEvent
from tests.digests.access import delivery, prepare
from tests.support.signing_in import signed_in
from tests.world import World


@pytest.fixture
def dee(world: World) -> Client:
    """Return the browser of Dee, an administrator."""
    prepare(world)
    return signed_in(world.dee)


def test_another_persons_next_digest_is_shown_for_ten_minutes_after_a_reason(world: World, dee: Client) -> None:
    address = reverse("digests:preview", args=[world.sol.pk])
    start = timezone.now()

    with time_machine.travel(start, tick=False) as clock:
        question_page = dee.get(address).content.decode()
        answer_without_reason = dee.post(address, {"reason": ""})
        assert "Why do you need to see this email?" in question_page
        assert "what the digest would say if we sent it now" not in question_page
        assert answer_without_reason.status_code == 422
        assert not SecurityEvent.objects.filter(person=world.sol).exists()

        answer_with_reason = dee.post(address, {"reason": "He says that nothing comes."}, follow=True)

        assert "what the digest would say if we sent it now" in answer_with_reason.content.decode()
        event = Event.objects.get(kind="person.next_digest_viewed")
        assert event.actor_id == world.dee.pk
        assert event.target_id == world.sol.pk
        assert event.data["reason"] == "He says that nothing comes."
        assert SecurityEvent.objects.get(person=world.sol).kind == "digest_seen"
        other_preview = reverse("digests:preview", args=[world.vera.pk])
        assert "Why do you need to see this email?" in dee.get(other_preview).content.decode(), (
            "A reason is for one person."
        )
        clock.shift(601)
        assert "Why do you need to see this email?" in dee.get(address).content.decode()


def test_people_see_in_their_account_that_an_administrator_read_an_email(world: World, dee: Client) -> None:
    dee.post(reverse("digests:entry", kwargs=delivery(world)), {"reason": "He says that it is garbled."})

    assert SecurityEvent.objects.get(person=world.sol).kind == "digest_seen"
    assert Event.objects.get(kind="delivery.viewed").data["reason"] == "He says that it is garbled."


def test_your_own_next_digest_needs_no_reason(world: World, dee: Client) -> None:
    response = dee.get(reverse("digests:preview", args=[world.dee.pk]))

    assert "what the digest would say if we sent it now" in response.content.decode()
