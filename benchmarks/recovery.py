"""`make try-recovery`: drops a table by accident and restores the moment before, by archived write-ahead log.

It uses a PostgreSQL server of its own in a temporary folder, and the commands of docs/backups.md.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg2

from tools.embedded.postgres import find_installation

ROWS = 1_000
PORT = "5439"


def main() -> int:
    """Try it; returns 1 if a row is missing."""
    installation = find_installation(Path("var").resolve())
    folder = Path(tempfile.mkdtemp(prefix="cg-recovery-", dir="/tmp"))
    user = installation.user if installation.user is not None else os.geteuid()
    try:
        for name in ("wal", "sockets"):
            (folder / name).mkdir()
        for path in (folder, folder / "wal", folder / "sockets"):
            os.chown(path, user, pwd.getpwuid(user).pw_gid)
        server = Server(installation.binaries, folder, user)
        return server.try_it()
    finally:
        shutil.rmtree(folder)


class Server:
    """A PostgreSQL server, its archive and what is restored from it."""

    def __init__(self, binaries: Path, folder: Path, user: int) -> None:
        self.binaries = binaries
        self.folder = folder
        self.user = user

    def run(self, program: str, *words: str) -> None:
        """Run one of PostgreSQL's programs as the server's account; raises if it fails."""
        subprocess.run(
            [str(self.binaries / program), *words],
            user=self.user,
            cwd="/",
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def start(self, data: Path, **options: str) -> None:
        """Start a server on a data folder and wait until it answers."""
        given = {
            "unix_socket_directories": str(self.folder / "sockets"),
            "listen_addresses": "",
            "port": PORT,
            **options,
        }
        words = " ".join(f"-c {name}='{value}'" for name, value in given.items())
        self.run(
            "pg_ctl", "start", "--wait", "--pgdata", str(data), "--log", str(self.folder / "log"), "--options", words
        )

    def stop(self, data: Path) -> None:
        """Stop it at once."""
        self.run("pg_ctl", "stop", "--wait", "--mode", "fast", "--pgdata", str(data))

    def ask(self, *statements: str) -> object:
        """Run statements; returns the first column of the last one's first row."""
        connection = psycopg2.connect(host=str(self.folder / "sockets"), port=PORT, user="postgres", dbname="postgres")
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchone()[0] if cursor.description else None
        finally:
            connection.close()

    def try_it(self) -> int:
        """Base backup, work, accident, recovery to the moment before."""
        data, base, wal = self.folder / "data", self.folder / "base", self.folder / "wal"
        self.run("initdb", "--pgdata", str(data), "--username", "postgres", "--auth", "trust", "--no-sync")
        self.start(data, archive_mode="on", archive_command=f"test ! -f {wal}/%f && cp %p {wal}/%f")
        self.ask("CREATE TABLE commitment (id bigint PRIMARY KEY, words text)")
        self.run(
            *("pg_basebackup", "--host", str(self.folder / "sockets"), "--port", PORT, "--username", "postgres"),
            *("--pgdata", str(base), "--checkpoint", "fast"),
        )
        self.ask(f"INSERT INTO commitment SELECT n, 'homes ' || n FROM generate_series(1, {ROWS}) n")
        moment = self.ask("SELECT pg_sleep(0.2)", "SELECT clock_timestamp()::text")
        self.ask("SELECT pg_sleep(0.2)", "DROP TABLE commitment", "SELECT pg_switch_wal()")
        self.stop(data)
        began = time.monotonic()
        with (base / "postgresql.auto.conf").open("a") as file:
            file.write(f"restore_command = 'cp {wal}/%f %p'\n")
            file.write(f"recovery_target_time = '{moment}'\nrecovery_target_action = 'promote'\n")
        (base / "recovery.signal").touch()
        self.start(base)
        found = self.ask("SELECT count(*) FROM commitment")
        self.stop(base)
        sys.stdout.write(f"{found} of {ROWS} rows are back as of {moment}, in {time.monotonic() - began:.1f} s.\n")
        return int(found != ROWS)


if __name__ == "__main__":
    sys.exit(main())
