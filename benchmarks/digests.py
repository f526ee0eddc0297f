"""Figures for digests: 5,000 stakeholders, from the publish command to the last message taken, against the plain ways
of sending.

Makes a database of its own beside the one that DATABASE_URL names, starts a Celery worker of two processes and an
SMTP sink that
pipelines (RFC 2920) and one that does not, and plays interleaved rounds of: our digest, a plain smtplib loop that
sends the same ready
bytes over one connection to the same sink, and (once) a Celery task per 250 messages with Django's mail. Absolute
rates swing with the
machine: compare the ratios. The last line is one JSON object with the figures.

    make bench-digests                                          as measured for docs/performance.md
    make bench-digests ARGS="--people 1000 --rounds 3"          quicker
    make bench-digests ARGS="--large 100000"                    with the memory of a run of that size
"""

from __future__ import annotations

import argparse
import json
import pickle
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.digests_world import (
    ROOT,
    Mailbox,
    Workers,
    cpu_of,
    make_plan,
    make_stakeholders,
    memory_of,
    own_database,
    prepare_django,
    publish,
)

PATIENCE = 600


def wait_for(box: Mailbox, count: int, top: psutil.Process | None = None) -> tuple[float, float]:
    """Wait until so many messages were taken; the moment of the last, and the largest worker seen."""
    largest, until = 0.0, time.time() + PATIENCE
    while time.time() < until:
        taken = box.taken()
        if top is not None:
            largest = max(largest, memory_of(top))
        if len(taken) >= count:
            return taken[count - 1][0], largest
        time.sleep(0.05)
    raise SystemExit(f"Only {len(box.taken())} of {count} messages were taken in {PATIENCE} s.")


def wait_until_settled(plan_id: int, number: int) -> None:
    """Wait until every delivery is settled, and check that every one says sent."""
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
    """Write the messages of a version exactly as sent; how many, and their mean size."""
    from partnerships.digests.models import Delivery, Piece

    rows = Delivery.objects.filter(items__plan=plan_id, items__to_number=number).values_list("address", "recipe")
    bodies: dict[int, str] = dict(Piece.objects.values_list("pk", "body"))
    messages = [
        (address, "".join(part if isinstance(part, str) else bodies[part] for part in recipe).encode())
        for address, recipe in rows
    ]
    with path.open("wb") as file:
        pickle.dump(messages, file)
    return len(messages), statistics.mean(len(data) for _, data in messages)


def run_loop(box: Mailbox, messages: Path, count: int) -> dict[str, float]:
    """One round of the plain loop."""
    before = len(box.taken())
    command = [sys.executable, str(ROOT / "benchmarks/digests_rivals.py"), "loop"]
    done = subprocess.run(
        [*command, "--port", str(box.port), "--messages", str(messages)], capture_output=True, check=True, cwd=ROOT
    )
    figures: dict[str, float] = json.loads(done.stdout)
    last, _ = wait_for(box, before + count)
    figures["seconds"] = last - figures["began"]
    return figures


