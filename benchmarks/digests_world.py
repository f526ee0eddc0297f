"""Databases, followers in bulk, worker processes and sinks for benchmarks and fault tests of digests."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg2

ROOT = Path(__file__).resolve().parent.parent
OWN = os.environ.get("DATABASE_OWNER_URL") or os.environ.get("DATABASE_URL", "")


@contextlib.contextmanager
def own_database(name: str) -> Iterator[str]:
    """Yield a new database on the configured server, which is dropped afterwards.

    It is a copy of the tests' migrated database if there is one, because migrating takes most of a minute.
    """
    parts = urlsplit(OWN)
    name = f"{parts.path.strip('/')}_{name}"
    address = urlunsplit(parts._replace(path=f"/{name}"))

    def execute(sql: str) -> list[tuple[Any, ...]]:
        connection = psycopg2.connect(OWN)
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(sql)
        rows = cursor.fetchall() if cursor.description else []
        connection.close()
        return rows

    execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    migrated = execute(
        "SELECT datname FROM pg_database WHERE starts_with(datname, 'cg_template_') AND NOT datname LIKE '%making'"
        " ORDER BY oid DESC LIMIT 1"
    )
    execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{migrated[0][0]}"' if migrated else ""))
    try:
        yield address
    finally:
        for _ in range(30):  # autovacuum may be using the database, and only a superuser may stop that
            try:
                execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
                break
            except psycopg2.errors.InsufficientPrivilege:
                time.sleep(1)


def free_port() -> int:
    """Return a free TCP port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class Mailbox:
    """A running sink, and the emails that it accepted."""

    port: int
    log: Path
    process: subprocess.Popen[bytes]
    _read: int = 0
    lines: list[tuple[float, str, str, int]] = field(default_factory=list)

    @classmethod
    def open(cls, folder: Path, name: str, *options: str, port: int | None = None) -> Mailbox:
        """Start a sink and wait until it listens."""
        port = port or free_port()
        log = folder / f"{name}.tsv"
        log.touch()
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "benchmarks/digests_sink.py"), "--port", str(port), "--log", str(log), *options]
        )
        box = cls(port, log, process)
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                return box
            time.sleep(0.05)
        raise RuntimeError("The sink does not listen.")

    def taken(self) -> list[tuple[float, str, str, int]]:
        """Return every email accepted so far, with its time, Message-ID, address and size in bytes."""
        with self.log.open("rb") as file:
            file.seek(self._read)
            fresh = file.read()
        end = fresh.rfind(b"\n") + 1
        self._read += end
        for line in fresh[:end].decode().splitlines():
            at, identifier, address, size = line.split("\t")
            self.lines.append((float(at), identifier, address, int(size)))
        return self.lines

    def close(self) -> None:
        """Stop the sink."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)


@dataclass
class Workers:
    """A Celery worker with its child processes."""

    environ: dict[str, str]
    application: str = "housing"
    concurrency: int = 2
    log: Path = Path(os.devnull)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> psutil.Process:
        """Start the worker and wait for its children."""
        command = ["housing.worker"]
        if self.application != "housing":
            command = ["celery", "-A", self.application, "worker", "-c", str(self.concurrency), "-l", "WARNING"]
        environ = self.environ | {"WORKER_CONCURRENCY": str(self.concurrency)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command], cwd=ROOT, env=environ, stdout=log, stderr=log, start_new_session=True
            )
        top = psutil.Process(self.process.pid)
        for _ in range(600):
            if len(top.children()) >= self.concurrency:
                return top
            if self.process.poll() is not None:
                raise RuntimeError(f"The worker ended: {self.log.read_text()[-2000:]}")
            time.sleep(0.1)
        raise RuntimeError("The worker has no children.")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop the worker and its children."""
        if self.process is not None and self.process.poll() is None:
            if how == signal.SIGKILL:
                os.killpg(self.process.pid, how)
            else:
                self.process.send_signal(how)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(10)
        self.process = None


def tree(top: psutil.Process) -> list[psutil.Process]:
    """Return a process and all its descendants."""
    return [top, *top.children(recursive=True)]


def cpu_of(top: psutil.Process) -> float:
    """Return the processor time, in seconds, that a process and its descendants have used."""
    total = 0.0
    for process in tree(top):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def memory_of(top: psutil.Process) -> float:
    """Return the resident size, in megabytes, of the largest process in a tree."""
    sizes = [0.0]
    for process in tree(top):
        with contextlib.suppress(psutil.NoSuchProcess):
            sizes.append(process.memory_info().rss / 1e6)
    return max(sizes)


# ---- Plans and followers (needs Django)


