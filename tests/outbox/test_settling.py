"""Little is repeated if accepted emails cannot be settled, or if senders die each time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from partnerships.outbox import settling
from partnerships.outbox.draining import drain
from partnerships.outbox.models import Email
from partnerships.outbox.services import record_email
from partnerships.outbox.settling import Settler
from tests.outbox.mail_server import MailServer, mail_server
from tests.outbox.test_slow_mail_servers import KIND, quick
from tests.support.ledger import rewrite
from tests.world import World, make_world

__all__ = ["quick"]  # the fixture with short timeouts

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(transactional_db: None) -> World:
    """Return the small world, without the emails of its set-up."""
    small_world = make_world()
    rewrite(status="dropped", settled_at=timezone.now())
    return small_world


@pytest.fixture
def server(world: World, settings: Any) -> Iterator[MailServer]:
    """Provide a server that accepts all emails."""
    with mail_server({}) as running:
        settings.EMAIL_PORT = running.port
        yield running


def record(world: World) -> list[int]:
    """Record an email to each of three people, and return the ids of the emails."""
    with transaction.atomic():
        return [
            record_email(kind=KIND, person_id=person.pk, now=timezone.now()).pk
            for person in (world.amina, world.ben, world.vera)
        ]


def drain_often() -> None:
    """Drain six times, each time after the leases have ended."""
    for _ in range(6):
        with contextlib.suppress(Exception):  # the sender dies
            drain(seconds=30)
        Email.objects.filter(kind=KIND, status__in=["queued", "sending"]).update(available_at=timezone.now())


def test_accepted_emails_are_settled_without_what_fails_for_them(
    world: World, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = record(world)
    failing_sql = (
        "INSERT INTO outbox_sendcount (domain, minute, count)"
        f" SELECT id::text, now(), 1 / (id - {numbers[1]}) FROM done"
    )
    monkeypatch.setitem(settling._effects_in_sql, "boom", failing_sql)

    drain_often()

    assert server.received == {world.amina.email: 1, world.ben.email: 1, world.vera.email: 1}
    assert set(Email.objects.filter(pk__in=numbers).values_list("status", flat=True)) == {"sent"}


def test_sender_killed_after_each_copy_sends_three_at_most(
    world: World, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = record(world)

    def die(*args: object, **kwargs: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(Settler, "add", die)
    drain_often()
    monkeypatch.undo()
    drain_often()

    assert max(server.received.values()) <= 3
    outcomes = Email.objects.filter(pk__in=numbers).values_list("status", "reason_code")
    assert set(outcomes) <= {("sent", ""), ("failed", "may_have_arrived")}