class Stage:
    """The database, the plan, and the two sinks with a worker each."""

    def __init__(self, folder: Path, database: str, people: int) -> None:
        self.folder, self.people = folder, people
        self.boxes = {
            "pipelining": Mailbox.open(folder, "pipelining"),
            "plain": Mailbox.open(folder, "plain", "--no-pipelining"),
        }
        self.environ = prepare_django(database, mail_port=self.boxes["pipelining"].port)
        from django.utils import timezone

        now = timezone.now()
        self.owner, self.lead, self.plan = make_plan(now)
        make_stakeholders(self.plan, self.owner, self.lead, people, now)
        self.analyse()
        self.round = 0

    def analyse(self) -> None:
        """Let the planner know the tables, as autovacuum does within minutes."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")

    def workers(self, name: str) -> Workers:
        """A worker that sends to one of the sinks."""
        address = {"EMAIL_URL": f"smtp://127.0.0.1:{self.boxes[name].port}"}
        return Workers(self.environ | address, log=self.folder / f"worker-{name}.log")

    def play(self, name: str, top: psutil.Process) -> dict[str, float]:
        """One round of ours: publish, and wait until the last is taken and all is settled."""
        box = self.boxes[name]
        before = len(box.taken())
        self.round += 1
        cpu, own = cpu_of(top), time.process_time()
        began = publish(self.plan, self.lead, self.round)
        publishing = time.process_time() - own
        last, largest = wait_for(box, before + self.people, top)
        wait_until_settled(self.plan.pk, self.plan_number())
        return {"seconds": last - began, "cpu": cpu_of(top) - cpu + publishing, "memory": largest}

    def plan_number(self) -> int:
        """The newest version."""
        self.plan.refresh_from_db()
        return int(self.plan.current_number)

    def close(self) -> None:
        """Stop the sinks."""
        for box in self.boxes.values():
            box.close()


def choosing_alone() -> float:
    """Seconds in which the database says who is due, without making their deliveries."""
    from django.db import connection
    from django.utils import timezone

    from partnerships.digests import choosing

    asked = choosing._CHOOSE[: choosing._CHOOSE.index("due AS MATERIALIZED")].rstrip().rstrip(",")
    params = {"now": timezone.now(), "people": 1_000_000}
    with connection.cursor() as cursor:
        began = time.perf_counter()
        cursor.execute(f"{asked} SELECT count(*) FROM chosen", params)
        cursor.fetchall()
        return time.perf_counter() - began


def choosing_figures(stage: Stage) -> dict[str, float]:
    """How long spreading, choosing and an idle sweep take, with nothing sent."""
    from django.utils import timezone

    from partnerships.digests.choosing import choose, plan_round, spread
    from partnerships.digests.models import Delivery
    from partnerships.digests.receivers import nudge  # noqa: F401 - imported so that the signal is connected

    stage.round += 1
    publish(stage.plan, stage.lead, stage.round)
    began = time.perf_counter()
    spread(now=timezone.now())
    spreading = time.perf_counter() - began
    who = choosing_alone()
    began = time.perf_counter()
    choose(now=timezone.now())
    choosing = time.perf_counter() - began
    times = []
    for _ in range(20):
        began = time.perf_counter()
        plan_round(now=timezone.now())
        times.append(time.perf_counter() - began)
    Delivery.objects.filter(status="queued").update(status="suppressed", settled_at=timezone.now())
    return {
        "spread_seconds_per_5000": round(spreading * 5000 / stage.people, 3),
        "who_is_due_seconds_per_5000": round(who * 5000 / stage.people, 3),
        "choose_and_make_seconds_per_5000": round(choosing * 5000 / stage.people, 3),
        "idle_sweep_ms": round(statistics.median(times) * 1000, 1),
    }


_IDLE = (
    "SELECT 1 FROM digests_publication WHERE spread_at IS NULL AND available_at <= now()",
    (
        "SELECT id FROM digests_told WHERE reading_class = 'none' AND told_at <= now() - interval '10 minutes'"
        " ORDER BY told_at, id LIMIT 2000"
    ),
    "SELECT 1 FROM digests_told WHERE due_at <= now() LIMIT 1",
    "SELECT 1 FROM digests_matchtold WHERE told_at IS NULL AND due_at <= now() LIMIT 1",
    "SELECT 1 FROM digests_delivery WHERE status IN ('queued', 'sending') AND available_at <= now() LIMIT 1",
)


def million_figures(stage: Stage, count: int) -> dict[str, Any]:
    """How long an idle sweep takes over so many subscriptions, watermarks and letters, and whether any of its
    questions reads a table from end to end."""
    from django.db import connection
    from django.utils import timezone

    from partnerships.digests.choosing import plan_round
    from partnerships.plans.models import Plan

    copies = []
    for _ in range(-(-count // stage.people)):
        plan = Plan.objects.get(pk=stage.plan.pk)
        plan.pk, plan._state.adding = None, True
        copies.append(plan)
    plans = [plan.pk for plan in Plan.objects.bulk_create(copies)]
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # no history, no checks: these are only to be there
        cursor.execute(
            "INSERT INTO digests_subscription (person_id, plan_id, status, how, why, frequency, asked_at, confirmed_at,"
            " reason) SELECT s.person_id, p, 'confirmed', 'self', '', '', %(now)s, %(now)s, ''"
            " FROM digests_subscription s, unnest(%(plans)s::bigint[]) p WHERE s.plan_id = %(plan)s LIMIT %(count)s",
            {"now": now, "plans": plans, "plan": stage.plan.pk, "count": count},
        )
        cursor.execute(
            "INSERT INTO digests_told (recipient_id, plan_id, number, reading_class, told_at, slotted)"
            " SELECT person_id, plan_id, 1, 'outside', %(now)s, false FROM digests_subscription"
            " WHERE plan_id = ANY(%(plans)s)",
            {"now": now, "plans": plans},
        )
        cursor.execute(
            "INSERT INTO digests_delivery (recipient_id, kind, message_id, status, address, subject, attempts,"
            " available_at, created_at, settled_at, reason, provider_id) SELECT person_id, 'digest',"
            " '<' || id || '.old@ground.example>', 'sent', 'x@y.example', 'Old', 1, %(now)s, %(now)s, %(now)s, '', ''"
            " FROM digests_subscription WHERE plan_id = ANY(%(plans)s)",
            {"now": now, "plans": plans},
        )
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("VACUUM ANALYZE")
        times = []
        for _ in range(20):
            began = time.perf_counter()
            plan_round(now=timezone.now())
            times.append(time.perf_counter() - began)
        scans = 0
        for sql in _IDLE:
            cursor.execute(f"EXPLAIN {sql}")
            said = "\n".join(row[0] for row in cursor.fetchall())
            big = any(f"Seq Scan on digests_{table}" in said for table in ("told", "delivery", "subscription"))
            scans += big
    return {
        "idle_subscriptions": count,
        "idle_sweep_million_ms": round(statistics.median(times) * 1000, 1),
        "idle_whole_table_scans": scans,
    }


def rounds(stage: Stage, count: int) -> dict[str, Any]:
    """Interleaved rounds of ours and the loop, to both sinks."""
    figures: dict[str, Any] = {"memory_mb": 0.0}
    messages = stage.folder / "messages.pickle"
    for name in ("pipelining", "plain"):
        workers = stage.workers(name)
        top = workers.start()
        stage.play(name, top)  # everything is read and compiled once before it is measured
        sent, size = dump_messages(stage.plan.pk, stage.plan_number(), messages)
        ours, loop = [], []
        for number in range(count):
            ours.append(stage.play(name, top))
            loop.append(run_loop(stage.boxes[name], messages, sent))
            print(
                f"  {name:10} round {number + 1}: ours {stage.people / ours[-1]['seconds']:7,.0f}/s,"
                f" {1e6 * ours[-1]['cpu'] / stage.people:5.0f} µs CPU; loop {sent / loop[-1]['seconds']:7,.0f}/s,"
                f" {1e6 * loop[-1]['cpu'] / sent:5.0f} µs CPU",
                flush=True,
            )
        workers.stop()
        rate = statistics.median(one["seconds"] for one in loop) / statistics.median(one["seconds"] for one in ours)
        figures |= {
            f"{name}_rate_ratio": round(rate, 2),
            f"{name}_cpu_ratio": round(
                statistics.median(one["cpu"] for one in ours) / statistics.median(one["cpu"] for one in loop), 2
            ),
            f"{name}_per_second": round(stage.people / statistics.median(one["seconds"] for one in ours)),
            f"{name}_loop_per_second": round(sent / statistics.median(one["seconds"] for one in loop)),
            "message_bytes": round(size),
            "memory_mb": round(max(figures["memory_mb"], *(one["memory"] for one in ours)), 1),
        }
    return figures


def task_per_chunk(stage: Stage) -> float:
    """Seconds a message of a Celery task per 250 messages with Django's mail, to the pipelining sink."""
    from benchmarks.digests_rivals import send_chunk
    from partnerships.digests.models import Subscription

    box = stage.boxes["pipelining"]
    workers = Workers(
        stage.environ | {"EMAIL_URL": f"smtp://127.0.0.1:{box.port}"},
        application="benchmarks.digests_rivals",
        log=stage.folder / "rival.log",
    )
    workers.start()
    people = list(Subscription.objects.filter(plan=stage.plan).values_list("person", flat=True)[:2000])
    before, number = len(box.taken()), stage.plan_number()
    began = time.time()
    for start in range(0, len(people), 250):
        send_chunk.delay(people[start : start + 250], stage.plan.pk, number - 1, number)
    last, _ = wait_for(box, before + len(people))
    workers.stop()
    return (last - began) / len(people)


