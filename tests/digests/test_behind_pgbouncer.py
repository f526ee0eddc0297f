"""Digests and pages work through PgBouncer without any setting.

In transaction pooling, each transaction may run in another process of the server.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import reverse
from django.utils import timezone
from structlog.testing import capture_logs

from partnerships.digests import services
from partnerships.digests.models import Delivery
from partnerships.digests.services.sweep import plan_round
from partnerships.kit.database import keeps_statements, rows_of, rows_planned_once
from partnerships.outbox.draining import drain
from partnerships.plans.models import Plan
from tests.digests.conftest import PostOffice, publish
from tests.kit.pooling import connected_through, pgbouncer
from tests.support.signing_in import signed_in
from tests.world import World

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def pooled(public_plan: Plan) -> Iterator[None]:
    """Connect through PgBouncer during the test."""
    with pgbouncer() as port, connected_through(port, processes=3):
        yield


def test_a_direct_connection_keeps_prepared_statements(world: World) -> None:
    assert keeps_statements()


def test_a_pooled_connection_is_detected(pooled: None) -> None:
    processes = {rows_of("SELECT pg_backend_pid()", None)[0] for _ in range(6)}

    assert len(processes) > 1
    assert not keeps_statements()


def test_statements_work_in_every_server_process(pooled: None) -> None:
    answers = [rows_planned_once("SELECT %s::int + 1", [number]) for number in range(8)]

    assert answers == [[(number + 1,)] for number in range(8)]


def test_digests_are_sent_through_a_pooled_connection(
    pooled: None, world: World, public_plan: Plan, office: PostOffice
) -> None:
    for person in (world.ben, world.eddie):
        services.add_confirmed_subscription(person=person, target=public_plan, author=None, now=timezone.now())

    with capture_logs() as log_entries:
        for number in range(3):
            publish(public_plan, 100 + number, author=world.amina)
            plan_round(now=timezone.now())
            drain(seconds=120, connect=lambda: office)

    assert [entry["event"] for entry in log_entries if entry["log_level"] in {"warning", "error"}] == []
    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent"}
    assert len(office.sent) >= 3


def test_pages_open_through_a_pooled_connection(pooled: None, world: World) -> None:
    client = signed_in(world.amina)

    statuses = {client.get(reverse(name)).status_code for name in ("exchange:board", "plans:list") for _ in range(4)}

    assert statuses == {200}
