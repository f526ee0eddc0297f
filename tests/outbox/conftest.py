"""Fixtures for tests that send emails to a mail server or a provider."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from tests.outbox.mail_server import MailServer, mail_server
from tests.outbox.provider import Provider
from tests.support.ledger import rewrite
from tests.world import World, make_world


@pytest.fixture
def world(db: None) -> World:
    """Return the small world, without the emails of its set-up."""
    small_world = make_world()
    rewrite(status="dropped", settled_at=timezone.now())
    return small_world


@pytest.fixture
def short_timeouts(settings: Any) -> None:
    """Send by SMTP, with a second for each command, two without progress, four for the end of DATA, and no pause."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_USE_TLS = False
    settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = ""
    settings.EMAIL_TIMEOUT = 1
    settings.EMAIL_STALL_TIMEOUT = 2
    settings.EMAIL_DATA_TIMEOUT = 4
    settings.EMAIL_RETRY_SECONDS = 0


@pytest.fixture
def server(short_timeouts: None, settings: Any) -> Iterator[MailServer]:
    """Provide a mail server that accepts all emails, unless the test sets `behaviours`."""
    with mail_server({}) as running:
        settings.EMAIL_PORT = running.port
        yield running


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    """Provide a provider that accepts all emails, unless the test sets `behaviours`. It has four seconds to answer."""
    running = Provider()
    threading.Thread(target=running.serve_forever, daemon=True).start()
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {
        "POSTMARK_SERVER_TOKEN": "token",
        "POSTMARK_API_URL": f"http://127.0.0.1:{running.server_port}/",
        "REQUESTS_TIMEOUT": (4, 4),
    }
    settings.EMAIL_RETRY_SECONDS = 0
    yield running
    running.shutdown()
    running.server_close()
