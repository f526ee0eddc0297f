"""What every page costs at the size of England, twice it and ten times it, beside the same data by hand.

For each size: fills a database of its own (benchmarks/country.py), then asks for every page as five people and measures
queries, milliseconds (p50, p95), processor time of Python and of PostgreSQL, and bytes of HTML; and runs, in the same
run, the statements that a careful engineer would write by hand for the same rows under the same rights. The last line
is one JSON object.

    make bench-pages                                    1, 2 and 10 times England
    make bench-pages ARGS="--times 1 --rounds 5"        quicker
    make bench-pages ARGS="--times 1 --keep"            keeps the filled database and uses it again

`cpu_ratio_by_hand` is (page - empty signed-in page) / statements by hand, in processor time of both processes;
`growth_1_to_10` compares the smallest with the largest size that was measured.
"""

from __future__ import annotations

import argparse
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

#: A page that takes longer than this is asked for once only.
_SLOW_SECONDS = 3.0
#: No statement may take longer: the page counts as failed.
_GIVE_UP_SECONDS = 60


@dataclass
class Figures:
    """What one page costs one person. Milliseconds, but for queries and bytes."""

    queries: int
    p50_ms: float
    p95_ms: float
    python_ms: float
    postgres_ms: float
    bytes: int
    by_hand_ms: float | None = None

    @property
    def cpu_ms(self) -> float:
        """Processor time of a request in both processes."""
        return self.python_ms + self.postgres_ms


# --- the pages and their statements by hand --------------------------------------------------------------------------

_MINE = "mine AS (SELECT organisation_id FROM organisations_membership WHERE person_id = %(person)s)"
_MY_PARTNERSHIPS = (
    f"{_MINE}, theirs AS (SELECT DISTINCT partnership_id FROM agreements_party"
    " WHERE status = 'accepted' AND organisation_id IN (SELECT organisation_id FROM mine))"
)
_READABLE_ENTRY = (
    "(e.audience = 'network' OR e.organisation_id IN (SELECT organisation_id FROM mine)"
    " OR (e.audience = 'partnership' AND e.partnership_id IN (SELECT partnership_id FROM theirs))"
    " OR (e.audience = 'named' AND EXISTS (SELECT 1 FROM exchange_addressee a WHERE a.entry_id = e.id"
    " AND a.organisation_id IN (SELECT organisation_id FROM mine))))"
)
_TIMELINE = (
    "SELECT v.* FROM activity_event v WHERE (v.target_kind = %(kind)s AND v.target_id = %(id)s)"
    " ORDER BY v.at DESC, v.id DESC LIMIT 50"
)

