"""`/metrics` shows how long the oldest due email of each lane has waited."""

from __future__ import annotations

import datetime as dt
import re
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


def waiting_seconds(client: Client) -> dict[str, float]:
    """Return from the page of metrics how long the oldest due email of each lane has waited, and the oldest of all.

    For example, {"account": 60.0, "notice": 3600.0, "digest": 0.0, "all": 3600.0}.
    """
    page = client.get("/metrics", headers={"Authorization": "Bearer figures"}).content.decode()
    seconds_by_lane = {}
    for line in page.splitlines():
        if by_lane := re.fullmatch(r'outbox_oldest_due_by_lane_seconds{lane="(\w+)"} (\S+)', line):
            seconds_by_lane[by_lane[1]] = float(by_lane[2])
        elif of_all := re.fullmatch(r"outbox_oldest_due_seconds (\S+)", line):
            seconds_by_lane["all"] = float(of_all[1])
    return seconds_by_lane


def test_metrics_say_how_long_the_oldest_email_of_each_lane_waits(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "figures"
    create_due_email(Lane.ACCOUNT, minutes=1)
    create_due_email(Lane.NOTICE, minutes=60)
    create_due_email(Lane.NOTICE, minutes=3)
    create_due_email(Lane.DIGEST, minutes=-5)

    seconds = waiting_seconds(client)

    assert seconds["account"] == pytest.approx(60, abs=20)
    assert seconds["notice"] == pytest.approx(3600, abs=20)
    assert seconds["digest"] == 0, "The email is due in five minutes."
    assert seconds["all"] == seconds["notice"]


def test_while_emails_are_held_only_account_emails_are_due(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "figures"
    settings.EMAILS_HELD = True
    create_due_email(Lane.ACCOUNT, minutes=1)
    create_due_email(Lane.NOTICE, minutes=60)

    seconds = waiting_seconds(client)

    assert seconds["notice"] == 0
    assert seconds["account"] == pytest.approx(60, abs=20)
    assert seconds["all"] == seconds["account"]
