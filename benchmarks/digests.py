"""Measure digests, from the publication of a version to the last email, for 5,000 followers.

The benchmark uses a separate database, two worker processes and an SMTP sink. It compares our digests, in alternating
rounds, with other ways of sending:

- a plain smtplib loop that sends the same finished emails over one connection
- a Celery task for every 250 emails with Django's mail, with and without a stored delivery for each
- django-post-office, if it is installed (`uv pip install django-post-office`)
- two processes that only send the finished emails, which no other way can exceed

It then measures composing and rendering alone, choosing recipients, publishing during a run, and a run in which the
worker is killed. Absolute rates depend on the machine, so compare the ratios. The last line of the output is a JSON
object with all figures.

    make bench-digests                                          as measured for docs/performance.md
    make bench-digests ARGS="--people 1000 --rounds 3"          quicker
    make bench-digests ARGS="--large 100000"                    with the memory of a run of that size
    make bench-digests ARGS="--changes --million 1000000"       one change of a partnership, and its idle sweep
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.digests_changes import changes_figures
from benchmarks.digests_planning import choosing_figures, million_figures
from benchmarks.digests_rounds import Rivals, floors, rounds
from benchmarks.digests_stage import MAX_SECONDS, Stage, wait_until_settled
from benchmarks.digests_world import ROOT, make_plan, make_stakeholders, own_database, publish

#: The configured addresses of the database, before the benchmark connects Django to a separate one.
OWN_URL, OWN_OWNER_URL = os.environ.get("DATABASE_URL", ""), os.environ.get("DATABASE_OWNER_URL", "")


def publishing_figures(stage: Stage, times: int) -> dict[str, Any]:
    """Return the 95th percentile of publishing another plan, both alone and during a run of digests."""
    from django.utils import timezone

    _, lead, plan = make_plan(timezone.now(), title="Harbour beside")

    def once(number: int) -> float:
        began = time.perf_counter()
        publish(plan, lead, number)
        return 1000 * (time.perf_counter() - began)

    def p95(values: list[float]) -> float:
        return sorted(values)[max(0, -(-95 * len(values) // 100) - 1)]

    workers = stage.workers()
    workers.start()
    try:
        once(1)  # imports and caches
        number = 2
        alone: list[float] = []
        beside: list[float] = []
        for _ in range(3):  # in turns: alone, then during a run
            for _ in range(times // 3):
                alone.append(once(number))
                number += 1
            before, until = len(stage.box.taken()), time.time() + MAX_SECONDS
            stage.round += 1
            publish(stage.plan, stage.lead, stage.round)
            while len(stage.box.taken()) < before + stage.people and time.time() < until:
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
    """Return how many emails are lost and repeated if a worker process is killed during a run."""
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
        raise SystemExit(f"The run with a killed worker failed: {done.stderr[-2000:]}")
    result = json.loads(done.stdout.strip().splitlines()[-1])
    return {
        "kill_lost": result["lost"],
        "kill_repeated": result["repeated"],
        "kill_other_message_ids": result["other_message_ids"],
        "kill_done": ", ".join(result["done"]),
    }


def account_lane_figures() -> dict[str, Any]:
    """Return how soon account emails are sent while a million digests are queued."""
    environ = {name: value for name, value in os.environ.items() if name != "DEBUG"} | {
        "DATABASE_URL": OWN_URL,
        "DATABASE_OWNER_URL": OWN_OWNER_URL,
    }
    command = [sys.executable, str(ROOT / "benchmarks/account_lane.py")]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environ)
    if result.returncode:
        raise SystemExit(f"The benchmark of account emails failed: {result.stderr[-2000:]}")
    figures: dict[str, Any] = json.loads(result.stdout.strip().splitlines()[-1])
    return figures


def large(stage: Stage, count: int) -> dict[str, float]:
    """Return the memory and rate of a run for many more people."""
    from django.utils import timezone

    make_stakeholders(stage.plan, stage.owner, stage.lead, count - stage.people, timezone.now(), first=stage.people)
    stage.people = count
    stage.analyse()
    workers = stage.workers()
    top = workers.start()
    figures = stage.play(top)
    workers.stop()
    return {
        "large_people": count,
        "large_memory_mb": round(figures["memory"], 1),
        "large_per_second": round(count / figures["seconds"]),
    }


def main() -> None:
    """Measure, print a table, and print the figures as JSON on the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--large", type=int, default=0, help="also a run for this many people")
    parser.add_argument("--million", type=int, default=0, help="also an idle sweep over this many subscriptions")
    parser.add_argument("--publications", type=int, default=300, help="how often another plan is published")
    parser.add_argument("--changes", action="store_true", help="only one change of a partnership, and an idle sweep")
    parser.add_argument("--no-rivals", action="store_true", help="leave out the comparisons with Django's mail")
    parser.add_argument("--no-kill", action="store_true", help="leave out the run with a killed worker")
    parser.add_argument("--no-account-lane", action="store_true", help="leave out account emails beside many digests")
    options = parser.parse_args()
    if options.changes:
        with tempfile.TemporaryDirectory() as folder, own_database("bench_changes") as database:
            figures = changes_figures(Path(folder), database, options.people, options.rounds, options.million)
            from django.db import connection

            connection.close()
        print(json.dumps(figures | {"people": options.people, "rounds": options.rounds}))
        return
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
