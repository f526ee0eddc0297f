"""No log line, traceback, alert or report contains an email address, a link with a token or a value of the database."""

from __future__ import annotations

import io
import itertools
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sentry_sdk
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import DataError, IntegrityError, ProgrammingError, connection, transaction
from django.test import Client
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve
from gunicorn.config import Config
from sentry_sdk.transport import HttpTransport

import manage
from housing import error_reports
from housing.celery import app
from housing.masking_logger import MaskingLogger
from partnerships.kit.masking import mask
from partnerships.kit.operators import wait_for_alerts
from partnerships.people.models import User

CANARY = "canary.person@address.example"
#: A token that looks like a signed value. Numbers and slugs contain no colon.
TOKEN = "cAnAry:Token_9"
_PARAMETER = re.compile(r"<(?:\w+:)?\w+>|\(\?P<\w+>[^)]*\)")


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Provide the lines that the log handler of the settings writes."""
    handler = logging.getLogger("django").handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    written = io.StringIO()
    previous_stream = handler.setStream(written)
    yield written
    handler.setStream(previous_stream)


@pytest.fixture
def reports(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """Provide the reports that would be sent to Sentry."""
    events: list[dict[str, Any]] = []
    monkeypatch.setattr(HttpTransport, "capture_envelope", lambda self, envelope: events.append(envelope.get_event()))
    settings.SENTRY_DSN = "https://key@errors.example/7"
    error_reports._set_up.cache_clear()
    yield events
    sentry_sdk.get_global_scope().set_client(None)
    error_reports._set_up.cache_clear()


def integrity_error() -> IntegrityError:
    """Return PostgreSQL's error about an email address that already exists."""
    User.objects.create_user(email=CANARY)
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        User.objects.create_user(email=CANARY)
    assert CANARY in str(caught.value)
    return caught.value


@pytest.mark.django_db
def test_an_integrity_error_logs_no_email_address(lines: io.StringIO) -> None:
    error = integrity_error()

    logging.getLogger("django.request").error("Internal Server Error: /", exc_info=error)
    logging.getLogger("celery").error("Task failed: %r", error)
    logging.getLogger("django").error("It said: %s", error)

    assert "unique_email_per_person" in lines.getvalue()
    assert "canary" not in lines.getvalue()


@pytest.mark.django_db
def test_values_in_an_errors_detail_are_masked() -> None:
    person = User.objects.create_user(email=CANARY, name="Canary Singer")
    messages = []
    for statement, error in (
        ("UPDATE people_user SET email = NULL WHERE id = %s", IntegrityError),
        ("SELECT 'Canary Singer'::int, %s", DataError),
        ("SELECT 'Canary Singer', nothing FROM people_user WHERE id = %s", ProgrammingError),
    ):
        with pytest.raises(error) as caught, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [person.pk])
        assert "Canary" in str(caught.value)
        messages += [mask(str(caught.value)), mask(repr(caught.value))]

    assert "Canary" not in "".join(messages)