def large(stage: Stage, count: int) -> dict[str, float]:
    """The memory and rate of one run of many more people."""
    from django.utils import timezone

    make_stakeholders(stage.plan, stage.owner, stage.lead, count - stage.people, timezone.now(), first=stage.people)
    stage.people = count
    stage.analyse()
    workers = stage.workers("pipelining")
    top = workers.start()
    figures = stage.play("pipelining", top)
    workers.stop()
    return {
        "large_people": count,
        "large_memory_mb": round(figures["memory"], 1),
        "large_per_second": round(count / figures["seconds"]),
    }


def main() -> None:
    """Measure, print the table, and the figures as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--large", type=int, default=0, help="also one run of so many people")
    parser.add_argument("--million", type=int, default=0, help="also an idle sweep over so many subscriptions")
    parser.add_argument("--no-rivals", action="store_true", help="leave out the task per 250 messages")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, own_database("bench_digests") as database:
        stage = Stage(Path(folder), database, options.people)
        try:
            figures = {"people": options.people, "rounds": options.rounds, "cores": psutil.cpu_count()}
            figures |= rounds(stage, options.rounds)
            if not options.no_rivals:
                per_message = task_per_chunk(stage)
                figures["against_task_per_250"] = round(figures["pipelining_per_second"] * per_message, 1)
            figures |= choosing_figures(stage)
            if options.million:
                figures |= million_figures(stage, options.million)
            if options.large:
                figures |= large(stage, options.large)
        finally:
            stage.close()
            from django.db import connection

            connection.close()
    figures["python"], figures["machine"] = platform.python_version(), platform.machine()
    print(f"\n{'figure':32} value")
    for name, value in figures.items():
        print(f"{name:32} {value}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
