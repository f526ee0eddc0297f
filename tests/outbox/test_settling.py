"""Little is repeated if accepted emails cannot be settled, or if senders die each time."""

from __future__ import annotations

import contextlib

import pytest
from django.utils import timezone

from partnerships.outbox import settling
from partnerships.outbox.draining import drain
from partnerships.outbox.models import Email
from partnerships.outbox.settling import Settler
from tests.outbox.mail_server import MailServer
from tests.outbox.notices import KIND, record_notices
from tests.world import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("short_timeouts")]


def drain_often() -> None:
    """Drain six times, each time after the leases have ended, whether or not the sender dies."""
    for _ in range(6):
        with contextlib.suppress(Exception):
            drain(seconds=30)
        Email.objects.filter(kind=KIND, status__in=["queued", "sending"]).update(available_at=timezone.now())


def test_accepted_emails_are_settled_although_an_effect_of_one_fails(
    world: World, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, email_to_ben, _ = record_notices(world.amina, world.ben, world.vera)
    divide_by_zero_for_ben = (
        "INSERT INTO outbox_sendcount (domain, minute, count)"
        f" SELECT id::text, now(), 1 / (id - {email_to_ben.pk}) FROM done"
    )
    monkeypatch.setitem(settling._effects_in_sql, "boom", divide_by_zero_for_ben)

    drain_often()

    assert server.received == {world.amina.email: 1, world.ben.email: 1, world.vera.email: 1}
    assert set(Email.objects.filter(kind=KIND).values_list("status", flat=True)) == {"sent"}


def test_sender_killed_after_each_copy_sends_three_at_most(
    world: World, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_notices(world.amina, world.ben, world.vera)

    def die(*args: object, **kwargs: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(Settler, "add", die)  # called with the answer to a copy

    drain_often()
    monkeypatch.undo()
    drain_often()

    assert max(server.received.values()) <= 3
    outcomes = Email.objects.filter(kind=KIND).values_list("status", "reason_code")
    assert set(outcomes) <= {("sent", ""), ("failed", "may_have_arrived")}
