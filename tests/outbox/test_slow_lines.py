"""A large email on a slow line is sent while bytes move, and given up when the server stops reading."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from partnerships.kit.accounting import acting
from partnerships.kit.calendars import CalendarFile, Method
from partnerships.outbox.content import Content
from partnerships.outbox.draining import drain
from partnerships.outbox.groups import NoticeGroup
from partnerships.outbox.kinds import DueEmail
from partnerships.outbox.models import Email, Lane
from partnerships.outbox.services import record_email
from partnerships.people.composing import PersonEmail, register_emails
from partnerships.people.models import User
from tests.outbox.mail_server import MailServer
from tests.outbox.notices import record_notices, send, wait_until
from tests.support.certificates import self_signed_certificate
from tests.world import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("short_timeouts")]

LARGE = "tests.large"


def compose_large_email(due: DueEmail, person: User, now: Any) -> Content:
    """Return an email of about 4 MB, which contains the file twice."""
    context = {"person": person, "event": None, "link": "http://localhost/"}
    file = CalendarFile(method=Method.PUBLISH, name="large.ics", text=f"{'x' * 70}\n" * 28_000)
    return Content("people/new_sign_in", context, calendar=file)


register_emails(
    PersonEmail(LARGE, "A large email of the tests", compose_large_email, group=NoticeGroup.PLANS, lane=Lane.NOTICE)
)


@pytest.fixture(params=["plain", "tls"])
def server(server: MailServer, settings: Any, request: pytest.FixtureRequest, tmp_path: Path) -> MailServer:
    """Return the mail server, with and without TLS."""
    if request.param == "tls":
        file = self_signed_certificate(tmp_path)
        server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.tls.load_cert_chain(file)
        settings.EMAIL_HOST = "localhost"
        settings.EMAIL_USE_SSL = True
        settings.EMAIL_CA_FILE = str(file)
    return server


def record_large_email(person: User) -> Email:
    """Record a large email."""
    with transaction.atomic():
        return record_email(kind=LARGE, person_id=person.pk, now=timezone.now())


def test_large_email_on_a_slow_line_arrives_once(world: World, server: MailServer, settings: Any) -> None:
    settings.EMAIL_LEASE_SECONDS = 3
    server.behaviours = {world.amina.email: "crawl:0.1"}  # more than six seconds in all
    large = record_large_email(world.amina)
    [other_email] = record_notices(world.ben)

    def drain_in_thread() -> None:
        try:
            with acting(job="tests"):
                drain(seconds=1)
        finally:
            connection.close()

    first_sender = threading.Thread(target=drain_in_thread, daemon=True)
    first_sender.start()
    wait_until(lambda: Email.objects.get(pk=large.pk).status == "sending", seconds=30)
    states: list[tuple[str, int, bool]] = []
    while first_sender.is_alive():
        drain(seconds=1)  # another sender, which may take emails without a lease
        states += Email.objects.filter(pk=large.pk).values_list("status", "doubts", "in_doubt")
        if world.amina.email not in server.received:
            status_of_other_meanwhile = Email.objects.get(pk=other_email.pk).status
        first_sender.join(0.3)

    assert server.received == {world.amina.email: 1, world.ben.email: 1}
    assert Email.objects.get(pk=large.pk).status == "sent"
    assert status_of_other_meanwhile == "sent"
    assert ("sending", 0, False) in states, "The server cannot have an email that is still being sent."
    assert {doubts for _, doubts, _ in states} == {0}


def test_server_that_stops_reading_has_not_received_an_email(world: World, server: MailServer, settings: Any) -> None:
    settings.EMAIL_RETRY_SECONDS = 60
    server.behaviours = {world.amina.email: "stop:1000000"}
    large = record_large_email(world.amina)

    send(4)  # more often than an email in doubt is sent
    waiting_email = Email.objects.get(pk=large.pk)
    server.behaviours = {}
    send()

    assert waiting_email.status == "queued"
    assert waiting_email.doubts == 0
    assert not waiting_email.in_doubt
    assert waiting_email.deferrals == 4
    assert "the server stopped reading the email" in waiting_email.reason
    assert server.received == {world.amina.email: 1}
    assert Email.objects.get(pk=large.pk).status == "sent"


def test_email_that_takes_too_long_ends_although_it_moves(world: World, server: MailServer, settings: Any) -> None:
    settings.EMAIL_RETRY_SECONDS = 60
    settings.EMAIL_BODY_TIMEOUT = 2
    server.behaviours = {world.amina.email: "crawl:0.2"}
    large = record_large_email(world.amina)

    send()

    waiting_email = Email.objects.get(pk=large.pk)
    assert waiting_email.status == "queued"
    assert waiting_email.doubts == 0
    assert not waiting_email.in_doubt
    assert "took too long to send" in waiting_email.reason
    assert server.received == {}
