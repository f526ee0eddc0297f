"""Measure every page at the size of England, twice it and ten times it.

For each size, the benchmark fills a separate database (benchmarks/country.py) and requests every page as five people
(benchmarks/pages_asked.py). It measures queries, milliseconds (p50, p95), processor time of Python and of PostgreSQL,
and bytes of HTML.

In the same run, it executes handwritten SQL for all rows and counts of the page, with the same rights
(benchmarks/pages_by_hand.py), as a careful engineer would write it. It also reports where the results differ from the
page. The last line of the output is one JSON object.

    make bench-pages                                    1, 2 and 10 times England
    make bench-pages ARGS="--times 1 --rounds 5"        quicker
    make bench-pages ARGS="--times 1 --keep"            keeps the filled database and uses it again
    make bench-pages ARGS="--times 1 --keep --who authority --only home --statements 10"
                                                        one page of one reader, with its slowest statements

`cpu_ratio_by_hand` is (page - empty signed-in page) / handwritten SQL, in processor time of both processes.
`growth_1_to_10` compares the smallest with the largest size that was measured.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.country import fill
from benchmarks.databases import OWN, kept_database, prepare_pages
from benchmarks.pages_asked import READERS, pages_of
from benchmarks.pages_by_hand_details import BY_HAND
from benchmarks.pages_checked import differences

#: A page that takes longer than this is measured with one request only.
_SLOW_SECONDS = 3.0
#: Seconds for which the requests of a page, and its handwritten SQL, are at least repeated.
_LEAST_SECONDS = 1.0
#: Seconds after which PostgreSQL cancels a statement. The page has then failed.
_GIVE_UP_SECONDS = 60


@dataclass
class Figures:
    """The cost of one page for one person. Times are in milliseconds."""

    queries: int
    p50_ms: float
    p95_ms: float
    python_ms: float
    postgres_ms: float
    bytes: int
    by_hand_ms: float | None = None

    @property
    def cpu_ms(self) -> float:
        """The processor time of a request in both processes."""
        return self.python_ms + self.postgres_ms


def measure(client: Any, address: str, rounds: int, shown: int = 0) -> Figures | None:
    """Request a page several times, and return its figures.

    Returns None if the page failed, or if this person may not see it. The first request is a warm-up, which composes
    SQL and renews the session. Queries are counted in the second request. Its slowest statements are printed with their
    milliseconds, `shown` of them.
    """
    from django.db import connection

    backend = psutil.Process(_backend())
    requests: list[tuple[float, str]] = []

    def count(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            requests.append(((time.perf_counter() - began) * 1000, sql))

    began = time.perf_counter()
    response = client.get(address)
    seconds = time.perf_counter() - began
    if response.status_code != 200:
        print(f"    {address}: {response.status_code} after {seconds:.1f} s")
        return None
    with connection.execute_wrapper(count):
        client.get(address)
    gc.freeze()  # as web workers do, because collecting garbage among loaded modules takes a third of a second
    queries, size = len(requests), len(response.content)
    for milliseconds, sql in sorted(requests, reverse=True)[:shown]:
        print(f"      {milliseconds:8.1f} ms  {sql[:300]}")
    # Pages and handwritten SQL are repeated for the same time. PostgreSQL's processor time has steps of 10 ms, so few
    # repetitions are imprecise. If one of the two was repeated more often, the processor's caches would favour it.
    times: list[float] = []
    postgres_before, python_before, began = _cpu(backend), time.process_time(), time.perf_counter()
    while len(times) < (1 if seconds > _SLOW_SECONDS else rounds) or time.perf_counter() - began < _LEAST_SECONDS:
        request_began = time.perf_counter()
        client.get(address)
        times.append((time.perf_counter() - request_began) * 1000)
    python = (time.process_time() - python_before) * 1000 / len(times)
    postgres = (_cpu(backend) - postgres_before) * 1000 / len(times)
    times.sort()
    return Figures(
        queries=queries,
        p50_ms=round(statistics.median(times), 1),
        p95_ms=round(times[min(len(times) - 1, int(len(times) * 0.95))], 1),
        python_ms=round(python, 1),
        postgres_ms=round(postgres, 1),
        bytes=size,
    )


def by_hand(statements: list[str], given: dict[str, Any]) -> float:
    """Return the processor time in ms, in both processes, of fetching the same rows with psycopg2.

    The statements are repeated for a second, and at least five times.
    """
    from django.db import connection

    backend = psutil.Process(_backend())
    rounds, began = 0, time.perf_counter()
    with connection.cursor() as cursor:
        before, cpu = _cpu(backend), time.process_time()
        while rounds < 5 or time.perf_counter() - began < _LEAST_SECONDS:
            rounds += 1
            for sql in statements:
                cursor.execute(sql, given)
                cursor.fetchall()
    return (time.process_time() - cpu + _cpu(backend) - before) * 1000 / rounds


def _cpu(process: psutil.Process) -> float:
    """Return the processor time, in seconds, that a process has used."""
    used = process.cpu_times()
    return float(used.user + used.system)


def _backend() -> int:
    """Return the id of PostgreSQL's process for this connection.

    Parallel workers are turned off, so that this process does all the work.
    """
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"SET max_parallel_workers_per_gather = 0; SET statement_timeout = '{_GIVE_UP_SECONDS}s'")
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def figures_at(times: float, wanted: argparse.Namespace) -> dict[str, dict[str, Figures]]:
    """Fill the database, and measure every page for every person.

    This runs in a separate process for each size, because Django starts only once in a process.
    """
    rounds, only = wanted.rounds, wanted.only
    name = f"bench_pages_{times:g}".replace(".", "_")
    with kept_database(name, keep=wanted.keep) as database:
        prepare_pages(database.url)
        from django.core.management import call_command
        from django.db import connections
        from django.test import Client

        from partnerships.people.models import User

        call_command("migrate", verbosity=0)  # a database that was kept may be older than the code
        if not database.is_filled:
            print(f"{times:g} times England: tables", flush=True)
            fill(times)
            database.mark_filled()
        figures_by_page: dict[str, dict[str, Figures]] = {}
        for name in wanted.who:
            person = User.objects.get(email=f"{name}@country.example")
            client = Client(raise_request_exception=False)
            if not person.is_stakeholder:
                client.force_login(person)
            figures_by_page[name] = {}
            for page, (url, given) in pages_of(person).items():
                if only and page not in only and page != "empty":
                    continue
                figures = measure(client, url, rounds, wanted.statements)
                if figures is None:
                    continue
                if page in BY_HAND:
                    values = {**given, "person": person.pk}
                    for difference in differences(client.get(url).content.decode(), BY_HAND[page], values):
                        print(f"    {page} differs from the rows by hand: {difference}")
                    figures.by_hand_ms = round(by_hand(BY_HAND[page], values), 2)
                figures_by_page[name][page] = figures
                print(
                    f"  {times:g}x {name:14}{page:28}{figures.queries:4} queries {figures.p50_ms:9.1f} ms"
                    f"{figures.python_ms:9.1f} + {figures.postgres_ms:.1f} ms CPU {figures.bytes / 1024:8.0f} KB"
                    f"   by hand {figures.by_hand_ms}",
                    flush=True,
                )
        connections.close_all()
    return figures_by_page


def main() -> int:
    """Measure each size in a separate process, and print a table and the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=float, nargs="*", default=[1, 2, 10], help="sizes, in times England")
    parser.add_argument("--rounds", type=int, default=10, help="requests of each page, or more in a second (10)")
    parser.add_argument("--only", nargs="*", default=[], help="names of pages")
    parser.add_argument("--who", nargs="*", default=READERS, choices=READERS, help="people who ask for them")
    parser.add_argument("--statements", type=int, default=0, help="show this many of a page's slowest statements")
    parser.add_argument("--keep", action="store_true", help="keep the filled databases and use them again")
    parser.add_argument("--one", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not OWN:
        parser.error("DATABASE_URL is not set: start this with make bench-pages")
    if options.one is not None:
        found = figures_at(options.one, options)
        print(json.dumps({who: {page: asdict(one) for page, one in pages.items()} for who, pages in found.items()}))
        return 0
    sizes: dict[float, Any] = {}
    for times in options.times:
        process = subprocess.Popen(
            [sys.executable, __file__, *sys.argv[1:], "--one", str(times)], stdout=subprocess.PIPE, text=True
        )
        lines = []
        for line in process.stdout or ():
            lines.append(line)
            if not line.startswith("{"):
                print(line, end="", flush=True)
        if process.wait():
            return 1
        sizes[times] = json.loads(lines[-1])
    print(json.dumps({"pages": _summary(sizes)}))
    return 0


def _summary(sizes: dict[float, Any]) -> dict[str, Any]:
    """Return the processor time at the largest size and the growth from the smallest, by person and page."""
    smallest, largest = min(sizes), max(sizes)
    rows = {}
    for who, pages in sizes[largest].items():
        empty = pages["empty"]["python_ms"] + pages["empty"]["postgres_ms"]
        for page, one in pages.items():
            cpu = one["python_ms"] + one["postgres_ms"]
            before = sizes[smallest].get(who, {}).get(page)
            was = before["python_ms"] + before["postgres_ms"] if before else 0
            rows[f"{who}: {page}"] = {
                "queries": one["queries"],
                "p50_ms": one["p50_ms"],
                "p95_ms": one["p95_ms"],
                "cpu_ms": round(cpu, 1),
                "bytes": one["bytes"],
                "cpu_ratio_by_hand": round((cpu - empty) / one["by_hand_ms"], 1) if one["by_hand_ms"] else None,
                "growth_1_to_10": round(cpu / was, 2) if was else None,
            }
    return rows


if __name__ == "__main__":
    raise SystemExit(main())
