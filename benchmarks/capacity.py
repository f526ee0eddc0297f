"""`make bench-capacity`: measure how much one and two cores can serve.

The figures are pages, saves and emails per second, and the memory of a process. PostgreSQL and the web processes (or
workers) are confined to the cores (`taskset`). The requests come from another core. If the machine has no third core,
they share the two cores, and the table shows how much of these they used. The pages are those of a person whose
organisation is in 40 partnerships, in a network of the size of England (benchmarks/country.py).

Each figure is measured at saturation, with eight people per core who send the next request at once. The figures for
four and sixteen cores are calculated: cores / processor time of a request on two cores. One and two cores are
calculated too, for comparison. On a busy machine, processor time is nearly right but the measured rate is not. The last
line of the output is a JSON object.

After that, one web process renders every page of benchmarks/pages.py twice for each of its five people.
`every_page_mb` is its own memory afterwards, and its memory including the share that it has in common with its parent.

    make bench-capacity                                     some five minutes
    make bench-capacity ARGS="--seconds 5"                  quicker
    make bench-capacity ARGS="--times 10 --keep --web"      pages only, in the database of
                                                            `make bench-pages ARGS="--times 10 --keep"`
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.country import fill
from benchmarks.databases import OWN, kept_database, prepare_pages
from benchmarks.digests_stage import Stage
from benchmarks.digests_world import ROOT, cpu_of, free_port, own_database, tree
from benchmarks.pages_asked import READERS, pages_of
from tools.serving import GUNICORN

MEASURED, RECKONED = (1, 2), (4, 16)
PAGES = ("home", "plan", "commitments")
#: People per core. Each sends the next request as soon as the last is answered.
PEOPLE = 8
#: The shortest warm-up before a figure, in seconds, and the requests of each person in it. In its first requests, a
#: process still composes its SQL.
WARM_UP, WARM_UP_TIMES = 3.0, 10
NEW = "/commitments/new/"
#: As in docs/deploy.md.
WEB = (*GUNICORN, "--threads", "4", "--timeout", "60")
_FIELD = re.compile(r'name="(csrfmiddlewaretoken|key)"[^>]*value="([^"]+)"')


def confine(top: psutil.Process, cores: set[int]) -> None:
    """Confine a process and its descendants to these cores. Processes that they start later inherit this."""
    for process in tree(top):
        os.sched_setaffinity(process.pid, cores)


def postmaster() -> psutil.Process:
    """Return the first process of the database server."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return psutil.Process(psutil.Process(cursor.fetchone()[0]).ppid())


def used_by(*tops: psutil.Process) -> float:
    """Return the processor time, in seconds, of processes and all their descendants, including ended ones."""
    times = [top.cpu_times() for top in tops]
    return sum(map(cpu_of, tops)) + sum(one.children_user + one.children_system for one in times)


def split(number: int) -> tuple[set[int], set[int]]:
    """Return the cores for the servers and the cores for the requests, which are the same if there are no others."""
    there = sorted(os.sched_getaffinity(0))
    return set(there[:number]), set(there[number:] or there)


# --- Pages and saves


@contextmanager
def web(environ: dict[str, str], cores: set[int], log: Path, *, workers: int = 4) -> Any:
    """Start web processes on these cores; yield their first process and the port when they are ready."""
    port = free_port()
    confined = ("taskset", "--cpu-list", ",".join(map(str, sorted(cores))))
    command = [*confined, sys.executable, *WEB, "--workers", str(workers)]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, "--bind", f"127.0.0.1:{port}"], cwd=ROOT, env=environ, stdout=output, stderr=output
        )
    try:
        until = time.monotonic() + 120
        while ask(port, "GET", "/health/ready/")[0] != 200:
            if process.poll() is not None or time.monotonic() > until:
                sys.exit(f"The web processes do not answer: {log.read_text()[-2000:]}")
            time.sleep(0.3)
        yield psutil.Process(process.pid), port
    finally:
        process.terminate()
        process.wait(60)


