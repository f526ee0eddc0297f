"""Notices of a kind that only tests of the outbox record, and the ways these tests send them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils import timezone

from partnerships.outbox.content import Content
from partnerships.outbox.draining import drain
from partnerships.outbox.groups import NoticeGroup
from partnerships.outbox.kinds import DueEmail
from partnerships.outbox.models import Email, Lane
from partnerships.outbox.services import record_email
from partnerships.people.composing import PersonEmail, register_emails
from partnerships.people.models import User

KIND = "tests.notice"


def compose_short_email(due: DueEmail, person: User, now: Any) -> Content:
    """Return a short email."""
    context = {"person": person, "event": None, "link": "http://localhost/"}
    return Content("people/new_sign_in", context)


register_emails(
    PersonEmail(KIND, "A notice of the tests", compose_short_email, group=NoticeGroup.PLANS, lane=Lane.NOTICE)
)


def record_notices(*people: User) -> list[Email]:
    """Record a notice to each of these people, and return the notices in the same order."""
    with transaction.atomic():
        return [record_email(kind=KIND, person_id=person.pk, now=timezone.now()) for person in people]


def send(times: int = 1) -> None:
    """Drain this many times. Emails that wait for a retry become due again in between."""
    for _ in range(times):
        Email.objects.filter(status="queued").update(available_at=timezone.now())
        drain(seconds=30)


def wait_until(condition: Callable[[], bool], *, seconds: float) -> None:
    """Wait until a condition is true, and fail after these seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"still false after {seconds} seconds"
        time.sleep(0.01)
