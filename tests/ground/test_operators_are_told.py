"""Operators get emails about faults, and even many errors send few emails."""

from __future__ import annotations

import datetime as dt
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import time_machine
from aiosmtpd.controller import Controller
from django.core.mail import EmailMessage
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from housing.celery import app
from housing.models import Job
from partnerships.kit import operators
from partnerships.kit.operators import MAX_ALERTS, QUIET, alert_operators, wait_for_alerts
from partnerships.outbox.alerts import record_alert
from partnerships.outbox.models import Email, Lane
from partnerships.people.models import User
from tests.plans.drafts import begin
from tests.support.certificates import self_signed_certificate
from tests.support.ports import reserved_port
from tests.world import make_world
from tools.embedded.mail import Catcher, Mailbox

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def with_operators(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set an operator, and forget earlier alerts of this process."""
    settings.ADMINS = [("Operators", "operators@ground.example")]
    monkeypatch.setattr(operators, "_sent_here", {})


def subjects(mailoutbox: list[EmailMessage]) -> list[str]:
    """Return the subjects of the alerts, once all are sent."""
    wait_for_alerts(seconds=60)
    return [email.subject.removeprefix("[Common Ground] ") for email in mailoutbox]


def _fail_without_database(subject: str, text: str) -> None:
    """Fail as a channel does while the database is down."""
    raise OperationalError("gone")


def test_the_same_alert_is_sent_once_an_hour(mailoutbox: list[EmailMessage]) -> None:
    for _ in range(50):
        alert_operators("The disk is full", "Nothing can be written.")
    with time_machine.travel(timezone.now() + QUIET + dt.timedelta(minutes=1)):
        alert_operators("The disk is full", "Nothing can be written.")

    assert subjects(mailoutbox) == ["The disk is full"] * 2
    assert mailoutbox[0].to == ["operators@ground.example"]


@pytest.mark.django_db(transaction=True)
def test_an_alert_goes_through_the_outbox_if_the_database_answers(
    mailoutbox: list[EmailMessage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operators, "_channels", [record_alert])

    alert_operators("The disk is full", "Nothing can be written.")
    wait_for_alerts(seconds=60)

    email = Email.objects.get()
    assert email.kind == "outbox.alert"
    assert email.address == "operators@ground.example"
    assert email.lane == Lane.ACCOUNT
    assert mailoutbox == []


def test_many_different_errors_send_few_alerts(mailoutbox: list[EmailMessage]) -> None:
    for number in range(50):
        alert_operators(f"Error {number}", "It failed.")

    assert len(subjects(mailoutbox)) == MAX_ALERTS


def test_an_alert_about_a_database_outage_needs_no_database(client: Client, mailoutbox: list[EmailMessage]) -> None:
    client.force_login(User.objects.create_user(email="amina@larkhaven.example", password="correct horse battery"))
    client.raise_request_exception = False

    with patch("django.db.backends.base.base.BaseDatabaseWrapper.cursor", side_effect=OperationalError("gone")):
        for _ in range(5):
            assert client.get("/plans/").status_code == 503

    assert subjects(mailoutbox) == ["The database is unavailable: OperationalError"]


@pytest.mark.django_db(transaction=True)
def test_a_database_that_takes_no_writes_is_an_outage_with_one_alert(
    client: Client, mailoutbox: list[EmailMessage]
) -> None:
    world = make_world()
    address = reverse("plans:draft-comments", kwargs={"pk": begin(world).pk})
    client.force_login(world.amina)
    client.raise_request_exception = False

    with no_writes():
        responses = [client.post(address, {"text": "Too few?"}) for _ in range(3)]

    assert {(response.status_code, response["Retry-After"]) for response in responses} == {(503, "10")}
    assert subjects(mailoutbox) == ["The database is unavailable: InternalError"]


@contextmanager
def no_writes() -> Iterator[None]:
    """Make the database refuse writes in the block, as after a failover to a standby."""
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = off")


@pytest.mark.parametrize("database_state", [nullcontext, no_writes], ids=["takes writes", "accepts no changes"])
@pytest.mark.django_db(transaction=True)
def test_an_alert_in_a_full_hour_is_sent_when_the_hour_is_over(
    mailoutbox: list[EmailMessage],
    monkeypatch: pytest.MonkeyPatch,
    database_state: Callable[[], AbstractContextManager[None]],
) -> None:
    subject = "Retention is overdue"
    day = dt.timedelta(days=1)
    clock = time.monotonic()
    with database_state():
        for number in range(MAX_ALERTS):
            alert_operators(f"Error {number}", "It failed.")
        in_a_full_hour = alert_operators(subject, "For two days.", quiet=day)
        monkeypatch.setattr(operators.time, "monotonic", lambda: clock + 61 * 60)
        with time_machine.travel(timezone.now() + dt.timedelta(minutes=61)):
            later_alerts = [alert_operators(subject, "For two days.", quiet=day) for _ in range(2)]

    assert not in_a_full_hour
    assert later_alerts == [True, False]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return the file of a certificate that the mail server signed itself."""
    return self_signed_certificate(tmp_path)


@pytest.fixture(params=["EMAIL_USE_SSL", "EMAIL_USE_TLS"])
def mailbox(request: pytest.FixtureRequest, settings: Any, tmp_path: Path, certificate: Path) -> Iterator[Mailbox]:
    """Provide the mailbox of a mail server with this certificate, with either kind of encryption."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    mailbox = Mailbox(tmp_path / "mail")
    tls_options = {"ssl_context": context} if request.param == "EMAIL_USE_SSL" else {"tls_context": context}
    with reserved_port() as port:
        server = Controller(Catcher(mailbox), hostname="localhost", port=port, **tls_options)
        server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "localhost"
    settings.EMAIL_PORT = server.port
    setattr(settings, request.param, True)
    settings.EMAIL_CA_FILE = ""
    settings.EMAIL_TLS_VERIFY = True
    yield mailbox
    server.stop()


def alert_past_the_outbox() -> None:
    """Alert operators while the database is away, so that the email is not recorded in the outbox."""
    with patch.object(operators, "_channels", [_fail_without_database]):
        alert_operators("The disk is full", "Nothing can be written.")
        wait_for_alerts(seconds=60)


def test_an_alert_past_the_outbox_does_not_go_to_an_untrusted_server(mailbox: Mailbox) -> None:
    alert_past_the_outbox()

    assert mailbox.names() == []


def test_an_alert_past_the_outbox_goes_to_a_server_in_the_trusted_file(
    settings: Any, certificate: Path, mailbox: Mailbox
) -> None:
    settings.EMAIL_CA_FILE = str(certificate)

    alert_past_the_outbox()

    assert len(mailbox.names()) == 1


def test_an_alert_past_the_outbox_goes_to_any_server_if_none_is_verified(settings: Any, mailbox: Mailbox) -> None:
    settings.EMAIL_TLS_VERIFY = False

    alert_past_the_outbox()

    assert len(mailbox.names()) == 1


def test_no_alerts_without_operators(settings: Any, mailoutbox: list[EmailMessage]) -> None:
    settings.ADMINS = []

    assert not alert_operators("The disk is full", "Nothing can be written.")
    assert subjects(mailoutbox) == []


@app.task(name="tests.fails")
def fails() -> None:
    raise ValueError("no such thing as canary@address.example")


@app.task(name="tests.works")
def works() -> None:
    return None


def test_failed_jobs_are_alerted_and_counted(client: Client, settings: Any, mailoutbox: list[EmailMessage]) -> None:
    settings.METRICS_TOKEN = "prometheus-may-read"

    works.apply()
    fails.apply()
    fails.apply()

    assert subjects(mailoutbox) == ["tests.fails failed: ValueError"]
    assert "canary" not in mailoutbox[0].body
    assert Job.objects.get(name="tests.works").succeeded_at is not None
    page = client.get("/metrics", headers={"Authorization": "Bearer prometheus-may-read"}).content.decode()
    assert 'jobs_runs_total{task="tests.works"} 1.0' in page
    assert 'jobs_runs_total{task="tests.fails"} 2.0' in page
    assert 'jobs_failures_total{task="tests.fails"} 2.0' in page
    assert 'jobs_seconds_since_success{task="tests.fails"} +Inf' in page
