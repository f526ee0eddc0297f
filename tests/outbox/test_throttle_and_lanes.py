"""Limits by minute do not hold back account emails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from django.core import mail
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.test import Client
from django.urls import reverse

from partnerships.outbox import throttle
from partnerships.outbox.draining import drain
from tests.support.outbox import drop_emails
from tests.world import make_world


@contextmanager
def lock_of_another_sender() -> Iterator[None]:
    """Hold the lock of the limits by minute within the block on another connection, as a sender of digests does."""
    other_connection = connections.create_connection(DEFAULT_DB_ALIAS)
    with closing(other_connection), other_connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [throttle.LOCK])
        yield


@contextmanager
def short_lock_timeout() -> Iterator[None]:
    """Fail within the block instead of waiting for a lock longer than half a second."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '500ms'")
        yield
        cursor.execute("RESET lock_timeout")


@pytest.mark.django_db(transaction=True)
def test_account_email_leaves_while_another_sender_counts_its_digests(settings: Any) -> None:
    settings.EMAIL_PER_MINUTE = 100
    world = make_world()
    drop_emails()
    Client().post(reverse("account_reset_password"), {"email": world.vera.email})

    with lock_of_another_sender(), short_lock_timeout():
        drain(seconds=20, lanes="account")

    [email] = mail.outbox
    assert world.vera.email in email.to[0]