def content(round_number: int, sites: int = 4) -> dict[str, Any]:
    """Return a plan whose sites all change in every round, which gives an email of about 13 KB."""
    chance = random.Random(round_number)
    tenures = ("social_rent", "shared_ownership", "affordable_rent")
    return {
        "about": {"summary": f"Homes along the estuary, seen again in round {round_number}."},
        "sites": [
            {
                "key": f"site-{place}",
                "name": f"Phase {place} of the quayside",
                "forecast_completion": f"20{27 + (place + round_number) % 5}-0{1 + round_number % 9}",
                "homes": [{"tenure": tenures[place % 3], "count": 20 + chance.randrange(300)}],
            }
            for place in range(sites)
        ],
        "milestones": [
            {"key": f"step-{place}", "name": f"Step {place}", "forecast": f"2028-{1 + (round_number + place) % 12:02d}"}
            for place in range(2)
        ],
    }


def make_plan(now: dt.datetime, title: str = "Estuary quayside") -> tuple[Any, Any, Any]:
    """Return an organisation, its lead and a public plan with a first version."""
    from partnerships.organisations import services as organisations
    from partnerships.organisations.models import Kind, Role
    from partnerships.people.models import User
    from partnerships.plans.services import create_plan, publish_version

    owner = organisations.create_organisation(
        name=f"{title} Homes", kind=Kind.REGISTERED_PROVIDER, author=None, now=now
    )
    lead = User.objects.create_user(f"lead@{title.split()[0].lower()}.example", name="Lea Publisher", account_since=now)
    organisations.add_membership(organisation=owner, person=lead, role=Role.LEAD, author=None, now=now)
    plan = create_plan(
        owners=[owner], partnership=None, title=title, kind="delivery", audience="public", author=lead, now=now
    )
    publish_version(plan=plan, author=lead, note="First version.", content=content(0), now=now)
    return owner, lead, plan


def make_stakeholders(plan: Any, owner: Any, lead: Any, count: int, now: dt.datetime, *, first: int = 0) -> None:
    """Create `count` confirmed followers of a plan, in fifty domains."""
    make_followers(plan, owner, lead, count, now, first=first)


def make_followers(target: Any, owner: Any, lead: Any, count: int, now: dt.datetime, *, first: int = 0) -> None:
    """Create `count` confirmed followers of a plan or a partnership, in fifty domains."""
    from partnerships.digests.models import Preference, Subscription
    from partnerships.digests.models.targets import fields_of
    from partnerships.digests.planning.watermarks import start_watermarks
    from partnerships.people.models import User

    for start in range(first, first + count, 5000):
        people = User.objects.bulk_create(
            [
                User(email=f"person{number}@council{number % 50}.example", name=f"Person Number{number}", password="!")
                for number in range(start, min(start + 5000, first + count))
            ]
        )
        Preference.objects.bulk_create([Preference(person=person, introduced_at=now) for person in people])
        subscriptions = Subscription.objects.bulk_create(
            [
                Subscription(
                    person=person,
                    **fields_of(target),
                    status="confirmed",
                    how="lead",
                    added_by=lead,
                    added_for=owner,
                    why="you sit on the tenant panel",
                    asked_at=now,
                    confirmed_at=now,
                )
                for person in people
            ]
        )
        start_watermarks(subscriptions=[subscription.pk for subscription in subscriptions], now=now)


def publish(plan: Any, lead: Any, round_number: int) -> float:
    """Publish the next version, and return the time before publishing."""
    from django.utils import timezone

    from partnerships.plans.services import publish_version

    began = time.time()
    publish_version(
        plan=plan,
        author=lead,
        note=f"Round {round_number}: the phasing was looked at again with the contractor.",
        content=content(round_number),
        now=timezone.now(),
    )
    return began


def prepare_django(database: str, *, mail_port: int, **more: str) -> dict[str, str]:
    """Connect this process to a database and a mail server, and migrate.

    Returns the environment for other processes.
    """
    os.environ |= {
        "DATABASE_URL": database,
        "DATABASE_OWNER_URL": "",
        "DATABASE_ROLE": "web",
        "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
        "DEBUG": "0",
        "SECRET_KEY": os.environ.get("SECRET_KEY") or "only-for-measuring-digests-and-nothing-else-at-all",
        "DJANGO_SETTINGS_MODULE": "housing.settings",
        "DIGEST_SETTLE_MINUTES": "0",
        "LOG_LEVEL": "WARNING",
        "PYTHONPATH": str(ROOT),
        **more,
    }
    import django
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    django.setup()
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0)
    return dict(os.environ)
