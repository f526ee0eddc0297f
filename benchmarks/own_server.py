"""Start a separate PostgreSQL server in a temporary folder, to test recovery and upgrades."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg2

from tools.embedded.postgres import find_installation

PORT = "5439"


class Server:
    """The programs of a server, its folder, and the account that runs it."""

    def __init__(self, binaries: Path, folder: Path, user: int) -> None:
        self.binaries = binaries
        self.folder = folder
        self.user = user
        self.sockets = folder / "sockets"

    def run(self, program: str, *words: str) -> None:
        """Run one of PostgreSQL's programs as the server's account. Raises if it fails."""
        subprocess.run(
            [str(self.binaries / program), *words],
            user=self.user,
            cwd="/",
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def create(self, data: Path) -> None:
        """Create a cluster. Its superuser needs no password on the socket."""
        self.run(
            *("initdb", "--pgdata", str(data), "--username", "postgres", "--auth", "trust", "--no-sync"),
            *("--encoding", "UTF8", "--locale", "C"),
        )

    def start(self, data: Path, **options: str) -> None:
        """Start a server on a data folder and wait until it answers."""
        settings = {"unix_socket_directories": str(self.sockets), "listen_addresses": "", "port": PORT, **options}
        command_line = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        log = str(self.folder / "log")
        self.run("pg_ctl", "start", "--wait", "--pgdata", str(data), "--log", log, "--options", command_line)

    def stop(self, data: Path) -> None:
        """Stop the server without waiting for its clients."""
        self.run("pg_ctl", "stop", "--wait", "--mode", "fast", "--pgdata", str(data))

    def ask(self, *statements: str, database: str = "postgres") -> object:
        """Run statements, and return the first column of the first row of the last one."""
        connection = psycopg2.connect(host=str(self.sockets), port=PORT, user="postgres", dbname=database)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchone()[0] if cursor.description else None
        finally:
            connection.close()

    def url(self, role: str, database: str) -> str:
        """Return the address of a database for a role, in the form of the settings."""
        return f"postgres://{role}@{quote(str(self.sockets), safe='')}:{PORT}/{database}"


@contextmanager
def own_server(binaries: Path | None = None) -> Iterator[Server]:
    """Yield a folder for a server of these programs, or of the embedded ones. It is deleted at the end."""
    installation = find_installation(Path("var").resolve())
    user = installation.user if installation.user is not None else os.geteuid()
    folder = Path(tempfile.mkdtemp(prefix="cg-own-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        (folder / "sockets").mkdir()
        for path in (folder, folder / "sockets"):
            os.chown(path, user, pwd.getpwuid(user).pw_gid)
        yield Server(binaries or installation.binaries, folder, user)
    finally:
        shutil.rmtree(folder)
