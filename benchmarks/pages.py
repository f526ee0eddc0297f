"""Measure every page at the size of England, twice it and ten times it.

For each size, the benchmark fills a separate database (benchmarks/country.py) and requests every page as five people
(benchmarks/pages_asked.py). It measures queries, milliseconds (p50, p95), processor time of Python and of PostgreSQL,
and bytes of HTML.

In the same run, it executes handwritten SQL for all rows and counts of the page, with the same rights
(benchmarks/pages_by_hand.py), as a careful engineer would write it. It also reports where the results differ from the
page. The last line of the output is one JSON object.

    make bench-pages                                    1, 2 and 10 times England
    make bench-pages ARGS="--times 1 --turns 3"         quicker
    make bench-pages ARGS="--times 1 --keep"            keeps the filled database and uses it again
    make bench-pages ARGS="--times 1 --keep --who authority --only home --statements 10"
                                                        one page of one reader, with its slowest statements

`cpu_ratio_by_hand` is (page - empty signed-in page) / handwritten SQL, in processor time of both processes.
`growth_1_to_10` compares the smallest with the largest size that was measured. Both sizes are measured in empty pages,
since the machine may be faster in one than in the other.
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
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.country import fill
from benchmarks.databases import OWN, kept_database, postgres_process, prepare_pages, seconds_used
from benchmarks.pages_asked import READERS, pages_of
from benchmarks.pages_by_hand_details import BY_HAND
from benchmarks.pages_checked import differences

#: A page that takes longer than this is measured with one request only.
_SLOW_SECONDS = 3.0
#: Seconds of each turn of a page, of the empty page and of the handwritten SQL. Processor caches then stay warm.
_TURN_SECONDS = 0.1
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
    #: The empty signed-in page, and the handwritten SQL, in processor time of both processes.
    empty_ms: float
    by_hand_ms: float | None
    bytes: int

    @property
    def cpu_ms(self) -> float:
        """The processor time of a request in both processes."""
        return self.python_ms + self.postgres_ms

    @property
    def empty_pages(self) -> float:
        """How many empty pages need as much processor time as this page."""
        return self.cpu_ms / self.empty_ms

    @property
    def ratio_by_hand(self) -> float | None:
        """How many times the handwritten SQL's processor time the page needs more than an empty page."""
        return (self.cpu_ms - self.empty_ms) / self.by_hand_ms if self.by_hand_ms else None


@dataclass
class Costs:
    """The processor time in milliseconds of one piece of work, once for each of its turns."""

    run: Callable[[], object]
    python: list[float] = field(default_factory=list)
    postgres: list[float] = field(default_factory=list)
    #: How long each repetition took.
    times: list[float] = field(default_factory=list)

    def take_turn(self, backend: int) -> None:
        """Repeat the work for `_TURN_SECONDS`, and add what one repetition cost."""
        repetitions, began = 0, time.perf_counter()
        postgres_before, python_before = seconds_used(backend), time.process_time()
        while repetitions == 0 or time.perf_counter() - began < _TURN_SECONDS:
            run_began = time.perf_counter()
            self.run()
            self.times.append((time.perf_counter() - run_began) * 1000)
            repetitions += 1
        self.python.append((time.process_time() - python_before) * 1000 / repetitions)
        self.postgres.append((seconds_used(backend) - postgres_before) * 1000 / repetitions)

    @property
    def python_ms(self) -> float:
        """The median of the turns in Python."""
        return statistics.median(self.python)

    @property
    def postgres_ms(self) -> float:
        """The median of the turns in PostgreSQL."""
        return statistics.median(self.postgres)

    @property
    def cpu_ms(self) -> float:
        """The processor time in both processes, added up as for a page."""
        return self.python_ms + self.postgres_ms


