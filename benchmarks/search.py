"""Measure a search at a multiple of England, compared with handwritten SQL on the same index.

The benchmark fills a separate database (benchmarks/country.py) and indexes all of it. It then requests the search page
with rotating words as two leads, one with 40 partnerships and one with 2,000. Server time is the time of Django's test
client, including session and rights. The last line of the output is one JSON object.

    make bench-search                                   10 times England
    make bench-search ARGS="--times 1 --rounds 2"       quicker
    make bench-search ARGS="--times 1 --copies 10"      records of one England, an index of ten: much quicker to fill
    make bench-search ARGS="--keep"                     keeps the filled database and uses it again
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.country import fill
from benchmarks.databases import OWN, kept_database, postgres_process, prepare_pages, seconds_used

#: Words by how many entries have them: hundreds of thousands, some hundreds, and few or none.
COMMON = ("homes", "key workers", "planning", "land", "nominations", "register", "quay", "start on site")
SOME = ("drainage", "gasworks", "drainage gasworks", "Plan 777", "workers 4242")
RARE = ("N-4321", "Homes for key workers 31415", "Plan 60 of", "drainge", "PO16 7GZ", "xylophone", "Meeting 2718")

#: The straightforward query for the twenty newest matching entries that the person may see, with snippets.
BY_HAND = """
SELECT f.id, f.kind, f.path, ts_headline('english', f.title, q), ts_headline('english', f.text, q)
  FROM websearch_to_tsquery('english', %(text)s) q,
       LATERAL (SELECT * FROM search_searchentry e
                 WHERE e.words @@ q AND e.readers && %(readers)s::bigint[]
                 ORDER BY ts_rank(e.words, q) DESC LIMIT 20) f
"""


#: Copies of all entries with different paths, each copy older than the one before. They belong to other organisations,
#: because a larger country has more organisations, but not more records of each.
COPY = """
INSERT INTO search_searchentry (source, object_id, part, kind, partnership_id, organisation_id, day, title, text, path,
    number, hidden, readers, for_everyone, codes, words)
SELECT source, object_id, part || '/copy' || n, kind, partnership_id, organisation_id, day - 45 * n, title, text,
       path || '?copy=' || n, number, hidden,
       ARRAY(SELECT reader + sign(reader)::bigint * 10000000 * n FROM unnest(readers) reader), for_everyone, codes,
       words
  FROM search_searchentry, generate_series(2, %(copies)s) n
"""


def copy_entries(copies: int) -> None:
    """Make the index several times as large. Its database indexes are dropped meanwhile."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'search_searchentry'"
            " AND indexdef NOT LIKE 'CREATE UNIQUE%'"
        )
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        cursor.execute(COPY, {"copies": copies})
        for _, definition in indexes:
            cursor.execute(definition)
        cursor.execute("VACUUM ANALYZE search_searchentry")


def measure(person: Any, groups: dict[str, tuple[str, ...]], rounds: int) -> dict[str, dict[str, float]]:
    """Return the times of the search page in ms, by group of words.

    Each word is also searched for once with handwritten SQL.
    """
    from django.db import connection
    from django.test import Client
    from django.urls import reverse

    from partnerships.organisations.models import Membership

    client = Client(raise_request_exception=False)
    client.force_login(person)
    address = reverse("search:search")
    backend = postgres_process()
    readers = [0, -person.pk, *Membership.objects.current().of_person(person).values_list("organisation", flat=True)]
    figures: dict[str, dict[str, float]] = {}
    every: list[float] = []
    for group, words in groups.items():
        for text in words:
            client.get(f"{address}?{urlencode({'q': text})}")
        times: list[float] = []
        python, postgres = time.process_time(), seconds_used(backend)
        for _ in range(rounds):
            for text in words:
                began = time.perf_counter()
                response = client.get(f"{address}?{urlencode({'q': text})}")
                times.append((time.perf_counter() - began) * 1000)
                assert response.status_code == 200, text
        python, postgres = time.process_time() - python, seconds_used(backend) - postgres
        hand = time.process_time() + seconds_used(backend)
        with connection.cursor() as cursor:
            for text in words:
                cursor.execute(BY_HAND, {"text": text, "readers": readers})
                cursor.fetchall()
        hand = (time.process_time() + seconds_used(backend) - hand) * 1000 / len(words)
        every += times
        figures[group] = {
            **_spread(times),
            "python_ms": round(python * 1000 / len(times), 1),
            "postgres_ms": round(postgres * 1000 / len(times), 1),
            "by_hand_ms": round(hand, 1),
        }
    figures["all"] = _spread(every)
    return figures


def _spread(times: list[float]) -> dict[str, float]:
    times = sorted(times)
    return {"p50_ms": round(statistics.median(times), 1), "p95_ms": round(times[int(len(times) * 0.95)], 1)}


def empty_page(person: Any) -> float:
    """Return the processor time in ms of an empty signed-in page, which shows how busy the machine is."""
    from django.test import Client
    from django.urls import reverse

    client = Client()
    client.force_login(person)
    for _ in range(3):
        client.get(reverse("people:cookies"))
    began = time.process_time()
    for _ in range(20):
        client.get(reverse("people:cookies"))
    return round((time.process_time() - began) * 50, 1)


def main() -> int:
    """Fill the database, index it, measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=float, default=10, help="size, in times England (10)")
    parser.add_argument("--rounds", type=int, default=10, help="requests of each word (10)")
    parser.add_argument("--copies", type=int, default=1, help="entries of the index, times those of the records (1)")
    parser.add_argument("--keep", action="store_true", help="keep the filled database and use it again")
    options = parser.parse_args()
    if not OWN:
        parser.error("DATABASE_URL is not set: start this with make bench-search")
    with kept_database(f"bench_search_{options.times:g}".replace(".", "_"), keep=options.keep) as database:
        prepare_pages(database.url)
        from django.core.management import call_command
        from django.db import connection, connections

        from partnerships.people.models import User
        from partnerships.search.models import SearchEntry
        from partnerships.search.services import index_stale, queue_everything

        if not database.is_filled:
            call_command("migrate", verbosity=0)
            fill(options.times)
            began = time.monotonic()
            queue_everything()
            lines = index_stale()
            print(f"  indexed {lines:,} records in {time.monotonic() - began:.0f} s", flush=True)
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE")
            database.mark_filled()
        if options.copies > 1 and not SearchEntry.objects.filter(part__contains="/copy").exists():
            copy_entries(options.copies)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*), pg_total_relation_size('search_searchentry') FROM search_searchentry")
            entries, size = cursor.fetchone()
        print(f"  {entries:,} entries, {size / 1e6:,.0f} MB with indexes", flush=True)
        results: dict[str, dict[str, dict[str, float]]] = {}
        for name in ("lead", "authority"):
            person = User.objects.get(email=f"{name}@country.example")
            print(f"  {name}: an empty page takes {empty_page(person)} ms of Python", flush=True)
            results[name] = measure(person, {"common": COMMON, "some": SOME, "rare": RARE}, options.rounds)
            for group, figures in results[name].items():
                print(f"  {name:10}{group:8}{figures}", flush=True)
        connections.close_all()
    print(json.dumps({"search": results}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
