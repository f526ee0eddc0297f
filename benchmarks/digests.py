"""Figures for digests: 5,000 stakeholders, from the publish command to the last message taken, against the plain ways
of sending.

Makes a database of its own beside the one that DATABASE_URL names, starts a Celery worker of two processes and an
SMTP sink that pipelines (RFC 2920) and one that does not, and plays interleaved rounds of: our digest, a plain smtplib
loop that sends the same ready bytes over one connection to the same sink, a Celery task per 250 messages with Django's
mail (every delivery stored, as ours are; and without), and django-post-office where it is installed (`uv pip install
django-post-office`: nothing else wants it), and, as the limit, two processes that send the ready bytes and do nothing
else. Then what composing and rendering alone cost, choosing, publishing beside a
run, and a run whose worker is killed. Absolute rates swing with the machine: compare the ratios. The last line is one
JSON object with the figures.

    make bench-digests                                          as measured for docs/performance.md
    make bench-digests ARGS="--people 1000 --rounds 3"          quicker
    make bench-digests ARGS="--large 100000"                    with the memory of a run of that size
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
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
#: Seconds before each measured piece, for the database to write out what the one before left.
_BREATH = 1.0
#: The databases of the parts that run, before the benchmark points Django at its own.
OWN_URL, OWN_OWNER_URL = os.environ.get("DATABASE_URL", ""), os.environ.get("DATABASE_OWNER_URL", "")


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
    from partnerships.digests.models import Delivery
    from partnerships.outbox.models import Email, EmailPart
    from partnerships.outbox.parts import Recipe

    numbers = Delivery.objects.filter(items__plan=plan_id, items__to_number=number).values("pk")
    rows = Email.objects.filter(pk__in=numbers).values_list("address", "recipe")
    bodies: dict[int, str] = dict(EmailPart.objects.values_list("pk", "body"))
    messages = [(address, Recipe(*recipe).join(bodies).encode()) for address, recipe in rows]
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


def run_limit(box: Mailbox, messages: Path, count: int) -> float:
    """Seconds from the first to the last of the ready bytes, as fast as two processes send them, nothing stored."""
    before = len(box.taken())
    command = [sys.executable, str(ROOT / "benchmarks/digests_rivals.py"), "limit"]
    subprocess.run([*command, "--port", str(box.port), "--messages", str(messages)], check=True, cwd=ROOT)
    last, _ = wait_for(box, before + count)
    return last - box.taken()[before][0]


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

    from partnerships.digests.planning import choosing

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

    from partnerships.digests.planning.choosing import choose, spread
    from partnerships.digests.receivers import nudge  # noqa: F401 - imported so that the signal is connected
    from partnerships.digests.services.sweep import plan_round
    from partnerships.outbox.models import Email

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
    Email.objects.filter(status="queued").update(status="suppressed", settled_at=timezone.now())
    return {
        "spread_seconds_per_5000": round(spreading * 5000 / stage.people, 3),
        "who_is_due_seconds_per_5000": round(who * 5000 / stage.people, 3),
        "choose_and_make_seconds_per_5000": round(choosing * 5000 / stage.people, 3),
        "idle_sweep_ms": round(statistics.median(times) * 1000, 1),
    }


_IDLE = (
    "SELECT 1 FROM digests_publication WHERE spread_at IS NULL AND available_at <= now()",
    (
        "SELECT id FROM digests_watermark WHERE reading_class = 'none' AND told_at <= now() - interval '10 minutes'"
        " ORDER BY told_at, id LIMIT 2000"
    ),
    "SELECT 1 FROM digests_watermark WHERE due_at <= now() LIMIT 1",
    "SELECT 1 FROM digests_matchtold WHERE told_at IS NULL AND due_at <= now() LIMIT 1",
    "SELECT 1 FROM outbox_email WHERE status IN ('queued', 'sending') AND available_at <= now() LIMIT 1",
)

_FILLED = ("digests_subscription", "digests_watermark", "outbox_email")


def _copy(table: str, source: str, given: dict[str, str], params: dict[str, Any]) -> None:
    """Fill a table with copies of the rows s of a source, of which some columns are given."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND column_name <> 'id'", [table]
        )
        names = [row[0] for row in cursor.fetchall()]
        values = ", ".join(given.get(name, f"s.{name}") for name in names)
        cursor.execute(f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {source}", params)


def million_figures(stage: Stage, count: int) -> dict[str, Any]:
    """How long an idle sweep takes over so many subscriptions, watermarks and letters, and whether any of its
    questions reads a table from end to end."""
    from django.db import connection
    from django.utils import timezone

    from partnerships.digests.services.sweep import plan_round
    from partnerships.plans.models import Plan

    copies = []
    for _ in range(-(-count // stage.people)):
        plan = Plan.objects.get(pk=stage.plan.pk)
        plan.pk, plan._state.adding = None, True
        copies.append(plan)
    plans = [plan.pk for plan in Plan.objects.bulk_create(copies)]
    with connection.cursor() as cursor:
        for table in _FILLED:  # no history: these are only to be there
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        made = {"plans": plans, "plan": stage.plan.pk, "count": count}
        _copy(
            "digests_subscription",
            "digests_subscription s, unnest(%(plans)s::bigint[]) p WHERE s.plan_id = %(plan)s LIMIT %(count)s",
            {"plan_id": "p"},
            made,
        )
        of_each = ", digests_subscription n WHERE n.plan_id = ANY(%(plans)s)"
        _copy(
            "digests_watermark",
            f"(SELECT * FROM digests_watermark WHERE plan_id = %(plan)s AND due_at IS NULL LIMIT 1) s {of_each}",
            {"recipient_id": "n.person_id", "plan_id": "n.plan_id"},
            made,
        )
        _copy(
            "outbox_email",
            f"(SELECT * FROM outbox_email WHERE status = 'sent' LIMIT 1) s {of_each}",
            {"person_id": "n.person_id", "recipe": "'[[], []]'"},
            made,
        )
        for table in _FILLED:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
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
            scans += any(f"Seq Scan on {table}" in said for table in _FILLED)
    return {
        "idle_subscriptions": count,
        "idle_sweep_million_ms": round(statistics.median(times) * 1000, 1),
        "idle_whole_table_scans": scans,
    }


class Rivals:
    """The plain ways of sending, kept ready so that each round can measure them beside ours."""

    #: So many people are enough to know the pace of a slow way.
    MOST = 500

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.box = stage.boxes["pipelining"]
        environ = stage.environ | {"EMAIL_URL": f"smtp://127.0.0.1:{self.box.port}"}
        self.workers = Workers(environ, application="benchmarks.digests_rivals", log=stage.folder / "rival.log")
        self.workers.start()
        self.post_office = environ | {"DJANGO_SETTINGS_MODULE": "benchmarks.digests_post_office"}
        self.has_post_office = importlib.util.find_spec("post_office") is not None
        if self.has_post_office:
            self._run_post_office("migrate", 0)
        else:
            print("  django-post-office is not here (uv pip install django-post-office): it is left out", flush=True)

    def _run_post_office(self, what: str, number: int) -> None:
        command = [sys.executable, str(ROOT / "benchmarks/digests_rivals.py"), "post_office", "--do", what]
        command += ["--plan", str(self.stage.plan.pk), "--number", str(number), "--count", str(self.count)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=self.post_office, check=False)
        if done.returncode:
            raise SystemExit(f"django-post-office: {done.stderr[-2000:]}")

    @property
    def count(self) -> int:
        """How many people one round of a rival is for."""
        return min(self.MOST, self.stage.people)

    def task_per_chunk(self, *, with_rows: bool) -> float:
        """Seconds a message of a Celery task per 250 messages with Django's mail; `with_rows` stores each delivery."""
        from benchmarks.digests_rivals import send_chunk
        from partnerships.digests.models import Subscription

        following = Subscription.objects.filter(plan=self.stage.plan).order_by("pk")
        people = list(following.values_list("person", flat=True)[: self.count])
        before, number = len(self.box.taken()), self.stage.plan_number()
        began = time.time()
        for start in range(0, len(people), 250):
            send_chunk.delay(people[start : start + 250], self.stage.plan.pk, number - 1, number, with_rows)
        last, _ = wait_for(self.box, before + len(people))
        return (last - began) / len(people)

    def django_post_office(self) -> float:
        """Seconds a message of django-post-office: queued in one go, sent by two of its processes."""
        before = len(self.box.taken())
        self._run_post_office("queue", self.stage.plan_number())
        began = time.time()
        self._run_post_office("send", self.stage.plan_number())
        last, _ = wait_for(self.box, before + self.count)
        return (last - began) / self.count

    def stop(self) -> None:
        """End them."""
        self.workers.stop()


def rounds(stage: Stage, count: int, rivals: Rivals | None) -> dict[str, Any]:
    """Interleaved rounds of ours, the loop and, to the sink that pipelines, the rivals."""
    figures: dict[str, Any] = {"memory_mb": 0.0}
    messages = stage.folder / "messages.pickle"
    for name in ("pipelining", "plain"):
        workers = stage.workers(name)
        top = workers.start()
        stage.play(name, top)  # everything is read and compiled once before it is measured
        sent, size = dump_messages(stage.plan.pk, stage.plan_number(), messages)
        ours, loop = [], []
        limits: list[float] = []
        chunks: list[float] = []
        rowless: list[float] = []
        offices: list[float] = []
        for number in range(count):
            time.sleep(_BREATH)
            ours.append(stage.play(name, top))
            time.sleep(_BREATH)
            loop.append(run_loop(stage.boxes[name], messages, sent))
            if rivals is not None and name == "pipelining":
                time.sleep(_BREATH)
                limits.append(run_limit(stage.boxes[name], messages, sent))
                time.sleep(_BREATH)
                chunks.append(rivals.task_per_chunk(with_rows=True))
                time.sleep(_BREATH)
                rowless.append(rivals.task_per_chunk(with_rows=False))
                if rivals.has_post_office:
                    time.sleep(_BREATH)
                    offices.append(rivals.django_post_office())
            print(
                f"  {name:10} round {number + 1}: ours {stage.people / ours[-1]['seconds']:7,.0f}/s,"
                f" {1e6 * ours[-1]['cpu'] / stage.people:5.0f} µs CPU; loop {sent / loop[-1]['seconds']:7,.0f}/s,"
                f" {1e6 * loop[-1]['cpu'] / sent:5.0f} µs CPU"
                + (f"; task per 250 {1 / chunks[-1]:,.0f}/s, without rows {1 / rowless[-1]:,.0f}/s" if chunks else "")
                + (f"; ready bytes alone {sent / limits[-1]:,.0f}/s" if limits else "")
                + (f"; django-post-office {1 / offices[-1]:,.0f}/s" if offices else ""),
                flush=True,
            )
        workers.stop()
        seconds = statistics.median(one["seconds"] for one in ours)
        figures |= {
            f"{name}_rate_ratio": round(statistics.median(one["seconds"] for one in loop) / seconds, 2),
            f"{name}_cpu_ratio": round(
                statistics.median(one["cpu"] for one in ours) / statistics.median(one["cpu"] for one in loop), 2
            ),
            f"{name}_per_second": round(stage.people / seconds),
            f"{name}_loop_per_second": round(sent / statistics.median(one["seconds"] for one in loop)),
            "message_bytes": round(size),
            "memory_mb": round(max(figures["memory_mb"], *(one["memory"] for one in ours)), 1),
        }
        if chunks:
            figures["limit_per_second"] = round(sent / statistics.median(limits))
            figures["task_per_250_per_second"] = round(1 / statistics.median(chunks))
            figures["task_per_250_without_rows_per_second"] = round(1 / statistics.median(rowless))
            figures["against_task_per_250"] = round(statistics.median(chunks) * stage.people / seconds, 1)
            without = statistics.median(rowless) * stage.people / seconds
            figures["against_task_per_250_without_rows"] = round(without, 1)
        if offices:
            figures["against_post_office"] = round(statistics.median(offices) * stage.people / seconds, 1)
    return figures


def floors(stage: Stage) -> dict[str, Any]:
    """What no way of sending can do without: the bytes over one connection, and the words rendered once for each
    person by Django's templates; and what composing costs us. Microseconds of processor time a message."""
    from django.db import transaction
    from django.utils import timezone

    from benchmarks.digests_rivals import render
    from partnerships.digests.emails.reading import read_news
    from partnerships.digests.planning.choosing import choose, spread
    from partnerships.outbox.claiming import claim
    from partnerships.outbox.models import Email
    from partnerships.people.models import User

    count = min(stage.people, 500)
    stage.round += 1
    publish(stage.plan, stage.lead, stage.round)
    spread(now=timezone.now())
    choose(now=timezone.now())
    number = stage.plan_number()
    with transaction.atomic():
        claim(now=timezone.now(), limit=10)  # whatever is shared is rendered before it is measured
        began, composed = time.process_time(), 0
        while composed < count and (examined := claim(now=timezone.now(), limit=250).examined):
            composed += examined
        composing = time.process_time() - began
        transaction.set_rollback(True)
    Email.objects.filter(status="queued").update(status="suppressed", settled_at=timezone.now())
    news, _, _ = read_news(plan_id=stage.plan.pk, from_number=number - 1, to_number=number, reading_class="outside")
    people = list(User.objects.filter(subscriptions__plan=stage.plan)[: min(count, 100)])
    began = time.process_time()
    for person in people:
        render(person, news)
    rendering = time.process_time() - began
    return {
        "composing_us": round(1e6 * composing / max(composed, 1)),
        "rendering_alone_us": round(1e6 * rendering / len(people)),
    }


def publishing_figures(stage: Stage, times: int) -> dict[str, Any]:
    """The 95th percentile of publishing another plan, alone and while a digest run goes."""
    from django.utils import timezone

    _, lead, plan = make_plan(timezone.now(), title="Harbour beside")

    def once(number: int) -> float:
        began = time.perf_counter()
        publish(plan, lead, number)
        return 1000 * (time.perf_counter() - began)

    def p95(values: list[float]) -> float:
        return sorted(values)[max(0, -(-95 * len(values) // 100) - 1)]

    workers = stage.workers("pipelining")
    workers.start()
    try:
        once(1)  # whatever is read once is read
        number = 2
        alone: list[float] = []
        beside: list[float] = []
        for _ in range(3):  # interleaved: alone, then beside a run
            for _ in range(times // 3):
                alone.append(once(number))
                number += 1
            before, until = len(stage.boxes["pipelining"].taken()), time.time() + PATIENCE
            stage.round += 1
            publish(stage.plan, stage.lead, stage.round)
            while len(stage.boxes["pipelining"].taken()) < before + stage.people and time.time() < until:
                beside.append(once(number))
                number += 1
            wait_until_settled(stage.plan.pk, stage.plan_number())
    finally:
        workers.stop()
    return {
        "publish_alone_p95_ms": round(p95(alone), 1),
        "publish_beside_p95_ms": round(p95(beside), 1),
        "publish_p95_ratio": round(p95(beside) / p95(alone), 2),
        "published_beside": len(beside),
    }


def kill_figures(people: int) -> dict[str, Any]:
    """kill -9 one process of the worker in the middle of a run, on a database of its own: who was lost, who was told
    twice."""
    command = [sys.executable, str(ROOT / "benchmarks/digests_faults.py"), "kill", "--people", str(people)]
    environ = {name: value for name, value in os.environ.items() if name != "DEBUG"} | {
        "DATABASE_URL": OWN_URL,
        "DATABASE_OWNER_URL": OWN_OWNER_URL,
    }
    done = subprocess.run(
        [*command, "--times", "1", "--only", "child"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environ,
    )
    if done.returncode:
        raise SystemExit(f"The run that is killed: {done.stderr[-2000:]}")
    said = json.loads(done.stdout.strip().splitlines()[-1])
    return {
        "kill_lost": said["lost"],
        "kill_repeated": said["repeated"],
        "kill_other_message_ids": said["other_message_ids"],
        "kill_done": ", ".join(said["done"]),
    }


def account_lane_figures() -> dict[str, Any]:
    """How soon account emails leave beside a million digests, on a database of its own."""
    environ = {name: value for name, value in os.environ.items() if name != "DEBUG"} | {
        "DATABASE_URL": OWN_URL,
        "DATABASE_OWNER_URL": OWN_OWNER_URL,
    }
    command = [sys.executable, str(ROOT / "benchmarks/account_lane.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environ)
    if done.returncode:
        raise SystemExit(f"The lane of account emails: {done.stderr[-2000:]}")
    figures: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


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
    parser.add_argument("--publications", type=int, default=300, help="how often another plan is published alone")
    parser.add_argument("--no-rivals", action="store_true", help="leave out the plain ways with Django's mail")
    parser.add_argument("--no-kill", action="store_true", help="leave out the run that is killed")
    parser.add_argument("--no-account-lane", action="store_true", help="leave out account emails beside a million")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, own_database("bench_digests") as database:
        stage = Stage(Path(folder), database, options.people)
        try:
            figures = {"people": options.people, "rounds": options.rounds, "cores": psutil.cpu_count()}
            rivals = None if options.no_rivals else Rivals(stage)
            try:
                figures |= rounds(stage, options.rounds, rivals)
            finally:
                if rivals is not None:
                    rivals.stop()
            figures |= floors(stage)
            figures |= choosing_figures(stage)
            figures |= publishing_figures(stage, options.publications)
            if options.million:
                figures |= million_figures(stage, options.million)
            if options.large:
                figures |= large(stage, options.large)
        finally:
            stage.close()
            from django.db import connection

            connection.close()
    if not options.no_kill:
        figures |= kill_figures(options.people)
    if not options.no_account_lane:
        figures |= account_lane_figures()
    figures["python"], figures["machine"] = platform.python_version(), platform.machine()
    print(f"\n{'figure':32} value")
    for name, value in figures.items():
        print(f"{name:32} {value}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
