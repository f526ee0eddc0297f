"""Digests under real faults: workers killed, the broker flushed, the database cut off, a mail server that misbehaves.

Plays one fault against real processes on a database of its own, waits until everything is settled, and prints what
was lost and what was repeated as one JSON object. tests/faults runs each in reduced size; the figures of docs/performance.md
are of

    python benchmarks/digests_faults.py kill --people 5000 --times 20
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
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
    make_plan,
    make_stakeholders,
    own_database,
    prepare_django,
    publish,
)

SMTP_FAULTS = (
    "rcpt:450 4.2.1 Busy:1:7",
    "data:451 4.3.0 Later:1:11",
    "mail:452 4.3.1 Full:1:13",
    "end:451 4.3.0 Not now:1:17",
    "middle:drop:1:61",
    "end:lose:1:53",
    "rcpt:421 4.7.0 Closing:1:97",
    "rcpt:550 5.1.1 Gone:9:101",
)
PATIENCE = 150
_BEAT = (sys.executable, "-m", "celery", "-A", "housing", "beat", "-l", "WARNING")


class Parts:
    """A worker and a clock that are brought back when they die, as the supervisor does."""

    def __init__(self, environ: dict[str, str], folder: Path) -> None:
        self.environ, self.folder = environ, folder
        self.worker = Workers(environ, log=folder / "worker.log")
        self.worker.start()
        self.beat = self.start_beat()

    def start_beat(self) -> subprocess.Popen[bytes]:
        """Start Celery's clock."""
        with (self.folder / "beat.log").open("ab") as log:
            return subprocess.Popen(
                [*_BEAT, "-s", str(self.folder / f"beat{random.random()}")],
                cwd=ROOT,
                env=self.environ,
                stdout=log,
                stderr=log,
            )

    def revive(self) -> None:
        """Bring back what has died."""
        if self.beat.poll() is not None:
            self.beat = self.start_beat()
        if self.worker.process is None or self.worker.process.poll() is not None:
            self.worker.start()

    def kill_something(self) -> str:
        """kill -9 a pool child, a whole worker, or the clock."""
        what = random.choice(["child", "child", "worker", "worker", "beat"])
        if what == "beat":
            self.beat.kill()
            self.beat.wait()
        elif what == "worker" or self.worker.process is None:
            self.worker.stop(signal.SIGKILL)
        else:
            children = psutil.Process(self.worker.process.pid).children()
            if children:
                random.choice(children).kill()
        return what

    def stop(self) -> None:
        """End both."""
        self.beat.terminate()
        self.beat.wait(20)
        self.worker.stop()


def flush_broker(environ: dict[str, str]) -> None:
    """Empty the broker."""
    from kombu import Connection

    with Connection(environ["REDIS_URL"]) as connection:
        connection.default_channel.client.flushdb()


def cut_database(name: str, seconds: float) -> None:
    """Refuse and end every connection to a database for a while."""
    connection = psycopg2.connect(OWN)
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    try:
        until = time.time() + seconds
        while time.time() < until:
            cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
            time.sleep(0.2)
    finally:
        cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        connection.close()


def settled() -> bool:
    """Whether nothing waits any more."""
    from django.db import Error, connection

    from partnerships.digests.queries import queue_figures

    try:
        figures = queue_figures()
    except Error:
        connection.close()
        return False
    return not (figures["queued"] or figures["sending"] or figures["waiting"])


def play(fault: str, people: int, times: int, seed: int) -> dict[str, Any]:
    """Play one fault and say what became of everybody."""
    random.seed(seed)
    with tempfile.TemporaryDirectory() as folder_, own_database(f"fault_{fault}") as database:
        folder = Path(folder_)
        options = [f"--fault={one}" for one in SMTP_FAULTS] if fault == "smtp" else []
        box = Mailbox.open(folder, "box", *options)
        environ = prepare_django(
            database, mail_port=box.port, DIGEST_LEASE_SECONDS="20", DIGEST_RETRY_SECONDS="1", EMAIL_TIMEOUT="3"
        )
        from django.db import connection
        from django.utils import timezone

        from partnerships.digests.models import Delivery

        now = timezone.now()
        owner, lead, plan = make_plan(now)
        make_stakeholders(plan, owner, lead, people, now)
        flush_broker(environ)
        parts = Parts(environ, folder)
        done: Counter[str] = Counter()
        try:
            publish(plan, lead, 1)
            began = time.time()
            while len(box.taken()) < 20 and time.time() - began < 60:
                time.sleep(0.02)
            for _ in range(times):
                time.sleep(random.uniform(0.05, 0.6))
                if fault == "kill":
                    done[parts.kill_something()] += 1
                    parts.revive()
                elif fault == "broker":
                    flush_broker(environ)
                    done["flushed"] += 1
                elif fault == "database":
                    cut_database(urlsplit(database).path.strip("/"), 2.0)
                    done["cut"] += 1
            until = time.time() + PATIENCE
            while not settled() and time.time() < until:
                parts.revive()
                time.sleep(0.5)
            seconds = time.time() - began
        finally:
            parts.stop()
            box.close()
        letters: dict[str, list[str]] = defaultdict(list)
        for _, identifier, address, _ in box.taken():
            letters[address].append(identifier)
        statuses = Counter(Delivery.objects.values_list("status", flat=True))
        repeats = {address: ids for address, ids in letters.items() if len(ids) > 1}
        wanted = {f"person{number}@council{number % 50}.example" for number in range(people)}
        lost = wanted - set(letters) - set(Delivery.objects.filter(status="failed").values_list("address", flat=True))
        connection.close()
    return {
        "fault": fault,
        "people": people,
        "done": dict(done),
        "lost": len(lost),
        "repeated": sum(len(ids) - 1 for ids in repeats.values()),
        "most_repeats_a_person": max((len(ids) - 1 for ids in letters.values()), default=0),
        "other_message_ids": sum(len(set(ids)) > 1 for ids in repeats.values()),
        "statuses": dict(statuses),
        "seconds": round(seconds, 1),
    }


def main() -> None:
    """Read the options, play, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fault", choices=["kill", "broker", "database", "smtp"])
    parser.add_argument("--people", type=int, default=5000)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(2), "big"))
    options = parser.parse_args()
    # Asked to stop, end what was started: a worker left behind would take the next run's tasks.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(json.dumps(play(options.fault, options.people, options.times, options.seed)))


if __name__ == "__main__":
    main()
