"""The embedded PostgreSQL: from a path with a space, twice in a row, after an unclean end; and its three roles."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from housing.embedded.postgres import APPLICATION, OWNER, PORT, WORKER, Postgres, new_passwords

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def places() -> Iterator[tuple[Path, Path]]:
    """A folder for state, whose name has a space, and a short one for sockets."""
    sockets = Path(tempfile.mkdtemp(prefix="cg-", dir="/tmp"))
    state = Path(tempfile.mkdtemp(prefix="two words ", dir="/tmp"))
    state.chmod(0o755)
    yield state, sockets
    for folder in (state, sockets):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def server(places: tuple[Path, Path]) -> Iterator[Postgres]:
    state, sockets = places
    server = Postgres(
        var=state, sockets=sockets, passwords=new_passwords(), log=state / "log" / "postgres.log", careful=False
    )
    server.start()
    yield server
    server.child.stop()


def ask(server: Postgres, question: str, *, user: str = OWNER) -> object:
    with server.connect(user=user) as connection, connection.cursor() as cursor:
        cursor.execute(question)
        row = cursor.fetchone()
    return row[0] if row else None


def test_it_is_postgresql_18_and_speaks_to_its_roles(server: Postgres) -> None:
    assert int(str(ask(server, "SHOW server_version_num"))) >= 180_000
    assert ask(server, "SELECT current_user", user=APPLICATION) == APPLICATION
    assert ask(server, "SELECT current_user", user=WORKER) == WORKER


def test_neither_role_is_a_superuser_and_the_application_may_make_nothing(server: Postgres) -> None:
    rights = "SELECT rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = current_user"

    assert ask(server, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    assert ask(server, rights, user=APPLICATION) is False
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        ask(server, "CREATE TABLE mine (id int)", user=APPLICATION)


def test_the_worker_has_the_rights_of_the_application_and_no_others(server: Postgres) -> None:
    assert ask(server, f"SELECT pg_has_role('{APPLICATION}', 'USAGE')", user=WORKER) is True
    assert ask(server, f"SELECT pg_has_role('{OWNER}', 'MEMBER')", user=WORKER) is False
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        ask(server, "CREATE TABLE mine (id int)", user=WORKER)


def test_a_password_is_needed_even_on_the_socket(server: Postgres) -> None:
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(host=str(server.sockets), port=PORT, dbname="common_ground", user=OWNER, password="guess")


def test_it_survives_being_killed_and_keeps_what_was_written(server: Postgres) -> None:
    with server.connect(user=OWNER) as connection, connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on; CREATE TABLE kept (word text); INSERT INTO kept VALUES ('here')")
    os.kill(server.child.pid or 0, signal.SIGKILL)
    began = time.monotonic()

    while not server.child.revive(clock=time.monotonic()):
        time.sleep(0.1)
    while not server.answers():
        time.sleep(0.1)

    assert time.monotonic() - began < 10
    assert ask(server, "SELECT word FROM kept") == "here"


def test_the_pid_file_of_a_server_long_gone_does_not_stop_it(server: Postgres) -> None:
    server.child.stop()
    (server.home.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.home.data}\n")

    server.start()

    assert server.answers()


def test_a_server_left_behind_is_ended_before_another_starts(server: Postgres) -> None:
    left_behind = server.child
    successor = Postgres(
        var=server.home.data.parent,
        sockets=server.sockets,
        passwords=server.passwords,
        log=server.child.log,
        careful=False,
    )

    successor.start()

    assert successor.answers()
    assert not left_behind.is_running
    successor.child.stop()
    server.start()
