"""Figures for asks and offers: best matches and the board.

Creates a database beside the one that DATABASE_URL names, with 300,000 asks and 300,000 offers, measures and drops it.
Each figure is compared with SQL by hand through psycopg2 in the same run, and with the straightforward way.
Absolute times depend on the machine: compare the ratios. The last line is a JSON object with the figures.

    make bench-exchange                       as measured for docs/performance.md
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
from pathlib import Path
from typing import Any

import psycopg2

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.databases import OWN, kept_database, prepare_pages
from benchmarks.exchange_by_hand import ALL, STRAIGHT, board_by_hand, by_hand, by_hand_for_both
from benchmarks.exchange_world import fill, say


def timed(*ways: Callable[[int], object], rounds: int) -> list[list[float]]:
    """Sorted milliseconds of each way, measured in turn.

    A slow moment of the machine then affects all of them.
    """
    taken: list[list[float]] = [[] for _ in ways]
    for number in range(rounds):
        for way, times in zip(ways, taken, strict=True):
            started_at = time.perf_counter()
            way(number)
            times.append((time.perf_counter() - started_at) * 1000)
    return [sorted(times) for times in taken]


def at(times: list[float], part: float) -> float:
    """Return the quantile of the sorted times."""
    return times[min(len(times) - 1, int(part * len(times)))]


def measure(rounds: int, batch: int) -> dict[str, Any]:
    """All figures, in milliseconds."""
    from django.db import connection
    from django.test import Client
    from django.urls import reverse
    from django.utils import timezone

    from partnerships.exchange.models import Entry
    from partnerships.exchange.queries.candidates import (
        AreaNames,
        best_for_both,
        best_for_reader,
    )
    from partnerships.exchange.services.matches import BATCH
    from partnerships.organisations.models import Membership, Organisation
    from partnerships.people.models import User

    own_organisation = Organisation.objects.order_by("pk")[10]
    now = timezone.now()
    amina = User.objects.filter(email="amina@bench.example").first()
    if amina is None:
        amina = User.objects.create_user("amina@bench.example", secrets.token_urlsafe(), name="Amina Larch")
        Membership.objects.create(
            person=amina, organisation=own_organisation, role="lead", starts_on=dt.date(2020, 1, 1), accepted_at=now
        )
    chance = random.Random(7)
    ids = list(Entry.objects.filter(is_open=True).order_by("pk").values_list("pk", flat=True))
    entries = list(Entry.objects.filter(pk__in=chance.sample(ids, min(len(ids), rounds + batch))))
    chance.shuffle(entries)
    single, many = entries[:rounds], entries[rounds:]
    names, today = AreaNames(), timezone.localdate()
    plain = (
        psycopg2.connect(connection.get_connection_params()["dsn"])
        if "dsn" in connection.get_connection_params()
        else (
            psycopg2.connect(
                **{
                    key: value
                    for key, value in connection.get_connection_params().items()
                    if key in {"dbname", "user", "password", "host", "port"}
                }
            )
        )
    )
    plain.autocommit = True
    cursor = plain.cursor()

    say("  matches of one entry")
    hand, ours = timed(
        lambda n: by_hand(cursor, single[n], reads=own_organisation.pk),
        lambda n: best_for_reader(single[n], amina, today),
        rounds=len(single),
    )
    (everything,) = timed(lambda n: by_hand(cursor, single[n], ALL), rounds=min(5, len(single)))
    say(f"  matches of {len(many):,} entries")
    parts = [many[number : number + BATCH] for number in range(0, len(many), BATCH)]
    by_sql, several = (
        [taken / BATCH for taken in times]
        for times in timed(
            lambda n: [by_hand_for_both(cursor, entry) for entry in parts[n]],
            lambda n: best_for_both(parts[n], today, names),
            rounds=len(parts),
        )
    )
    match_count = sum(1 for entry in single if best_for_reader(entry, amina, today))

    say("  the board")
    client = Client()
    client.force_login(amina)
    address = reverse("exchange:board")
    assert client.get(address).status_code == 200
    frame_address = reverse("web:help")
    sql, board, frame = timed(
        lambda n: board_by_hand(cursor, amina.pk),
        lambda n: client.get(address),
        lambda n: client.get(frame_address),
        rounds=60,
    )
    straight, filtered, words = timed(
        lambda n: cursor.execute(STRAIGHT, {"person": amina.pk}),
        lambda n: client.get(address, {"theme": "land", "direction": "ask"}),
        lambda n: client.get(address, {"q": "modular solar"}),
        rounds=8,
    )
    plain.close()

    def pair(times: list[float]) -> dict[str, float]:
        return {"p50": round(at(times, 0.5), 2), "p95": round(at(times, 0.95), 2)}

    return {
        "entries": Entry.objects.count(),
        "matches_sql_by_hand": pair(hand),
        "matches_ours": pair(ours),
        "matches_ratio_p50": round(at(ours, 0.5) / at(hand, 0.5), 2),
        "matches_ratio_p95": round(at(ours, 0.95) / at(hand, 0.95), 2),
        "matches_comparing_all": pair(everything),
        "batch_entries": len(many),
        "batch_sql_by_hand": pair(by_sql),
        "batch_per_entry": pair(several),
        "batch_ratio_p50": round(at(several, 0.5) / at(by_sql, 0.5), 2),
        "batch_seconds": round(sum(several) * BATCH / 1000, 2),
        "entries_with_a_match": f"{match_count} of {len(single)}",
        "board_sql_by_hand": pair(sql),
        "board_page": pair(board),
        "page_with_words_alone": pair(frame),
        "board_ratio_p50": round(at(board, 0.5) / at(sql, 0.5), 2),
        "board_ratio_p95": round(at(board, 0.95) / at(sql, 0.95), 2),
        "board_counted_straightforwardly": pair(straight),
        "board_filtered": pair(filtered),
        "board_words": pair(words),
        "mean_matches_ours": round(statistics.fmean(ours), 2),
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
    """Fill, measure, print."""
    reading = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reading.add_argument("--entries", type=int, default=300_000, help="asks, and as many offers (300,000)")
    reading.add_argument("--bodies", type=int, default=20_000, help="organisations (20,000)")
    reading.add_argument("--partnerships", type=int, default=60_000, help="partnerships (60,000)")
    reading.add_argument("--rounds", type=int, default=200, help="entries matched one by one (200)")
    reading.add_argument("--batch", type=int, default=1_000, help="entries matched in a row (1,000)")
    reading.add_argument("--keep", action="store_true", help="keep the filled database, and use it again")
    options = reading.parse_args()
    if not OWN:
        reading.error("DATABASE_URL is not set: start this with make bench-exchange")
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