@pytest.mark.parametrize("ends", ["fail()", "thread = threading.Thread(target=fail); thread.start(); thread.join()"])
def test_the_traceback_of_a_crashed_process_or_thread_is_masked(tmp_path: Path, ends: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import threading\n"
        "from partnerships.kit.masking import mask_tracebacks\n"
        "def fail():\n"
        f"    raise ValueError('no\\nDETAIL:  Key (email)=({CANARY})')\n"
        "mask_tracebacks()\n"
        f"{ends}\n"
    )

    process = subprocess.run(
        [sys.executable, str(program)],
        env={"PYTHONPATH": str(settings.BASE_DIR)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert "ValueError: no" in process.stderr
    # The traceback also quotes the source line, which names the address.
    assert f"({CANARY})\n" not in process.stderr.rpartition("ValueError")[2]


def url_patterns(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> Iterator[str]:
    """Yield the patterns of all URLs except Django admin's, which contain only numbers and model names."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                yield from url_patterns(pattern.url_patterns, prefix + str(pattern.pattern))
        else:
            yield prefix + str(pattern.pattern)


def links_with_a_token() -> list[str]:
    """Return a path for every URL that accepts a token.

    They are found by trying a token, a number and a slug in each place.
    """
    links = []
    for pattern in url_patterns(get_resolver().url_patterns):
        pieces = _PARAMETER.split(re.sub(r"\^|\$$|\\Z", "", pattern))
        for values in itertools.product((TOKEN, "7", "a-slug"), repeat=len(pieces) - 1):
            path = pieces[0] + "".join(value + piece for value, piece in zip(values, pieces[1:], strict=True))
            try:
                match = resolve(path)
            except Resolver404:
                continue
            if TOKEN in str(match.kwargs.values()):
                links.append(path)
    return links


def test_every_link_with_a_token_is_masked(lines: io.StringIO) -> None:
    links = links_with_a_token()

    names = {resolve(link).view_name for link in links}
    assert {"organisations:accept-invitation", "digests:stop", "plans:sign-by-link"} <= names
    assert {"account_reset_password_from_key", "account_confirm_email"} <= names
    for link in links:
        logging.getLogger("django.request").error("Internal Server Error: %s", link)
        logging.getLogger("django.request").error("From %s%s?next=%s", settings.SITE_ORIGIN, link, quote(link, ""))
        logging.getLogger("django.request").error("%s", {"path": [link]})
    assert TOKEN not in lines.getvalue()
    assert quote(TOKEN) not in lines.getvalue()


@pytest.mark.django_db
def test_no_page_behind_a_link_with_a_token_sends_it_on_as_referer() -> None:
    client = Client(raise_request_exception=False)
    links = links_with_a_token()

    policies_by_route = {resolve(link).view_name: client.get(link).headers.get("Referrer-Policy") for link in links}

    assert policies_by_route["plans:sign-by-link"] == "strict-origin"
    assert {
        name: policy for name, policy in policies_by_route.items() if policy not in ("no-referrer", "strict-origin")
    } == {}


def test_a_form_without_csrf_token_does_not_log_its_link(lines: io.StringIO) -> None:
    Client(enforce_csrf_checks=True).post(f"/organisations/invitations/{TOKEN}/")

    assert "Forbidden" in lines.getvalue()
    assert TOKEN not in lines.getvalue()


def test_query_strings_are_not_logged(lines: io.StringIO) -> None:
    logging.getLogger("django.request").error("Internal Server Error: /search/?q=secret")

    assert "/search/" in lines.getvalue()
    assert "secret" not in lines.getvalue()


def test_lines_are_json_objects_on_the_stream_that_the_setting_names() -> None:
    program = (
        "import django, logging, structlog\n"
        "django.setup()\n"
        "structlog.contextvars.bind_contextvars(request_id='the-request')\n"
        "structlog.get_logger('housing').info('request', route='home', user=7)\n"
        f"logging.getLogger('django.request').error('Sent to %s', '{CANARY}')\n"
    )
    environ = {"LOG_STREAM": "stdout", "LOG_FORMAT": "json", "DJANGO_SETTINGS_MODULE": "housing.settings"}

    process = subprocess.run(
        [sys.executable, "-c", program],
        cwd=settings.BASE_DIR,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=True,
    )

    first, second = map(json.loads, process.stdout.splitlines())
    assert first["event"] == "request"
    assert first["request_id"] == "the-request"
    assert first["route"] == "home"
    assert first["user"] == 7
    assert second["event"] == "Sent to [address]"
    assert second["level"] == "error"
    assert "the-request" not in process.stderr


def test_commands_log_to_standard_error_because_programs_read_their_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_STREAM", "stdout")
    monkeypatch.setenv("DATABASE_ROLE", "worker")
    monkeypatch.setattr(sys, "argv", ["manage.py", "digests", "status", "--json"])
    monkeypatch.setattr(manage, "execute_from_command_line", lambda argv: None)

    manage.main()

    assert os.environ["LOG_STREAM"] == "stderr"


def test_gunicorns_log_lines_are_masked(tmp_path: Path) -> None:
    config = Config()
    config.set("errorlog", str(tmp_path / "errors"))

    MaskingLogger(config).error("Error handling request /digests/stop/%s/ of %s", TOKEN, CANARY)

    written = (tmp_path / "errors").read_text()
    assert "Error handling request /digests/stop/[masked]" in written
    assert "canary" not in written


@pytest.mark.django_db
def test_alerts_about_failed_pages_contain_no_token_or_email_address(
    client: Client, settings: object, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[EmailMessage]
) -> None:
    settings.ADMINS = [("Operators", "operators@ground.example")]  # type: ignore[attr-defined]  # pytest-django's
    error = integrity_error()

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError(f"/digests/stop/{TOKEN}/") from error

    monkeypatch.setattr("partnerships.digests.signed_links.render", fail)
    client.raise_request_exception = False

    for _ in range(20):
        assert client.get(f"/digests/stop/{TOKEN}/").status_code == 500
    wait_for_alerts(seconds=60)

    assert [email.subject for email in mailoutbox] == ["[Common Ground] RuntimeError on digests:stop"]
    assert "unique_email_per_person" in mailoutbox[0].body
    assert TOKEN not in mailoutbox[0].body
    assert "canary" not in mailoutbox[0].body


@pytest.mark.django_db
def test_reports_about_failed_pages_contain_no_request_token_or_email_address(
    client: Client, reports: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    error = integrity_error()

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError(f"/digests/stop/{TOKEN}/") from error

    monkeypatch.setattr("partnerships.digests.signed_links.render", fail)
    client.raise_request_exception = False

    assert client.get(f"/digests/stop/{TOKEN}/", {"q": CANARY}).status_code == 500

    (report,) = reports
    report_text = json.dumps(report)
    assert report["exception"]["values"][-1]["value"] == "/digests/stop/[masked]"
    assert report["tags"]["page"] == "digests:stop"
    assert report["tags"]["request_id"]
    assert "unique_email_per_person" in report_text
    assert TOKEN not in report_text
    assert "canary" not in report_text
    assert '"vars"' not in report_text
    assert report["breadcrumbs"]["values"] == []
    assert {"request", "user", "extra"} & set(report) == set()


@app.task(name="tests.says_an_address")
def says_an_address(address: str) -> None:
    raise ValueError(f"nobody is {address}")


@pytest.mark.django_db
def test_reports_about_failed_jobs_name_the_task_and_not_its_arguments(reports: list[dict[str, Any]]) -> None:
    says_an_address.apply(args=[CANARY], task_id="the-task")

    (report,) = reports
    assert report["exception"]["values"][-1]["value"] == "nobody is [address]"
    assert report["tags"] == {"job": "tests.says_an_address", "task_id": "the-task"}
    assert "canary" not in json.dumps(report)


def test_nothing_is_reported_without_an_address_for_it(reports: list[dict[str, Any]], settings: Any) -> None:
    settings.SENTRY_DSN = ""

    error_reports.report_error(ValueError("no"), page="home")

    assert reports == []


def test_the_proxy_example_in_the_docs_masks_every_such_link() -> None:
    nginx_configuration = (settings.BASE_DIR / "docs" / "deploy" / "nginx.conf").read_text()
    pattern_line = re.search(r'"~(\^\(\?<head>[^"]+)"', nginx_configuration)
    assert pattern_line, "docs/deploy/nginx.conf must show how nginx masks links."
    example = re.compile(pattern_line[1].replace("(?<head>", "(?P<head>"))

    for link in links_with_a_token():
        match = example.match(link)
        assert match, link
        assert TOKEN not in match["head"]
