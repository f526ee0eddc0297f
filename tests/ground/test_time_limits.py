"""Time limits end statements of database roles, waiting for servers, and migrations that wait for a table."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, OperationalError, connection
from django.db.utils import ConnectionHandler
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from housing.database_roles import connection_settings, limit_roles
from housing.management.commands.migrate import Command
from housing.middleware import DatabaseOutageMiddleware
from tests.faults.relay import Relay
from tests.support.roles import database_url, limited_role

pytestmark = pytest.mark.django_db(transaction=True)

DEPLOY = settings.BASE_DIR / "docs" / "deploy.md"


def setting_in_new_session(url: str, name: str) -> str:
    """Return the value of a setting in a new session."""
    with closing(psycopg2.connect(url)) as session, session.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return str(cursor.fetchone()[0])


@pytest.mark.parametrize(
    ("kind", "statement", "lock", "pause"), [("web", "15s", "2s", "15s"), ("worker", "2min", "30s", "1min")]
)
def test_every_session_has_its_roles_limits(kind: str, statement: str, lock: str, pause: str) -> None:
    with limited_role(kind) as url:
        assert setting_in_new_session(url, "statement_timeout") == statement
        assert setting_in_new_session(url, "lock_timeout") == lock
        assert setting_in_new_session(url, "idle_in_transaction_session_timeout") == pause


def test_the_owner_of_the_tables_gets_no_limits() -> None:
    owner = connection.settings_dict["USER"]

    limit_roles({"web": connection_settings(database_url())}, owner=owner)

    assert setting_in_new_session(database_url(), "statement_timeout") == "0"


def test_one_role_for_web_and_worker_gets_the_webs_limits() -> None:
    with limited_role("worker") as url:
        both = connection_settings(url)
        limit_roles({"web": both, "worker": both}, owner="")

        assert setting_in_new_session(url, "statement_timeout") == "15s"


def test_a_connection_notices_an_unreachable_server_within_half_a_minute() -> None:
    relay = Relay()
    relay.join()
    connection_over_relay = ConnectionHandler({"default": connection_settings(relay.url())})["default"]
    try:
        connection_over_relay.ensure_connection()
        with socket.socket(fileno=socket.dup(connection_over_relay.connection.fileno())) as connected_socket:
            keepalive = connected_socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            idle, every, times, unanswered = (
                connected_socket.getsockopt(socket.IPPROTO_TCP, option)
                for option in (
                    socket.TCP_KEEPIDLE,
                    socket.TCP_KEEPINTVL,
                    socket.TCP_KEEPCNT,
                    socket.TCP_USER_TIMEOUT,
                )
            )
    finally:
        connection_over_relay.close()
        relay.cut()

    assert keepalive == 1
    assert idle + every * times <= 30
    assert 0 < unanswered <= 10_000  # after a failover, pages on old connections wait this long


def test_options_in_the_url_win() -> None:
    options = connection_settings("postgres://web@database.example/one?keepalives_idle=7&sslmode=require")["OPTIONS"]

    assert options["keepalives_idle"] == 7
    assert options["sslmode"] == "require"
    assert options["keepalives"] == 1


@pytest.mark.parametrize(
    ("limit", "statement", "patience"),
    [("statement_timeout", "SELECT pg_sleep(60)", 0), ("idle_in_transaction_session_timeout", "SELECT 1", 60)],
)
def test_a_page_stopped_by_a_time_limit_answers_503(
    rf: RequestFactory, limit: str, statement: str, patience: int
) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        with closing(ConnectionHandler({"default": connection_settings(database_url())})["default"]) as own_connection:
            own_connection.set_autocommit(False)
            with own_connection.cursor() as cursor:
                cursor.execute(f"SET {limit} = '200ms'")
                select.select([own_connection.connection], [], [], patience)  # until the server says that it ended
                cursor.execute(statement)
        return HttpResponse()

    with pytest.raises(DatabaseError):
        view(rf.get("/"))
    response = DatabaseOutageMiddleware(view)(rf.get("/"))

    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0


# --- Migrations that wait for a table


def test_migrations_wait_for_a_lock_as_long_as_the_docs_say() -> None:
    lines = DEPLOY.read_text(encoding="utf-8").splitlines()
    row = next(line for line in lines if line.startswith("| owner: `migrate`"))

    assert Command.LOCK_TIMEOUT == "5s"
    assert f"5 s, then it lets others pass and tries again, {Command.TRIES} times" in row


@pytest.fixture
def one_migration(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Provide an unapplied migration that needs an exclusive lock on the table of people."""
    settings.MIGRATION_MODULES = {"kit": "tests.ground.waiting_migrations"}
    monkeypatch.setattr(Command, "LOCK_TIMEOUT", "300ms")
    monkeypatch.setattr(Command, "PAUSE_SECONDS", 0.3)
    yield
    call_command("migrate", "kit", "zero", verbosity=0)


@pytest.fixture
def reader() -> Iterator[Any]:
    """Another session with an open transaction that has read the table."""
    with closing(psycopg2.connect(database_url())) as session, session.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM people_user")
        yield session


def test_a_migration_that_meets_a_lock_lets_others_pass_and_retries(one_migration: None, reader: Any) -> None:
    class Output(StringIO):
        def write(self, text: str) -> int:
            reader.rollback()  # the reader finishes during the pause
            return super().write(text)

    output = Output()

    call_command("migrate", "kit", verbosity=0, stderr=output)

    assert "Trying again" in output.getvalue()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM django_migrations WHERE app = 'kit' AND name = 'touch_people'")
        assert cursor.fetchone()
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


def test_a_migration_gives_up_after_its_last_try_and_says_why(
    one_migration: None, reader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Command, "TRIES", 2)
    output = StringIO()

    with pytest.raises(OperationalError, match="lock timeout"):
        call_command("migrate", "kit", verbosity=0, stderr=output)

    assert output.getvalue().count("Trying again") == 1
    reader.rollback()
