"""Measure asks and offers: the best matches and the board.

The benchmark creates a separate database with 300,000 asks and 300,000 offers, measures, and drops it. Each figure is
compared with handwritten SQL through psycopg2 in the same run, and with the straightforward query. Absolute times
depend on the machine, so compare the ratios. The last line of the output is a JSON object with the figures.

    make bench-exchange                        as measured for docs/performance.md
    make bench-exchange ARGS="--entries 30000" quicker
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import secrets
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.databases import OWN, kept_database, prepare_pages
from benchmarks.exchange_by_hand import ALL, STRAIGHT, board_by_hand, by_hand, by_hand_for_both
from benchmarks.exchange_world import fill, say


def timed(*ways: Callable[[int], object], rounds: int) -> list[list[float]]:
    """Return the times of each way in milliseconds, sorted.

    The ways are measured in turn, so that a slow moment of the machine affects all of them.
    """
    times_by_way: list[list[float]] = [[] for _ in ways]
    for number in range(rounds):
        for way, times in zip(ways, times_by_way, strict=True):
            started_at = time.perf_counter()
            way(number)
            times.append((time.perf_counter() - started_at) * 1000)
    return [sorted(times) for times in times_by_way]


def at(times: list[float], part: float) -> float:
    """Return a quantile of sorted times. For example, `part` is 0.95 for the 95th percentile."""
    return times[min(len(times) - 1, int(part * len(times)))]


def measure(rounds: int, batch: int) -> dict[str, Any]:
    """Return all figures, in milliseconds."""
    from django.utils import timezone

    from partnerships.exchange.models import Entry
    from partnerships.organisations.models import Membership, Organisation
    from partnerships.people.models import User

    organisation = Organisation.objects.order_by("pk")[10]
    reader = User.objects.filter(email="amina@bench.example").first()
    if reader is None:
        reader = User.objects.create_user("amina@bench.example", secrets.token_urlsafe(), name="Amina Larch")
        Membership.objects.create(
            person=reader,
            organisation=organisation,
            role="lead",
            starts_on=dt.date(2020, 1, 1),
            accepted_at=timezone.now(),
        )
    chance = random.Random(7)
    ids = list(Entry.objects.filter(is_open=True).order_by("pk").values_list("pk", flat=True))
    entries = list(Entry.objects.filter(pk__in=chance.sample(ids, min(len(ids), rounds + batch))))
    chance.shuffle(entries)

    with closing(_own_connection()) as own_connection:
        cursor = own_connection.cursor()
        return {
            "entries": Entry.objects.count(),
            **_match_figures(cursor, entries[:rounds], reader, organisation.pk),
            **_batch_figures(cursor, entries[rounds:]),
            **_board_figures(cursor, reader),
        }


def _own_connection() -> Any:
    """Return a psycopg2 connection to Django's database, for handwritten SQL."""
    from django.db import connection

    parameters = connection.get_connection_params()
    wanted = ("dsn", "dbname", "user", "password", "host", "port")
    own_connection = psycopg2.connect(**{name: parameters[name] for name in wanted if name in parameters})
    own_connection.autocommit = True
    return own_connection


def _quantiles(times: list[float]) -> dict[str, float]:
    return {"p50": round(at(times, 0.5), 2), "p95": round(at(times, 0.95), 2)}


def _ratio(times: list[float], base_times: list[float], part: float) -> float:
    """Return how many times as long a quantile of `times` is as the same quantile of `base_times`."""
    return round(at(times, part) / at(base_times, part), 2)


def _match_figures(cursor: Any, entries: list[Any], reader: Any, organisation_id: int) -> dict[str, Any]:
    """Return the figures of finding the matches of one entry at a time."""
    from django.utils import timezone

    from partnerships.exchange.queries.candidates import best_for_reader

    say("  matches of one entry")
    today = timezone.localdate()
    sql_times, page_times = timed(
        lambda n: by_hand(cursor, entries[n], reads=organisation_id),
        lambda n: best_for_reader(entries[n], reader, today),
        rounds=len(entries),
    )
    (all_times,) = timed(lambda n: by_hand(cursor, entries[n], ALL), rounds=min(5, len(entries)))
    match_count = sum(1 for entry in entries if best_for_reader(entry, reader, today))
    return {
        "matches_sql_by_hand": _quantiles(sql_times),
        "matches_ours": _quantiles(page_times),
        "matches_ratio_p50": _ratio(page_times, sql_times, 0.5),
        "matches_ratio_p95": _ratio(page_times, sql_times, 0.95),
        "matches_comparing_all": _quantiles(all_times),
        "entries_with_a_match": f"{match_count} of {len(entries)}",
        "mean_matches_ours": round(statistics.fmean(page_times), 2),
    }


