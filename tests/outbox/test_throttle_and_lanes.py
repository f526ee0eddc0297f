"""Limits by minute do not hold back account emails."""

from __future__ import annotations

from contextlib import closing
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


@pytest.mark.django_db(transaction=True)
def test_account_email_leaves_while_another_sender_counts_its_digests(settings: Any) -> None:
    settings.EMAIL_PER_MINUTE = 100
    world = make_world()
    drop_emails()
    Client().post(reverse("account_reset_password"), {"email": world.vera.email})
    other_connection = connections.create_connection(DEFAULT_DB_ALIAS)

    with closing(other_connection), other_connection.cursor() as cursor, connection.cursor() as own_cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [throttle._LOCK])
        own_cursor.execute("SET lock_timeout = '500ms'")
        drain(seconds=20, lanes="account")
        own_cursor.execute("RESET lock_timeout")

    assert [world.vera.email in email.to[0] for email in mail.outbox] == [True]