#: By name of the page: the statements that fetch the same rows under the same rights.
BY_HAND: dict[str, list[str]] = {
    "home": [
        (
            f"WITH {_MY_PARTNERSHIPS} SELECT v.* FROM activity_event v WHERE v.within_kind = 'partnership'"
            " AND v.within_id IN (SELECT partnership_id FROM theirs) ORDER BY v.at DESC, v.id DESC LIMIT 20"
        ),
        (
            f"WITH {_MY_PARTNERSHIPS} SELECT p.* FROM agreements_partnership p"
            " WHERE p.id IN (SELECT partnership_id FROM theirs) ORDER BY p.status_since DESC LIMIT 20"
        ),
        (
            f"WITH {_MINE} SELECT c.* FROM commitments_commitment c WHERE c.owner_organisation_id IN"
            " (SELECT organisation_id FROM mine) AND c.status IN ('agreed', 'in_progress', 'at_risk', 'blocked')"
            " ORDER BY c.due_on LIMIT 10"
        ),
    ],
    "partnerships": [
        (
            f"WITH {_MY_PARTNERSHIPS} SELECT p.* FROM agreements_partnership p WHERE p.audience = 'network'"
            " OR p.id IN (SELECT partnership_id FROM theirs) ORDER BY p.title, p.id LIMIT 25"
        )
    ],
    "partnership": [
        "SELECT * FROM agreements_partnership WHERE id = %(id)s",
        (
            "SELECT y.*, o.name FROM agreements_party y JOIN organisations_organisation o ON o.id = y.organisation_id"
            " WHERE partnership_id = %(id)s"
        ),
        _TIMELINE,
    ],
    "board": [
        (
            f"WITH {_MY_PARTNERSHIPS} SELECT e.* FROM exchange_entry e WHERE e.is_open AND e.direction = 'ask' AND"
            f" {_READABLE_ENTRY} ORDER BY e.shared_at DESC, e.id DESC LIMIT 20"
        ),
        (
            f"WITH {_MY_PARTNERSHIPS} SELECT e.* FROM exchange_entry e WHERE e.is_open AND e.direction = 'offer' AND"
            f" {_READABLE_ENTRY} ORDER BY e.shared_at DESC, e.id DESC LIMIT 20"
        ),
    ],
    "entry": [
        f"WITH {_MY_PARTNERSHIPS} SELECT e.* FROM exchange_entry e WHERE e.id = %(id)s AND {_READABLE_ENTRY}",
        _TIMELINE,
    ],
    "plan": [
        "SELECT * FROM plans_plan WHERE id = %(id)s",
        "SELECT * FROM plans_version WHERE plan_id = %(id)s AND number = 3",
        "SELECT * FROM plans_planowner WHERE plan_id = %(id)s",
    ],
    "commitments": [
        (
            f"WITH {_MY_PARTNERSHIPS} SELECT c.* FROM commitments_commitment c WHERE c.partnership_id IN"
            " (SELECT partnership_id FROM theirs) OR c.giver_id IN (SELECT organisation_id FROM mine)"
            " OR c.receiver_id IN (SELECT organisation_id FROM mine) ORDER BY c.due_on, c.id LIMIT 25"
        )
    ],
    "commitment": ["SELECT * FROM commitments_commitment WHERE id = %(id)s", _TIMELINE],
    "conversations": [
        (
            f"WITH {_MY_PARTNERSHIPS} SELECT c.* FROM conversations_conversation c WHERE EXISTS (SELECT 1 FROM"
            " conversations_side s WHERE s.conversation_id = c.id AND s.organisation_id IN"
            " (SELECT organisation_id FROM mine)) ORDER BY c.held_on DESC, c.id DESC LIMIT 25"
        )
    ],
    "organisation": [
        "SELECT * FROM organisations_organisation WHERE id = %(id)s",
        (
            "SELECT p.* FROM agreements_partnership p JOIN agreements_party y ON y.partnership_id = p.id"
            " WHERE y.organisation_id = %(id)s AND y.status = 'accepted' ORDER BY p.title LIMIT 25"
        ),
        _TIMELINE,
    ],
    "plans": [
        (
            f"WITH {_MY_PARTNERSHIPS} SELECT p.* FROM plans_plan p WHERE p.current_number > 0 AND (p.audience IN"
            " ('public', 'network') OR p.partnership_id IN (SELECT partnership_id FROM theirs))"
            " ORDER BY p.last_published_at DESC, p.id DESC LIMIT 25"
        )
    ],
    "work": [
        (
            f"WITH {_MINE} SELECT c.* FROM commitments_commitment c WHERE c.owner_organisation_id IN"
            " (SELECT organisation_id FROM mine) AND c.status IN ('agreed', 'in_progress', 'at_risk', 'blocked')"
            " ORDER BY c.due_on LIMIT 25"
        ),
        (
            f"WITH {_MY_PARTNERSHIPS} SELECT e.* FROM exchange_entry e WHERE e.is_open AND e.partnership_id IN"
            " (SELECT partnership_id FROM theirs) ORDER BY e.shared_at LIMIT 25"
        ),
    ],
}


