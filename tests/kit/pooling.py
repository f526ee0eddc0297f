"""A real PgBouncer between a test and its database."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from django.db import connection

from tests.support.ports import reserved_port
from tools.embedded.processes import Child, wait_until


def pgbouncer_program() -> str:
    """Return the path of PgBouncer. If it is missing, skip the test, or let it fail in CI."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        message = "No PgBouncer here: install Debian's package pgbouncer (.ci/run does) to run these tests."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return program


@contextmanager
def pgbouncer() -> Iterator[int]:
    """Run a PgBouncer in transaction mode, which uses its server processes in turn, and yield its port."""
    with reserved_port() as port, _pgbouncer(port):
        yield port


@contextmanager
def _pgbouncer(port: int) -> Iterator[None]:
    """Run PgBouncer at this port."""
    database = connection.settings_dict
    program = pgbouncer_program()
    folder = Path(tempfile.mkdtemp(prefix="cg-pool-", dir="/tmp"))
    settings = f"""
[databases]
* = host={database["HOST"]} port={database["PORT"]}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
server_round_robin = 1
default_pool_size = 4
"""
    (folder / "settings").write_text(settings)
    (folder / "users").write_text(f'"{database["USER"]}" "{database["PASSWORD"]}"\n')
    nobody = pwd.getpwnam("nobody") if os.geteuid() == 0 else None  # PgBouncer refuses to run as root
    if nobody:
        for path in (folder, *folder.iterdir()):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
    child = Child(
        name="PgBouncer",
        argv=[program, str(folder / "settings")],
        log=folder / "log",
        user=nobody.pw_uid if nobody else None,
        group=nobody.pw_gid if nobody else None,
        stop_signal=2,
    )
    child.start()
    try:
        wait_until(lambda: _answers(port), child=child, seconds=60)
        yield
    finally:
        child.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _answers(port: int) -> bool:
    """Return whether something listens at this port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


@contextmanager
def connected_through(port: int, *, processes: int) -> Iterator[None]:
    """Connect this thread through PgBouncer with this many server processes."""
    database = connection.settings_dict
    direct_address = database["HOST"], database["PORT"]
    connection.close()
    database["HOST"], database["PORT"] = "127.0.0.1", str(port)
    try:
        sessions = [
            psycopg2.connect(host="127.0.0.1", port=port, dbname=database["NAME"], user=database["USER"])
            for _ in range(processes)
        ]
        for session in sessions:  # each opens a transaction, so that no two can share a server process
            with session.cursor() as cursor:
                cursor.execute("SELECT 1")
        for session in sessions:  # PgBouncer would end the server process of a client that leaves an open transaction
            session.rollback()
            session.close()
        yield
    finally:
        connection.close()
        database["HOST"], database["PORT"] = direct_address
