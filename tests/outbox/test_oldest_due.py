"""`/metrics` shows how long the oldest due email of each lane has waited."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from partnerships.outbox.models import Email, Lane

pytestmark = pytest.mark.django_db


def create_due_email(lane: Lane, *, minutes: int) -> None:
    """Create an open email that became due this long ago."""
    now = timezone.now()
    Email.objects.create(
        lane=lane,
        kind="tests.waiting",
        person_id=7,
        address="amina@larkhaven.example",
        subject="Homes by the water",
        available_at=now - dt.timedelta(minutes=minutes),
        created_at=now - dt.timedelta(days=1),
    )


def ages(client: Client) -> dict[str, float]:
    """Return the seconds by lane, and altogether, from the page of metrics."""
    page = client.get("/metrics", headers={"Authorization": "Bearer figures"}).content.decode()
    lines = [line.removeprefix("outbox_oldest_due_") for line in page.splitlines() if line.startswith("outbox_oldest")]
    return {name: float(value) for name, value in map(str.split, lines)}


def test_metrics_say_how_long_the_oldest_email_of_each_lane_waits(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "figures"
    create_due_email(Lane.ACCOUNT, minutes=1)
    create_due_email(Lane.NOTICE, minutes=60)
    create_due_email(Lane.NOTICE, minutes=3)
    create_due_email(Lane.DIGEST, minutes=-5)

    age_by_metric = ages(client)

    assert age_by_metric['by_lane_seconds{lane="account"}'] == pytest.approx(60, abs=20)
    assert age_by_metric['by_lane_seconds{lane="notice"}'] == pytest.approx(3600, abs=20)
    assert age_by_metric['by_lane_seconds{lane="digest"}'] == 0
    assert age_by_metric["seconds"] == age_by_metric['by_lane_seconds{lane="notice"}']


def test_while_emails_are_held_only_account_emails_are_due(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "figures"
    settings.EMAILS_HELD = True
    create_due_email(Lane.ACCOUNT, minutes=1)
    create_due_email(Lane.NOTICE, minutes=60)

    age_by_metric = ages(client)

    assert age_by_metric['by_lane_seconds{lane="notice"}'] == 0
    assert age_by_metric["seconds"] == age_by_metric['by_lane_seconds{lane="account"}'] == pytest.approx(60, abs=20)
