"""Prepare tables, static files, the directory and the demonstration before `make run` serves."""

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
#: England's organisations, which `load_directory` loads.
ENGLAND = BASE_DIR / "partnerships" / "transfer" / "england.json"
#: Whether anybody is known, and whether a list of organisations was ever imported.
HOLDS = """
    SELECT EXISTS (SELECT FROM people_user),
        EXISTS (
            SELECT FROM transfer_importrun
            WHERE status = 'applied' AND register IN ('councils', 'providers', 'leps', 'combined-authorities')
        )
"""
#: Files that change what `migrate` does, apart from the migrations themselves.
MIGRATE_READS = ("requirements.txt", "housing/database_roles.py", "housing/grants.py", "housing/settings.py")


def prepare(supervisor: Supervisor) -> str:
    """Migrate, collect static files, and load the directory and the demonstration.

    Steps that are already done are skipped. Returns the link for the first administrator of an empty network, or "" if
    the network has people.
    """
    environ = supervisor.environ
    documentation = subprocess.Popen([sys.executable, "-m", "tools.documentation"], cwd=BASE_DIR)
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
    has_people, has_lists = what_it_holds(environ["DATABASE_URL"])
    if ENGLAND.exists() and not has_lists:
        say("Loading England's organisations")
        run_manage("load_directory", environ=environ)
    is_empty = not has_people
    if is_empty and DEMO.exists() and supervisor.is_demonstration:
        is_empty = False
        say("Loading the demonstration network")
        run_manage("load_network", str(DEMO), "--demo-passwords", environ=environ)
        run_manage("load_figures", environ=environ)
    # Pages that are built later would not be served, because WhiteNoise looks for files only once.
    if documentation.wait():
        say("The documentation could not be built; the site is served without it")
    return run_manage("first_administrator", environ=environ).split()[-1] if is_empty else ""


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
        """Return whether the step was done from exactly these sources."""
        return self.path.exists() and self.path.read_text() == self.digest

    def write(self) -> None:
        """Record that the step has been done."""
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_text(self.digest)


def migrations() -> list[Path]:
    """Return every file that decides what `migrate` does."""
    return [
        *sorted(BASE_DIR.glob("partnerships/*/migrations/*.py")),
        *sorted(BASE_DIR.glob("housing/migrations/*.py")),
        *(BASE_DIR / name for name in MIGRATE_READS),
    ]


def run_manage(*arguments: str, environ: dict[str, str]) -> str:
    """Run a management command to its end, and return its output.

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
    return output.decode(errors="replace")


def what_it_holds(address: str) -> tuple[bool, bool]:
    """Return whether the database holds people, and whether lists of organisations were imported."""
    connection = psycopg2.connect(address)
    try:
        with connection.cursor() as cursor:
            cursor.execute(HOLDS)
            people, lists = cursor.fetchone() or (False, False)
    finally:
        connection.close()
    return bool(people), bool(lists)


def demo_accounts() -> list[str]:
    """Return lines that say how to sign in to the demonstration."""
    if not DEMO.exists():
        return []
    content = json.loads(DEMO.read_text(encoding="utf-8"))
    people = [person for person in content["people"] if person.get("account") or person.get("administrator")]
    return [
        f"{'Sign in as' if not number else '':<15} {person['email']}   password: {content['demo_password']}"
        for number, person in enumerate(people)
    ]
