"""Reminders: at the lead times each owner chose, once, and only while they are needed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from partnerships.commitments import services
from partnerships.commitments.models import Commitment, Reminder, Status
from partnerships.commitments.services import reminders
from tests.commitments.promises import agree, in_days, report
from tests.world import World


def sweep(days: int = 0) -> int:
    """What the beat does, that many days from now."""
    now = timezone.now() + dt.timedelta(days=days)
    services.queue_reminders(now=now)
    return services.send_waiting_reminders(now=now)


def test_an_owner_is_reminded_at_the_usual_lead_times(world: World) -> None:
    agree(world, due_on=in_days(20))

    sent = {days: sweep(days) for days in range(22)}

    assert {days for days, count in sent.items() if count} == {6, 17, 20}
    assert sum(sent.values()) == 3
    assert {letter.to[0] for letter in mail.outbox} == {"eddie@larkhaven.example"}


def test_an_owner_is_reminded_at_the_lead_times_they_chose(world: World) -> None:
    agree(world, due_on=in_days(20))
    services.choose_lead_times(person=world.eddie, days=[7], now=timezone.now())

    sent = [days for days in range(22) if sweep(days)]

    assert sent == [13]


def test_an_owner_who_chose_none_is_left_alone(world: World) -> None:
    agree(world, due_on=in_days(2))
    services.choose_lead_times(person=world.eddie, days=[], now=timezone.now())

    assert sweep() == 0


def test_a_sweep_that_was_away_for_a_week_sends_one_letter(world: World) -> None:
    agree(world, due_on=in_days(20))

    sent = sweep(18)

    assert sent == 1
    assert "Due in 2 days" in mail.outbox[0].subject


def test_two_sweeps_send_one_letter(world: World) -> None:
    agree(world, due_on=in_days(3))

    assert [sweep(), sweep()] == [1, 0]


def test_a_moved_date_is_reminded_of_again(world: World) -> None:
    commitment = agree(world, due_on=in_days(3))
    sweep()
    services.change_due_date(
        commitment=commitment, due_on=in_days(30), reason="Late.", author=world.eddie, now=timezone.now()
    )

    assert sweep(16) == 1


def test_nothing_is_sent_for_what_was_delivered_meanwhile(world: World) -> None:
    commitment = agree(world, due_on=in_days(3))
    services.queue_reminders(now=timezone.now())
    report(world, commitment, Status.DONE, delivered=commitment.quantity)

    sent = services.send_waiting_reminders(now=timezone.now())

    assert sent == 0
    assert Reminder.objects.get().dropped_at is not None


def test_nothing_is_sent_to_an_owner_who_has_left(world: World) -> None:
    agree(world, due_on=in_days(3))
    services.queue_reminders(now=timezone.now())
    world.eddie.memberships.update(ends_on=timezone.localdate())

    assert services.send_waiting_reminders(now=timezone.now()) == 0


def test_a_refused_letter_is_tried_three_times_by_later_sweeps(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    agree(world, due_on=in_days(3))
    tries: list[Commitment] = []

    def refuse(*, commitment: Commitment, **_: Any) -> bool:
        tries.append(commitment)
        return False

    monkeypatch.setattr(reminders, "send_reminder", refuse)
    now = timezone.now()
    services.queue_reminders(now=now)

    for minutes in range(0, 100, 11):
        services.send_waiting_reminders(now=now + dt.timedelta(minutes=minutes))

    assert len(tries) == Reminder.MAX_TRIES
    assert Reminder.objects.get().dropped_at is not None


def test_the_letter_says_the_same_in_both_parts(world: World) -> None:
    commitment = agree(world, due_on=in_days(3), text="Homes & gardens at <Quayside>.")

    sweep()

    (letter,) = mail.outbox
    html = letter.alternatives[0].content
    assert "Homes & gardens at <Quayside>." in letter.body
    assert "Homes &amp; gardens at &lt;Quayside&gt;." in html
    for part in (letter.body, html):
        assert commitment.reference in part
        assert "0 of 60 homes" in part
        assert commitment.get_absolute_url() in part
