"""What `make run` does before serving: tables, static files and the demonstration network."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import psycopg2

from housing.environment import BASE_DIR
from tools.embedded.processes import UnableToStart
from tools.supervisor import Supervisor
from tools.terminal import say

DEMO = BASE_DIR / "partnerships" / "transfer" / "demo.json"
#: Files that change what `migrate` does, apart from the migrations themselves.
MIGRATE_READS = ("requirements.txt", "housing/database_roles.py", "housing/grants.py", "housing/settings.py")


def prepare(supervisor: Supervisor) -> None:
    """Migrate, collect static files and load the demonstration; skip what is up to date."""
    environ = supervisor.environ
    stamps = supervisor.var / "stamps"
    tables = Stamp(stamps / "migrated", database=environ["DATABASE_URL"], sources=migrations())
    # Only the embedded database is known to be unchanged since the stamp was written.
    if "DATABASE_URL" not in supervisor.exported or not tables.is_current:
        say("Preparing the tables")
        run_manage("migrate", "--no-input", environ=environ | {"DATABASE_ROLE": "owner"})
        tables.write()
    built = sorted(path for path in (BASE_DIR / "static" / "build").rglob("*") if path.is_file())
    static = Stamp(
        stamps / "gathered", database=environ["DATABASE_URL"], sources=[*built, BASE_DIR / "requirements.txt"]
    )
    if not static.is_current:
        say("Collecting static files")
        run_manage("collectstatic", "--no-input", "--clear", environ=environ)
        static.write()
    if DEMO.exists() and supervisor.is_demonstration and database_is_empty(environ["DATABASE_URL"]):
        say("Loading the demonstration network")
        run_manage("load_network", str(DEMO), "--demo-passwords", environ=environ)


class Stamp:
    """A file that records from which sources a step was last done, and for which database user."""

    def __init__(self, path: Path, *, database: str, sources: Iterable[Path]) -> None:
        total = hashlib.sha256(database.split("@")[0].encode())
        for source in sources:
            total.update(str(source).encode() + source.read_bytes())
        self.path = path
        self.digest = total.hexdigest()

    @property
    def is_current(self) -> bool:
        """Whether the step was done from exactly these sources."""
        return self.path.exists() and self.path.read_text() == self.digest

    def write(self) -> None:
        """Record that the step has been done."""
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_text(self.digest)


def migrations() -> list[Path]:
    """Every file that decides what `migrate` does."""
    return [
        *sorted(BASE_DIR.glob("partnerships/*/migrations/*.py")),
        *sorted(BASE_DIR.glob("housing/migrations/*.py")),
        *(BASE_DIR / name for name in MIGRATE_READS),
    ]


def run_manage(*arguments: str, environ: dict[str, str]) -> None:
    """Run a management command to its end.

    Raises `UnableToStart` with the end of its output when it fails.
    """
    process = subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate()
    except BaseException:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        raise
    if process.returncode:
        raise UnableToStart(f"manage.py {' '.join(arguments)} failed:\n{output.decode(errors='replace')[-4_000:]}")


def database_is_empty(address: str) -> bool:
    """Whether the database holds no organisation yet."""
    connection = psycopg2.connect(address)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT NOT EXISTS (SELECT 1 FROM organisations_organisation)")
            row = cursor.fetchone()
    finally:
        connection.close()
    return bool(row and row[0])


def demo_accounts() -> list[str]:
    """Lines that say how to sign in to the demonstration."""
    if not DEMO.exists():
        return []
    content = json.loads(DEMO.read_text(encoding="utf-8"))
    people = [person for person in content["people"] if person.get("account") or person.get("administrator")]
    return [
        f"{'Sign in as' if not number else '':<15} {person['email']}   password: {content['demo_password']}"
        for number, person in enumerate(people)
    ]