def _batch_figures(cursor: Any, entries: list[Any]) -> dict[str, Any]:
    """Return the figures of finding the matches of many entries together, in milliseconds per entry."""
    from django.utils import timezone

    from partnerships.exchange.queries.candidates import best_for_both
    from partnerships.exchange.queries.places import AreaNames
    from partnerships.exchange.services.matches import BATCH

    say(f"  matches of {len(entries):,} entries")
    names, today = AreaNames(), timezone.localdate()
    batches = [entries[start : start + BATCH] for start in range(0, len(entries), BATCH)]
    times_by_way = timed(
        lambda n: [by_hand_for_both(cursor, entry) for entry in batches[n]],
        lambda n: best_for_both(batches[n], today, names),
        rounds=len(batches),
    )
    sql_times, batch_times = ([milliseconds / BATCH for milliseconds in times] for times in times_by_way)
    return {
        "batch_entries": len(entries),
        "batch_sql_by_hand": _quantiles(sql_times),
        "batch_per_entry": _quantiles(batch_times),
        "batch_ratio_p50": _ratio(batch_times, sql_times, 0.5),
        "batch_seconds": round(sum(batch_times) * BATCH / 1000, 2),
    }


def _board_figures(cursor: Any, reader: Any) -> dict[str, Any]:
    """Return the figures of the page of the board, with and without a filter."""
    from django.test import Client
    from django.urls import reverse

    say("  the board")
    client = Client()
    client.force_login(reader)
    address, help_address = reverse("exchange:board"), reverse("web:help")
    assert client.get(address).status_code == 200
    sql_times, board_times, help_times = timed(
        lambda n: board_by_hand(cursor, reader.pk),
        lambda n: client.get(address),
        lambda n: client.get(help_address),
        rounds=60,
    )
    straight_times, filtered_times, words_times = timed(
        lambda n: cursor.execute(STRAIGHT, {"person": reader.pk}),
        lambda n: client.get(address, {"theme": "land", "direction": "ask"}),
        lambda n: client.get(address, {"q": "modular solar"}),
        rounds=8,
    )
    return {
        "board_sql_by_hand": _quantiles(sql_times),
        "board_page": _quantiles(board_times),
        "page_with_words_alone": _quantiles(help_times),
        "board_ratio_p50": _ratio(board_times, sql_times, 0.5),
        "board_ratio_p95": _ratio(board_times, sql_times, 0.95),
        "board_counted_straightforwardly": _quantiles(straight_times),
        "board_filtered": _quantiles(filtered_times),
        "board_words": _quantiles(words_times),
    }


_LINES = (
    ("Ten best matches for a reader, SQL by hand", "matches_sql_by_hand"),
    ("Ten best matches for a reader, ours", "matches_ours"),
    ("Comparing all with all, an entry", "matches_comparing_all"),
    ("In batch for both sides, SQL by hand", "batch_sql_by_hand"),
    ("In batch for both sides, ours", "batch_per_entry"),
    ("Board with counts, SQL by hand", "board_sql_by_hand"),
    ("Board with counts, the whole page", "board_page"),
    ("A page of words alone (help)", "page_with_words_alone"),
    ("Board, one theme and direction", "board_filtered"),
    ("Board, by words", "board_words"),
    ("Counting straightforwardly, SQL alone", "board_counted_straightforwardly"),
)


def main() -> int:
    """Fill the database, measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=300_000, help="asks, and as many offers (300,000)")
    parser.add_argument("--bodies", type=int, default=20_000, help="organisations (20,000)")
    parser.add_argument("--partnerships", type=int, default=60_000, help="partnerships (60,000)")
    parser.add_argument("--rounds", type=int, default=200, help="entries matched one by one (200)")
    parser.add_argument("--batch", type=int, default=1_000, help="entries matched in a row (1,000)")
    parser.add_argument("--keep", action="store_true", help="keep the filled database, and use it again")
    options = parser.parse_args()
    if not OWN:
        parser.error("DATABASE_URL is not set: start this with make bench-exchange")
    with kept_database("bench_exchange", keep=options.keep) as database:
        prepare_pages(database.url)
        from django.core.management import call_command
        from django.db import connections

        if not database.is_filled:
            say("tables")
            call_command("migrate", verbosity=0)
            say("rows")
            fill(options.entries, options.bodies, options.partnerships)
            database.mark_filled()
        say("measuring")
        figures = measure(options.rounds, options.batch)
        connections.close_all()
    print(f"{'':45}{'p50, ms':>10}{'p95, ms':>10}")
    for words, name in _LINES:
        print(f"{words:45}{figures[name]['p50']:>10.2f}{figures[name]['p95']:>10.2f}")
    print(
        f"{'Ours against SQL by hand, matches':45}{figures['matches_ratio_p50']:>9.2f}x"
        f"{figures['matches_ratio_p95']:>9.2f}x"
    )
    print(
        f"{'Ours against SQL by hand, board':45}{figures['board_ratio_p50']:>9.2f}x{figures['board_ratio_p95']:>9.2f}x"
    )
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