def ask(port: int, method: str, path: str, cookie: str = "", data: dict[str, str] | None = None) -> tuple[int, str]:
    """Return the status and the body of an answer. The status is 0 if there was no answer."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Host": "localhost", "Cookie": cookie, "Connection": "close"}
    if data is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        line.request(method, path, urlencode(data) if data is not None else None, headers)
        response = line.getresponse()
        return response.status, response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        line.close()


def rate(do: Callable[[], bool], server: list[psutil.Process], people: int, seconds: float) -> dict[str, float]:
    """Return how often per second people can do something, how long it takes, and its processor time."""
    warm: list[float] = []
    durations: list[float] = []
    failed: list[float] = []
    started, over = threading.Event(), threading.Event()

    def go_on() -> None:
        while not over.is_set():
            began = time.perf_counter()
            kept = (durations if started.is_set() else warm) if do() else failed
            if not over.is_set():
                kept.append(time.perf_counter() - began)

    threads = [threading.Thread(target=go_on) for _ in range(people)]
    for thread in threads:
        thread.start()
    time.sleep(WARM_UP)
    while len(warm) < people * WARM_UP_TIMES and not failed:
        time.sleep(0.1)
    before, own, began = used_by(*server), time.process_time(), time.perf_counter()
    started.set()
    time.sleep(seconds)
    over.set()
    passed = time.perf_counter() - began
    used, asking = used_by(*server) - before, time.process_time() - own
    for thread in threads:
        thread.join()
    if failed or not durations:
        sys.exit(f"{len(failed)} of {len(failed) + len(durations)} failed.")
    return {
        "a_second": round(len(durations) / passed, 1),
        "p50_ms": round(statistics.median(durations) * 1000),
        "cpu_ms": round(used / len(durations) * 1000, 1),
        "asking_cores": round(asking / passed, 2),
    }


def saver(port: int, cookie: str, csrf: str, sides: dict[str, str]) -> Callable[[], bool]:
    """Return a function that opens the form of a commitment and submits it."""

    def save() -> bool:
        status, page = ask(port, "GET", NEW, f"{cookie}; {csrf}")
        fields = dict(_FIELD.findall(page))
        said = {"text": "Sixty homes by the river.", "due_on": "2031-12-01", **sides}
        return status == 200 and ask(port, "POST", NEW, f"{cookie}; {csrf}", fields | said)[0] == 302

    return save


def web_figures(folder: Path, seconds: float, *, times: float, keep: bool) -> dict[int, dict[str, Any]]:
    """Return the figures of pages and saves by the number of cores.

    Nothing is saved in a database that is kept.
    """
    name = f"bench_pages_{times:g}".replace(".", "_") if keep else "bench_capacity"
    with kept_database(name, keep=keep) as filled:
        prepare_pages(filled.url)
        from django.conf import settings
        from django.core.management import call_command
        from django.db import connections
        from django.middleware.csrf import _get_new_csrf_string
        from django.test import Client

        from partnerships.agreements.models import Party
        from partnerships.organisations.models import Membership
        from partnerships.people.models import User

        call_command("migrate", verbosity=0)  # a database that was kept may be older than the code
        if not filled.is_filled:
            fill(times)
            filled.mark_filled()
        environ = os.environ | {
            "SITE_ORIGIN": "http://localhost",
            "ALLOWED_HOSTS": "localhost",
            "DEMONSTRATION": "1",
            "STATIC_ROOT": str(folder / "static"),
            "PYTHONPATH": str(ROOT),
        }
        collecting = [sys.executable, "manage.py", "collectstatic", "--no-input", "-v0"]
        subprocess.run(collecting, cwd=ROOT, env=environ, check=True)
        lead = User.objects.get(email="lead@country.example")

        def signed_in(person: User) -> str:
            client = Client()
            client.force_login(person)
            return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"

        cookie = signed_in(lead)
        csrf = f"{settings.CSRF_COOKIE_NAME}={_get_new_csrf_string()}"
        ours = Membership.objects.get(person=lead).organisation_id
        party = Party.objects.accepted().filter(organisation=ours).order_by("pk")[0]
        other_party = Party.objects.accepted().filter(partnership=party.partnership).exclude(organisation=ours)[0]
        sides = {"giver": str(ours), "receiver": str(other_party.organisation_id)}
        addresses = {name: pages_of(lead)[name][0] for name in PAGES}
        database = postmaster()
        everywhere = os.sched_getaffinity(0)
        figures_by_cores: dict[int, dict[str, Any]] = {}
        for number in MEASURED:
            serving, asking = split(number)
            confine(database, serving)
            with web(environ, serving, folder / "web.log") as (top, port):
                os.sched_setaffinity(0, asking)
                acts: dict[str, Callable[[], bool]] = {
                    name: lambda path=path: ask(port, "GET", path, cookie)[0] == 200  # type: ignore[misc]
                    for name, path in addresses.items()
                }
                if not keep:
                    acts["saving"] = saver(port, cookie, csrf, sides)
                figures_by_cores[number] = {
                    name: rate(act, [top, database], PEOPLE * number, seconds) for name, act in acts.items()
                }
                workers = [worker.memory_full_info() for worker in top.children()]
                figures_by_cores[number]["web_own_mb"] = round(max(one.uss for one in workers) / 1e6)
                figures_by_cores[number]["web_with_shared_mb"] = round(max(one.pss for one in workers) / 1e6)
            os.sched_setaffinity(0, everywhere)
            show(number, figures_by_cores[number])
        confine(database, everywhere)
        people = [User.objects.get(email=f"{name}@country.example") for name in READERS]
        with web(environ, everywhere, folder / "web.log", workers=1) as (top, port):
            for person in people * 2:
                cookie = "" if person.is_stakeholder else signed_in(person)
                for path, _ in pages_of(person).values():
                    if ask(port, "GET", path, cookie)[0] != 200:
                        print(f"  {person.email} cannot open {path}", flush=True)
            memory = top.children()[0].memory_full_info()
        figures_by_cores[MEASURED[-1]]["every_page_mb"] = [round(memory.uss / 1e6), round(memory.pss / 1e6)]
        megabytes = figures_by_cores[MEASURED[-1]]["every_page_mb"]
        print(f"  a web process after every page, own and with its share: {megabytes} MB")
        connections.close_all()
    return figures_by_cores


# --- Emails


def email_figures(folder: Path, number: int, people: int) -> dict[str, Any]:
    """Return the figures of the digests of a plan's new version, from the second of two rounds."""
    with own_database("bench_capacity_emails") as address:
        serving, others = split(number)
        os.sched_setaffinity(0, others)  # the mail server's
        stage = Stage(folder, address, people)
        database = postmaster()
        confine(database, serving)
        os.sched_setaffinity(0, serving)
        workers = stage.workers()
        workers.concurrency = number
        top = workers.start()
        try:
            stage.play(top)
            before = used_by(database)
            played = stage.play(top)
            used = played["cpu"] + used_by(database) - before
            private_megabytes = max(one.memory_full_info().uss for one in tree(top)) / 1e6
        finally:
            workers.stop()
            os.sched_setaffinity(0, serving | others)
            confine(database, serving | others)
            stage.close()
            from django.db import connection

            connection.close()
    return {
        "emails": {"a_second": round(people / played["seconds"]), "cpu_ms": round(used / people * 1000, 3)},
        "worker_own_mb": round(private_megabytes),
    }