def pages_of(person: Any) -> dict[str, tuple[str, dict[str, Any]]]:
    """The pages of one person: address and parameters of the statements by hand, by name."""
    from django.urls import reverse

    from partnerships.agreements.models import Party
    from partnerships.commitments.models import Commitment
    from partnerships.exchange.models import Entry
    from partnerships.organisations.models import Membership
    from partnerships.plans.models import Plan

    membership = Membership.objects.filter(person=person).first()
    party = Party.objects.filter(status="accepted", left_at=None)
    if membership:
        party = party.filter(organisation=membership.organisation_id)
    first = party.order_by("pk").values("partnership_id", "organisation_id")[0]
    partnership, organisation = first["partnership_id"], first["organisation_id"]
    entry = Entry.objects.filter(audience="network", is_open=True).order_by("pk")[0].pk
    plan = Plan.objects.filter(audience="public", current_number=3, embargoed_until=None).order_by("-pk")[0].pk
    commitment = Commitment.objects.filter(partnership=partnership).order_by("pk").values_list("pk", flat=True).first()
    found: dict[str, tuple[str, dict[str, Any]]] = {
        "empty": (reverse("people:cookies"), {}),
        "home": (reverse("web:home"), {}),
        "work": (reverse("web:my-work"), {}),
        "partnerships": (reverse("agreements:list"), {}),
        "partnership": (reverse("agreements:detail", args=[partnership]), {"kind": "partnership", "id": partnership}),
        "members": (reverse("agreements:members", args=[partnership]), {}),
        "partnership history": (reverse("agreements:history", args=[partnership]), {}),
        "partnership plans": (reverse("web:partnership-plans", args=[partnership]), {}),
        "partnership commitments": (reverse("web:partnership-commitments", args=[partnership]), {}),
        "partnership conversations": (reverse("web:partnership-conversations", args=[partnership]), {}),
        "board": (reverse("exchange:board"), {}),
        "entries": (reverse("exchange:list"), {}),
        "entry": (reverse("exchange:detail", args=[entry]), {"kind": "entry", "id": entry}),
        "our entries": (reverse("exchange:ours"), {}),
        "matches": (reverse("exchange:matches"), {}),
        "plans": (reverse("plans:list"), {}),
        "plan": (reverse("plans:detail", args=[plan]), {"id": plan}),
        "comparison": (reverse("plans:compare", args=[plan]), {}),
        "plan history": (reverse("plans:history", args=[plan]), {}),
        "commitments": (reverse("commitments:list"), {}),
        "conversations": (reverse("conversations:list"), {}),
        "organisations": (reverse("organisations:list"), {}),
        "organisation": (
            reverse("organisations:detail", args=[organisation]),
            {"kind": "organisation", "id": organisation},
        ),
        "balance": (reverse("web:reciprocity"), {}),
        "brief": (reverse("web:brief", args=[organisation]), {}),
        "meetings": (reverse("conversations:meeting-list"), {}),
        "milestones": (reverse("plans:milestones"), {}),
        "sites": (reverse("plans:sites"), {}),
        "documents": (reverse("agreements:document-list"), {}),
        "contacts": (reverse("agreements:contacts"), {}),
        "stakeholders": (reverse("digests:stakeholders"), {}),
        "digests": (reverse("digests:manage"), {}),
        "ledger": (reverse("digests:ledger"), {}),
        "network": (reverse("web:network"), {}),
        "partners": (reverse("web:network-partners", args=[organisation]), {}),
        "search, common word": (reverse("search:search") + "?q=homes", {}),
        "search, rare word": (reverse("search:search") + "?q=drainage", {}),
    }
    if commitment:
        address = reverse("commitments:detail", args=[commitment])
        found["commitment"] = (address, {"kind": "commitment", "id": commitment})
    if person.is_superuser:
        for name in ("organisations_organisation", "agreements_partnership", "people_user", "exchange_entry"):
            found[f"admin {name}"] = (reverse(f"admin:{name}_changelist"), {})
    return found


