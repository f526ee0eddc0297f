"""The set-up of `make bench-digests`: a database, a plan with followers, an SMTP sink, and the plain SMTP loops."""

from __future__ import annotations

import json
import pickle
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks.digests_world import (
    ROOT,
    Mailbox,
    Workers,
    cpu_of,
    make_plan,
    make_stakeholders,
    memory_of,
    prepare_django,
    publish,
)

#: Seconds after which a run has failed.
MAX_SECONDS = 600


def wait_for(box: Mailbox, count: int, top: psutil.Process | None = None) -> tuple[float, float]:
    """Wait until `count` emails are accepted.

    Returns the time of the last one, and the memory of the largest worker process in MB.
    """
    largest, until = 0.0, time.time() + MAX_SECONDS
    while time.time() < until:
        taken = box.taken()
        if top is not None:
            largest = max(largest, memory_of(top))
        if len(taken) >= count:
            return taken[count - 1][0], largest
        time.sleep(0.05)
    raise SystemExit(f"Only {len(box.taken())} of {count} emails were accepted in {MAX_SECONDS} s.")


def wait_until_settled(plan_id: int, number: int) -> None:
    """Wait until every delivery is settled, and stop the benchmark if one was not sent."""
    from partnerships.digests.models import Delivery

    until = time.time() + 60
    while Delivery.objects.filter(status__in=["queued", "sending"]).exists():
        if time.time() > until:
            raise SystemExit("Some deliveries are not settled.")
        time.sleep(0.05)
    unsent = Delivery.objects.filter(items__plan=plan_id, items__to_number=number).exclude(status="sent").count()
    if unsent:
        raise SystemExit(f"{unsent} deliveries were not sent.")


def dump_messages(plan_id: int, number: int, path: Path) -> tuple[int, float]:
    """Write the emails of a version, as sent, to a file. Returns their number and mean size in bytes."""
    from partnerships.digests.models import Delivery
    from partnerships.outbox.models import Email

    numbers = Delivery.objects.filter(items__plan=plan_id, items__to_number=number).values("pk")
    return _dump(Email.objects.filter(pk__in=numbers), path)


def dump_emails(count: int, path: Path) -> tuple[int, float]:
    """Write the newest digests, as sent, to a file. Returns their number and mean size in bytes."""
    from partnerships.outbox.models import Email

    return _dump(Email.objects.filter(kind="digests.digest", status="sent").order_by("-pk")[:count], path)


def _dump(emails: Any, path: Path) -> tuple[int, float]:
    from partnerships.outbox.models import EmailPart
    from partnerships.outbox.parts import Recipe

    rows = emails.values_list("address", "recipe")
    bodies: dict[int, str] = dict(EmailPart.objects.values_list("pk", "body"))
    messages = [(address, Recipe(*recipe).join(bodies).encode()) for address, recipe in rows]
    with path.open("wb") as file:
        pickle.dump(messages, file)
    return len(messages), statistics.mean(len(data) for _, data in messages)


def run_loop(box: Mailbox, messages: Path, count: int) -> dict[str, float]:
    """Run one round of the plain loop."""
    before = len(box.taken())
    command = [sys.executable, str(ROOT / "benchmarks/digests_rivals.py"), "loop"]
    result = subprocess.run(
        [*command, "--port", str(box.port), "--messages", str(messages)], capture_output=True, check=True, cwd=ROOT
    )
    figures: dict[str, float] = json.loads(result.stdout)
    last, _ = wait_for(box, before + count)
    figures["seconds"] = last - figures["began"]
    return figures


def run_composing(box: Mailbox, partnership: int, count: int) -> dict[str, float]:
    """Run one round of the loop that composes each email."""
    before = len(box.taken())
    command = [sys.executable, str(ROOT / "benchmarks/digests_rivals.py"), "compose"]
    result = subprocess.run(
        [*command, "--port", str(box.port), "--partnership", str(partnership)],
        capture_output=True,
        check=True,
        cwd=ROOT,
    )
    figures: dict[str, float] = json.loads(result.stdout.strip().splitlines()[-1])
    last, _ = wait_for(box, before + count)
    figures["seconds"] = last - figures["began"]
    return figures


def run_limit(box: Mailbox, messages: Path, count: int) -> float:
    """Return the seconds in which two processes send the finished emails. They store nothing."""
    before = len(box.taken())
    command = [sys.executable, str(ROOT / "benchmarks/digests_rivals.py"), "limit"]
    subprocess.run([*command, "--port", str(box.port), "--messages", str(messages)], check=True, cwd=ROOT)
    last, _ = wait_for(box, before + count)
    return last - box.taken()[before][0]


class Stage:
    """The database, the plan with its followers, and the sink."""

    def __init__(self, folder: Path, database: str, people: int) -> None:
        self.folder, self.people = folder, people
        self.box = Mailbox.open(folder, "sink")
        self.environ = prepare_django(database, mail_port=self.box.port)
        self.prepare()
        self.analyse()
        self.round = 0

    def prepare(self) -> None:
        """Create the plan and its followers, and sweep, so that the first version is not sent to them later."""
        from django.utils import timezone

        from partnerships.digests.services.sweep import plan_round

        now = timezone.now()
        self.owner, self.lead, self.plan = make_plan(now)
        make_stakeholders(self.plan, self.owner, self.lead, self.people, now)
        plan_round(now=timezone.now())

    def analyse(self) -> None:
        """Update PostgreSQL's statistics, which autovacuum would only do after some minutes."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")

    def workers(self) -> Workers:
        """Return a worker that sends to the sink."""
        address = {"EMAIL_URL": f"smtp://127.0.0.1:{self.box.port}"}
        return Workers(self.environ | address, log=self.folder / "worker.log")

    def play(self, top: psutil.Process) -> dict[str, float]:
        """Publish a version, and wait until all digests about it are accepted and settled."""
        before = len(self.box.taken())
        self.round += 1
        cpu, own = cpu_of(top), time.process_time()
        began = publish(self.plan, self.lead, self.round)
        publishing = time.process_time() - own
        last, largest = wait_for(self.box, before + self.people, top)
        wait_until_settled(self.plan.pk, self.plan_number())
        return {"seconds": last - began, "cpu": cpu_of(top) - cpu + publishing, "memory": largest}

    def plan_number(self) -> int:
        """Return the number of the newest version."""
        self.plan.refresh_from_db()
        return int(self.plan.current_number)

    def close(self) -> None:
        """Stop the sink."""
        self.box.close()