# --- The table


def show(number: int | str, figures: dict[str, Any]) -> None:
    """Print a line for each figure."""
    for name, one in figures.items():
        print(f"  {number:>2} cores  {name:20} {one}", flush=True)


def reckon(measured: dict[str, Any], cores: int) -> dict[str, float]:
    """Return how often per second this many cores could do each thing, limited only by processor time."""
    rates = {name: cores * 1000 / one["cpu_ms"] for name, one in measured.items() if isinstance(one, dict)}
    return {name: round(one, 1 if one < 100 else None) for name, one in rates.items()}


def main() -> int:
    """Measure one and two cores, and calculate four and sixteen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=15, help="of each page (15)")
    parser.add_argument("--people", type=int, default=2000, help="how many get an email (2,000)")
    parser.add_argument("--times", type=float, default=1, help="size of the network of the pages, in times England")
    parser.add_argument("--keep", action="store_true", help="use the database of make bench-pages, without saves")
    parser.add_argument("--web", action="store_true", help="no emails")
    parser.add_argument("--emails-on", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not OWN:
        parser.error("DATABASE_URL is not set: start this with make bench-capacity")
    if len(os.sched_getaffinity(0)) < max(MEASURED):
        parser.error("this machine has one core")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.emails_on:
            print(json.dumps(email_figures(folder, options.emails_on, options.people)))
            return 0
        results: dict[Any, dict[str, Any]] = {number: {} for number in MEASURED}
        for number in () if options.web else MEASURED:  # in processes of their own, because Django starts once in each
            command = [sys.executable, __file__, "--people", str(options.people), "--emails-on", str(number)]
            result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            results[number] = json.loads(result.stdout.splitlines()[-1])
            show(number, results[number])
        for number, figures in web_figures(folder, options.seconds, times=options.times, keep=options.keep).items():
            results[number] |= figures
    reckoned = {number: reckon(results[min(number, 2)], number) for number in (*MEASURED, *RECKONED)}
    for number, rates in reckoned.items():
        show(f"{number} (reckoned)", rates)
    print(json.dumps({"measured": results, "reckoned": reckoned}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