def measure(
    client: Any, address: str, empty: str, by_hand: Callable[[], None] | None, *, turns: int, slowest: int
) -> Figures | None:
    """Request a page by turns with the empty page and the handwritten SQL, and return its figures.

    They take turns because the machine can be twice as fast as a minute later.

    Returns None if the page failed, or if this person may not see it. The first request is a warm-up, which composes
    SQL and renews the session. Queries are counted in the second request. Its slowest statements are printed with their
    milliseconds, `slowest` of them.
    """
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = '{_GIVE_UP_SECONDS}s'")
    backend = postgres_process()
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
    for milliseconds, sql in sorted(requests, reverse=True)[:slowest]:
        print(f"      {milliseconds:8.1f} ms  {sql[:300]}")
    page_costs, empty_costs = Costs(lambda: client.get(address)), Costs(lambda: client.get(empty))
    hand_costs = Costs(by_hand) if by_hand else None
    for _ in range(1 if seconds > _SLOW_SECONDS else turns):
        for costs in filter(None, (page_costs, empty_costs, hand_costs)):
            costs.take_turn(backend)
    page_costs.times.sort()
    return Figures(
        queries=queries,
        p50_ms=round(statistics.median(page_costs.times), 1),
        p95_ms=round(page_costs.times[min(len(page_costs.times) - 1, int(len(page_costs.times) * 0.95))], 1),
        python_ms=round(page_costs.python_ms, 1),
        postgres_ms=round(page_costs.postgres_ms, 1),
        empty_ms=round(empty_costs.cpu_ms, 1),
        by_hand_ms=round(hand_costs.cpu_ms, 2) if hand_costs else None,
        bytes=size,
    )


def fetch_by_hand(statements: list[str], values: dict[str, Any]) -> None:
    """Fetch the rows of handwritten SQL with psycopg2."""
    from django.db import connection

    with connection.cursor() as cursor:
        for sql in statements:
            cursor.execute(sql, values)
            cursor.fetchall()


def figures_at(times: float, wanted: argparse.Namespace) -> dict[str, dict[str, Figures]]:
    """Fill the database, and measure every page for every person.

    This runs in a separate process for each size, because Django starts only once in a process.
    """
    only = wanted.only
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
            pages = pages_of(person)
            empty_url, _ = pages["empty"]
            for page, (url, given) in pages.items():
                if only and page not in only and page != "empty":
                    continue
                values = {**given, "person": person.pk}
                by_hand = partial(fetch_by_hand, BY_HAND[page], values) if page in BY_HAND else None
                figures = measure(client, url, empty_url, by_hand, turns=wanted.turns, slowest=wanted.statements)
                if figures is None:
                    continue
                if by_hand:
                    for difference in differences(client.get(url).content.decode(), BY_HAND[page], values):
                        print(f"    {page} differs from the rows by hand: {difference}")
                figures_by_page[name][page] = figures
                print(
                    f"  {times:g}x {name:14}{page:28}{figures.queries:4} queries {figures.p50_ms:9.1f} ms"
                    f"{figures.python_ms:9.1f} + {figures.postgres_ms:.1f} ms CPU {figures.bytes / 1024:8.0f} KB"
                    f"   empty {figures.empty_ms}   by hand {figures.by_hand_ms}",
                    flush=True,
                )
        connections.close_all()
    return figures_by_page


def main() -> int:
    """Measure each size in a separate process, and print a table and the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=float, nargs="*", default=[1, 2, 10], help="sizes, in times England")
    parser.add_argument("--turns", type=int, default=10, help="turns of each page, a tenth of a second each (10)")
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
        for page, stored in pages.items():
            figures = Figures(**stored)
            before = sizes[smallest].get(who, {}).get(page)
            ratio = figures.ratio_by_hand
            rows[f"{who}: {page}"] = {
                "queries": figures.queries,
                "p50_ms": figures.p50_ms,
                "p95_ms": figures.p95_ms,
                "cpu_ms": round(figures.cpu_ms, 1),
                "empty_ms": figures.empty_ms,
                "bytes": figures.bytes,
                "cpu_ratio_by_hand": None if ratio is None else round(ratio, 1),
                "growth_1_to_10": round(figures.empty_pages / Figures(**before).empty_pages, 2) if before else None,
            }
    return rows


if __name__ == "__main__":
    raise SystemExit(main())