def measure(client: Any, address: str, rounds: int) -> Figures | None:
    """Ask for a page several times, the first time to warm up. None where it failed or is not this person's.

    Queries are counted at the second visit: at the first, statements are composed and sessions renewed.
    """
    from django.db import connection

    backend = psutil.Process(_backend())
    asked: list[float] = []

    def count(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append(0)
        return execute(sql, params, many, context)

    began = time.perf_counter()
    answer = client.get(address)
    took = time.perf_counter() - began
    if answer.status_code != 200:
        print(f"    {address}: {answer.status_code} after {took:.1f} s")
        return None
    with connection.execute_wrapper(count):
        client.get(address)
    queries, size = len(asked), len(answer.content)
    times, python, postgres = [], [], []
    for _ in range(1 if took > _SLOW_SECONDS else rounds):
        before, cpu, wall = _cpu(backend), time.process_time(), time.perf_counter()
        client.get(address)
        times.append((time.perf_counter() - wall) * 1000)
        python.append((time.process_time() - cpu) * 1000)
        postgres.append((_cpu(backend) - before) * 1000)
    times.sort()
    return Figures(
        queries=queries,
        p50_ms=round(statistics.median(times), 1),
        p95_ms=round(times[min(len(times) - 1, int(len(times) * 0.95))], 1),
        python_ms=round(statistics.mean(python), 1),
        postgres_ms=round(statistics.mean(postgres), 1),
        bytes=size,
    )


def by_hand(statements: list[str], given: dict[str, Any], rounds: int) -> float:
    """Milliseconds of processor time, in both processes, of fetching the same rows with psycopg2."""
    from django.db import connection

    backend = psutil.Process(_backend())
    rounds = max(rounds, 20)  # PostgreSQL's processor time is read in steps of 10 ms
    with connection.cursor() as cursor:
        before, cpu = _cpu(backend), time.process_time()
        for _ in range(rounds):
            for sql in statements:
                cursor.execute(sql, given)
                cursor.fetchall()
    return (time.process_time() - cpu + _cpu(backend) - before) * 1000 / rounds


def _cpu(process: psutil.Process) -> float:
    """Seconds of processor time."""
    used = process.cpu_times()
    return float(used.user + used.system)


def _backend() -> int:
    """The process that serves this connection; parallel workers are off, so that it is all of them."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"SET max_parallel_workers_per_gather = 0; SET statement_timeout = '{_GIVE_UP_SECONDS}s'")
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def figures_at(times: float, *, rounds: int, keep: bool, only: list[str]) -> dict[str, dict[str, Figures]]:
    """Fill, then measure every page for every person, in a process of its own: Django starts once in each."""
    name = f"bench_pages_{times:g}".replace(".", "_")
    with kept_database(name, keep=keep) as (address, is_new):
        prepare_pages(address)
        from django.core.management import call_command
        from django.db import connections
        from django.test import Client

        from partnerships.people.models import User

        if is_new:
            print(f"{times:g} times England: tables", flush=True)
            call_command("migrate", verbosity=0)
            fill(times)
        found: dict[str, dict[str, Figures]] = {}
        for name in ("lead", "authority", "editor", "administrator"):
            person = User.objects.get(email=f"{name}@country.example")
            client = Client(raise_request_exception=False)
            client.force_login(person)
            found[name] = {}
            for page, (url, given) in pages_of(person).items():
                if only and page not in only and page != "empty":
                    continue
                figures = measure(client, url, rounds)
                if figures is None:
                    continue
                if page in BY_HAND:
                    figures.by_hand_ms = round(by_hand(BY_HAND[page], {**given, "person": person.pk}, rounds), 2)
                found[name][page] = figures
                print(
                    f"  {times:g}x {name:14}{page:28}{figures.queries:4} queries {figures.p50_ms:9.1f} ms"
                    f"{figures.python_ms:9.1f} + {figures.postgres_ms:.1f} ms CPU {figures.bytes / 1024:8.0f} KB"
                    f"   by hand {figures.by_hand_ms}",
                    flush=True,
                )
        connections.close_all()
    return found


def main() -> int:
    """Measure each size in a process of its own, print a table and the JSON object."""
    reading = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reading.add_argument("--times", type=float, nargs="*", default=[1, 2, 10], help="sizes, in times England")
    reading.add_argument("--rounds", type=int, default=10, help="requests of each page (10)")
    reading.add_argument("--only", nargs="*", default=[], help="names of pages")
    reading.add_argument("--keep", action="store_true", help="keep the filled databases and use them again")
    reading.add_argument("--one", type=float, help=argparse.SUPPRESS)
    wanted = reading.parse_args()
    if not OWN:
        reading.error("DATABASE_URL is not set: start this with make bench-pages")
    if wanted.one is not None:
        found = figures_at(wanted.one, rounds=wanted.rounds, keep=wanted.keep, only=wanted.only)
        print(json.dumps({who: {page: asdict(one) for page, one in pages.items()} for who, pages in found.items()}))
        return 0
    sizes: dict[float, Any] = {}
    for times in wanted.times:
        command = [sys.executable, __file__, "--one", str(times), "--rounds", str(wanted.rounds)]
        command += [*(["--keep"] if wanted.keep else []), *(["--only", *wanted.only] if wanted.only else [])]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
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
    """By person and page, at the largest size: what the floors are about, and the growth since the smallest."""
    smallest, largest = min(sizes), max(sizes)
    found = {}
    for who, pages in sizes[largest].items():
        empty = pages["empty"]["python_ms"] + pages["empty"]["postgres_ms"]
        for page, one in pages.items():
            cpu = one["python_ms"] + one["postgres_ms"]
            before = sizes[smallest].get(who, {}).get(page)
            was = before["python_ms"] + before["postgres_ms"] if before else 0
            found[f"{who}: {page}"] = {
                "queries": one["queries"],
                "p50_ms": one["p50_ms"],
                "p95_ms": one["p95_ms"],
                "cpu_ms": round(cpu, 1),
                "bytes": one["bytes"],
                "cpu_ratio_by_hand": round((cpu - empty) / one["by_hand_ms"], 1) if one["by_hand_ms"] else None,
                "growth_1_to_10": round(cpu / was, 2) if was else None,
            }
    return found


if __name__ == "__main__":
    raise SystemExit(main())
