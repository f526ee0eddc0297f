"""The embedded PostgreSQL survives a path with a space, restarts and unclean exits, and has three roles."""

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

from tools.embedded.postgres import APPLICATION, OWNER, PORT, WORKER, Postgres, new_passwords

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def places() -> Iterator[tuple[Path, Path]]:
    """Provide a folder for data whose name has a space, and a folder with a short path for sockets."""
    sockets = Path(tempfile.mkdtemp(prefix="cg-", dir="/tmp"))
    state = Path(tempfile.mkdtemp(prefix="two words ", dir="/tmp"))
    state.chmod(0o755)
    yield state, sockets
    for folder in (state, sockets):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def server(places: tuple[Path, Path]) -> Iterator[Postgres]:
    """Provide a running server of PostgreSQL in these folders."""
    state, sockets = places
    server = Postgres(
        var=state, sockets=sockets, passwords=new_passwords(), log=state / "log" / "postgres.log", durable=False
    )
    server.start()
    yield server
    server.child.stop()


def query(server: Postgres, statement: str, *, user: str = OWNER) -> object:
    """Return the first value of the statement's first row, or None."""
    with server.connect(user=user) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    return row[0] if row else None


def test_server_is_postgresql_18_and_accepts_every_role(server: Postgres) -> None:
    assert int(str(query(server, "SHOW server_version_num"))) >= 180_000
    assert query(server, "SELECT current_user", user=APPLICATION) == APPLICATION
    assert query(server, "SELECT current_user", user=WORKER) == WORKER


def test_the_owner_is_no_superuser(server: Postgres) -> None:
    assert query(server, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False


def test_the_application_has_no_rights_over_databases_or_roles(server: Postgres) -> None:
    rights = "SELECT rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = current_user"

    assert query(server, rights, user=APPLICATION) is False


@pytest.mark.parametrize("user", [APPLICATION, WORKER])
def test_only_the_owner_can_create_tables(server: Postgres, user: str) -> None:
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        query(server, "CREATE TABLE mine (id int)", user=user)


def test_worker_has_only_the_rights_of_the_application(server: Postgres) -> None:
    assert query(server, f"SELECT pg_has_role('{APPLICATION}', 'USAGE')", user=WORKER) is True
    assert query(server, f"SELECT pg_has_role('{OWNER}', 'MEMBER')", user=WORKER) is False


def test_the_socket_asks_for_a_password(server: Postgres) -> None:
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(host=str(server.sockets), port=PORT, dbname="common_ground", user=OWNER, password="guess")


def test_a_killed_server_restarts_with_its_data(server: Postgres) -> None:
    with server.connect(user=OWNER) as connection, connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on; CREATE TABLE kept (word text); INSERT INTO kept VALUES ('here')")
    os.kill(server.child.pid or 0, signal.SIGKILL)
    started_at = time.monotonic()

    while not server.child.restart_if_dead(now=time.monotonic()):
        time.sleep(0.1)
    while not server.is_ready():
        time.sleep(0.1)

    assert time.monotonic() - started_at < 60
    assert query(server, "SELECT word FROM kept") == "here"


def test_an_old_pid_file_does_not_prevent_a_start(server: Postgres) -> None:
    server.child.stop()
    (server.installation.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.installation.data}\n")

    server.start()

    assert server.is_ready()


def test_a_leftover_server_is_stopped_before_the_next_one_starts(server: Postgres) -> None:
    leftover = server.child
    successor = Postgres(
        var=server.installation.data.parent,
        sockets=server.sockets,
        passwords=server.passwords,
        log=server.child.log,
        durable=False,
    )

    successor.start()

    assert successor.is_ready()
    assert not leftover.is_running
    successor.child.stop()
    server.start()
