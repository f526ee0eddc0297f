"""Figures for ask and offer: the best matches of an entry, of a thousand, and the board, on 300,000 asks and 300,000
offers.

Makes a database of its own beside the one that DATABASE_URL names, fills it, measures, and drops it. Every figure
stands against the same SQL by hand through psycopg2 in the same run, interleaved; and against the straightforward way.
Absolute times swing with the machine: compare the ratios. The last line is one JSON object with the figures.

    make bench-exchange                       as measured for the README
    make bench-exchange ARGS="--entries 30000" quicker
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import random
import secrets
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
OWN = os.environ.get("DATABASE_OWNER_URL") or os.environ.get("DATABASE_URL", "")

_WORDS = [
    "modular",
    "brownfield",
    "retrofit",
    "terrace",
    "apartment",
    "bungalow",
    "garage",
    "allotment",
    "harbour",
    "station",
    "hospital",
    "school",
    "depot",
    "surveyor",
    "planner",
    "assessor",
    "apprentice",
    "bricklayer",
    "plumber",
    "electrician",
    "tenancy",
    "allocation",
    "lettings",
    "hostel",
    "refuge",
    "shelter",
    "voucher",
    "deposit",
    "arrears",
    "solar",
    "insulation",
    "boiler",
    "heatpump",
    "cladding",
    "window",
    "density",
    "massing",
    "viability",
    "appraisal",
    "overage",
    "covenant",
    "easement",
    "highway",
    "drainage",
    "flood",
    "biodiversity",
    "orchard",
    "playground",
    "library",
    "surgery",
    "clinic",
    "dashboard",
    "dataset",
    "boundary",
    "licence",
    "matching",
    "forecasting",
    "analyst",
    "mentor",
    "training",
    "workshop",
    "secondment",
    "placement",
]


# --- the database and its rows ----------------------------------------------------------------------------------------


@contextmanager
def own_database(*, keep: bool) -> Iterator[tuple[str, bool]]:
    """A database beside the configured one, dropped at the end unless it is to be kept; its address, and if it is
    new."""
    parts = urlsplit(OWN)
    name = f"{parts.path.strip('/')}_bench_exchange"
    address = urlunsplit(parts._replace(path=f"/{name}"))

    def run(sql: str) -> None:
        connection = psycopg2.connect(OWN)
        connection.autocommit = True
        connection.cursor().execute(sql)
        connection.close()

    def is_there() -> bool:
        try:
            psycopg2.connect(address).close()
        except psycopg2.OperationalError:
            return False
        return True

    if keep and is_there():
        yield address, False
        return
    run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    run(f'CREATE DATABASE "{name}"')
    try:
        yield address, True
    finally:
        if not keep:
            run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


_FILL = """
INSERT INTO organisations_area (code, name, kind, parent_id, region_id)
  SELECT 'E12' || lpad(n::text, 6, '0'), 'Region ' || n, 'region', NULL, NULL FROM generate_series(1, 9) n;
INSERT INTO organisations_area (code, name, kind, parent_id, region_id)
  SELECT 'E10' || lpad(n::text, 6, '0'), 'County ' || n, 'county', NULL,
    (SELECT min(id) FROM organisations_area) + n %% 9
  FROM generate_series(1, 30) n;
INSERT INTO organisations_area (code, name, kind, parent_id, region_id)
  SELECT 'E07' || lpad(n::text, 6, '0'), 'District ' || n, 'district',
    CASE WHEN n <= 200 THEN county.id END, county.region_id
  FROM generate_series(1, 330) n
  JOIN LATERAL (SELECT id, region_id FROM organisations_area WHERE kind = 'county' ORDER BY id OFFSET n %% 30 LIMIT 1)
    county ON true;

CREATE TEMP TABLE covers AS
  SELECT a.id AS area, 0.85 AS weight, ARRAY[a.id] AS parts, a.region_id AS region
    FROM organisations_area a WHERE kind = 'district'
  UNION ALL
  SELECT c.id, 0.10, array_agg(d.id) || c.id, c.region_id FROM organisations_area c
    JOIN organisations_area d ON d.parent_id = c.id WHERE c.kind = 'county' GROUP BY c.id
  UNION ALL
  SELECT r.id, 0.05, array_agg(x.id) || r.id, r.id FROM organisations_area r
    JOIN organisations_area x ON x.region_id = r.id WHERE r.kind = 'region' GROUP BY r.id;
CREATE TEMP TABLE numbered AS
  SELECT row_number() OVER (PARTITION BY weight ORDER BY area) - 1 AS place, covers.* FROM covers;
CREATE TEMP TABLE themes AS
  SELECT * FROM unnest(%(themes)s::text[], %(numbers)s::int[]) AS t(theme, number);
"""

_ENTRIES = """
INSERT INTO exchange_entry (direction, organisation_id, title, statement, rationale, theme, quantity, unit,
    agreed_quantity, site, available_from, available_until, closes_on, conditions, private_note, standing, audience,
    partnership_id, status, reason, is_open, revision, created_at, changed_at, shared_at, matched_at, key, reach)
SELECT %(direction)s, (SELECT min(id) FROM organisations_organisation) + floor(r.a * %(bodies)s)::int,
    initcap(w.one) || ' and ' || w.two || ' for ' || w.three,
    'We would like ' || w.two || ', ' || w.three || ', ' || w.four || ' and ' || w.five || ' near the ' || w.one || '.',
    '', t.theme, CASE WHEN r.b < 0.6 THEN 1 + (r.b * 300)::int END,
    CASE WHEN r.b < 0.6 THEN (ARRAY['homes', 'pounds', 'posts', 'hours'])[1 + (r.c * 4)::int %% 4] ELSE '' END,
    0, '', d.begins, d.begins + (r.d * 700)::int, d.begins + 800, '', '', false,
    CASE WHEN r.e < 0.75 THEN 'network' WHEN r.e < 0.97 THEN 'partnership' ELSE 'named' END,
    CASE WHEN r.e >= 0.75 AND r.e < 0.97
      THEN (SELECT min(id) FROM agreements_partnership) + floor(r.f * %(partnerships)s)::int END,
    CASE WHEN r.g < 0.6 THEN 'shared' WHEN r.g < 0.8 THEN 'withdrawn' ELSE 'lapsed' END, '', r.g < 0.6, 0,
    m.at, m.at, m.at, m.at, gen_random_uuid(),
    (SELECT array_agg(t.number * 10000000 + part) FROM unnest(p.parts) part) || -(t.number * 10000000 + p.region)
FROM generate_series(1, %(entries)s) n
JOIN LATERAL (SELECT n AS seed, random() * 0.9999 a, random() b, random() c, random() d, random() e, random() * 0.9999
f,
    random() g, random() h, random() i) r ON r.seed = n
JOIN LATERAL (SELECT '2026-01-01'::date + (r.h * 900)::int AS begins) d ON true
JOIN LATERAL (SELECT now() - r.i * interval '700 days' AS at) m ON true
JOIN themes t ON t.number = 1 + floor(r.c * 10.999)::int
JOIN LATERAL (SELECT CASE WHEN r.d < 0.85 THEN 0.85 WHEN r.d < 0.95 THEN 0.10 ELSE 0.05 END AS weight) k ON true
JOIN numbered p ON p.weight = k.weight
  AND p.place = (r.h * 1000)::int %% (CASE k.weight WHEN 0.85 THEN 330 WHEN 0.10 THEN 30 ELSE 9 END)
JOIN LATERAL (SELECT
    (%(words)s::text[])[1 + (r.a * 997)::int %% %(many)s] one, (%(words)s::text[])[1 + (r.b * 991)::int %% %(many)s]
    two,
    (%(words)s::text[])[1 + (r.c * 983)::int %% %(many)s] three, (%(words)s::text[])[1 + (r.e * 977)::int %% %(many)s]
    four,
    (%(words)s::text[])[1 + (r.g * 971)::int %% %(many)s] five) w ON true
"""

_AFTER = """
INSERT INTO exchange_entry_areas (entry_id, area_id)
  SELECT id, -(reach[array_length(reach, 1)]) %% 10000000 FROM exchange_entry WHERE id %% 10 < 2;
INSERT INTO exchange_addressee (entry_id, organisation_id)
  SELECT id, (SELECT min(id) FROM organisations_organisation) + id %% %(bodies)s FROM exchange_entry
  WHERE audience = 'named';
INSERT INTO exchange_entrycount (direction, theme, status, is_open, number)
  SELECT direction, theme, status, is_open, count(*) FROM exchange_entry WHERE audience = 'network' GROUP BY 1, 2, 3, 4;
"""


def make_bodies(bodies: int, partnerships: int) -> None:
    """Organisations, and partnerships of four each."""
    from django.utils import timezone

    from partnerships.agreements.models import Partnership, Party
    from partnerships.organisations.models import Organisation

    now = timezone.now()
    made = Organisation.objects.bulk_create(
        [Organisation(name=f"Organisation {number}", kind="registered_provider") for number in range(bodies)],
        batch_size=5_000,
    )
    shared = Partnership.objects.bulk_create(
        [
            Partnership(
                title=f"Partnership {number}", kind="memorandum", status="active", created_at=now, status_since=now
            )
            for number in range(partnerships)
        ],
        batch_size=5_000,
    )
    parties = (
        Party(
            partnership=partnership,
            organisation=made[(number * 7 + one * 131) % bodies],
            status="accepted",
            invited_at=now,
        )
        for number, partnership in enumerate(shared)
        for one in range(4)
    )
    Party.objects.bulk_create(parties, batch_size=5_000)


def fill(entries: int, bodies: int, partnerships: int) -> None:
    """Make the network in plain SQL, its indexes rebuilt afterwards: a matter of minutes instead of hours."""
    from django.db import connection

    from partnerships.exchange.models import THEME_NUMBERS, Entry

    given: dict[str, Any] = {
        "bodies": bodies,
        "partnerships": partnerships,
        "themes": list(map(str, THEME_NUMBERS)),
        "numbers": list(THEME_NUMBERS.values()),
        "words": _WORDS,
        "many": len(_WORDS),
        "entries": entries,
    }
    tables = [
        "exchange_entry",
        "exchange_addressee",
        "organisations_organisation",
        "organisations_area",
        "agreements_partnership",
        "agreements_party",
    ]
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        indexes = [index for index in Entry._meta.indexes if index.name.startswith(("entry_reach", "entry_words"))]
        with connection.schema_editor() as editor:
            for index in indexes:
                editor.remove_index(Entry, index)
        cursor.execute("SELECT setseed(0.42)")
        cursor.execute(_FILL, given)
        make_bodies(bodies, partnerships)
        for direction in ("ask", "offer"):
            say(f"  {entries:,} {direction}s")
            cursor.execute(_ENTRIES, {**given, "direction": direction})
        say("  indexes")
        with connection.schema_editor() as editor:
            for index in indexes:
                editor.add_index(Entry, index)
        cursor.execute(_AFTER, given)
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("VACUUM ANALYZE")


# --- the same by hand ------------------------------------------------------------------------------------------------

_TIER = """
WITH mine AS (SELECT partnership_id FROM agreements_party WHERE organisation_id = %(reads)s AND status = 'accepted'),
pool AS (
  SELECT e.* FROM exchange_entry e
  WHERE e.direction = %(other)s AND e.is_open AND e.theme = %(theme)s AND e.reach && %(keys)s::int[]
    AND e.organisation_id <> %(own)s
    AND (e.available_until IS NULL OR e.available_until >= %(begins)s)
    AND (e.available_from IS NULL OR e.available_from <= %(ends)s)
    AND (e.audience = 'network' OR (e.audience = 'partnership' AND e.partnership_id IN (SELECT partnership_id FROM
    mine))
      OR (e.audience = 'named' AND e.id IN
        (SELECT entry_id FROM exchange_addressee WHERE organisation_id = %(reads)s)) OR e.organisation_id = %(reads)s)
  ORDER BY e.shared_at DESC, e.id DESC LIMIT 300
)
SELECT id, title, organisation_id, %(place)s
    + CASE WHEN quantity IS NULL OR unit <> %(unit)s OR %(quantity)s IS NULL THEN 6
        ELSE 6 + 14 * least(quantity / %(quantity)s, 1) END
    + CASE WHEN available_from <= %(begins)s AND available_until >= %(ends)s THEN 20 ELSE 12 END
    + greatest(20 * similarity(title, %(title)s), 20 * ts_rank(words, %(query)s::tsquery)) AS points
FROM pool ORDER BY points DESC, id DESC LIMIT 10
"""

#: What the other side may read of this one, where this one may not read the other: kept matches are for both.
_OTHER_SIDE = (
    _TIER[: _TIER.index("    AND (e.audience = 'network'")]
    + """    AND e.audience <> 'network' AND NOT (
      e.audience = 'partnership' AND e.partnership_id IN (SELECT partnership_id FROM mine)
      OR e.audience = 'named' AND e.id IN (SELECT entry_id FROM exchange_addressee WHERE organisation_id = %(own)s))
    AND (%(audience)s = 'network'
      OR %(audience)s = 'partnership' AND e.organisation_id IN
        (SELECT organisation_id FROM agreements_party WHERE partnership_id = %(partnership)s AND status = 'accepted')
      OR %(audience)s = 'named' AND e.organisation_id IN
        (SELECT organisation_id FROM exchange_addressee WHERE entry_id = %(entry)s))
"""
    + _TIER[_TIER.index("  ORDER BY e.shared_at") :]
)

_ALL = _TIER.replace("AND e.reach && %(keys)s::int[]", "AND (e.reach && %(keys)s::int[] OR true)").replace(
    "ORDER BY e.shared_at DESC, e.id DESC LIMIT 300", ""
)


def by_hand(cursor: Any, entry: Any, sql: str = _TIER, reads: int = 0) -> list[Any]:
    """The ten best counterparts of an entry in SQL alone, as its organisation or another may read them: the near tier,
    then the region.
    """
    lexemes = [part.split(":")[0] for part in str(entry.words).split()]
    given = {
        "own": entry.organisation_id,
        "reads": reads or entry.organisation_id,
        "audience": entry.audience,
        "partnership": entry.partnership_id,
        "entry": entry.pk,
        "other": "offer" if entry.is_ask else "ask",
        "theme": entry.theme,
        "begins": entry.available_from,
        "ends": entry.available_until,
        "unit": entry.unit,
        "quantity": entry.quantity,
        "title": entry.title,
        "query": " | ".join(lexemes),
        "keys": [key for key in entry.reach if key > 0],
        "place": 30,
    }
    cursor.execute(sql, given)
    rows = cursor.fetchall()
    if len(rows) < 10:
        cursor.execute(sql, {**given, "keys": [key for key in entry.reach if key < 0], "place": 12})
        rows += cursor.fetchall()
    return rows[:10]


def by_hand_for_both(cursor: Any, entry: Any) -> list[Any]:
    """The ten best that the entry's side may read, and the ten best whose side alone may read the entry."""
    return by_hand(cursor, entry) + by_hand(cursor, entry, _OTHER_SIDE)


_SEEN = """(e.audience = 'network' OR e.organisation_id IN (SELECT organisation_id FROM mine)
    OR (e.audience = 'partnership' AND e.partnership_id IN (SELECT partnership_id FROM theirs))
    OR (e.audience = 'named' AND e.id IN (SELECT entry_id FROM exchange_addressee
        WHERE organisation_id IN (SELECT organisation_id FROM mine))))"""
_WITH = """WITH mine AS (SELECT organisation_id FROM organisations_membership WHERE person_id = %(person)s
    AND accepted_at IS NOT NULL AND (ends_on IS NULL OR ends_on > now())),
  theirs AS (SELECT partnership_id FROM agreements_party
    WHERE status = 'accepted' AND organisation_id IN (SELECT organisation_id FROM mine)) """
_BOARD = (
    _WITH
    + """SELECT e.id, e.title, e.statement, e.theme, e.status, e.shared_at, e.closes_on, o.name,
    (SELECT string_agg(a.name, ', ') FROM exchange_entry_areas l JOIN organisations_area a ON a.id = l.area_id
      WHERE l.entry_id = e.id) FROM exchange_entry e JOIN organisations_organisation o ON o.id = e.organisation_id
  WHERE e.direction = %(direction)s AND e.is_open AND """
    + _SEEN
    + " ORDER BY e.shared_at DESC, e.id DESC LIMIT 11"
)
_COUNTS = (
    _WITH
    + """, private AS (
    SELECT id FROM exchange_entry WHERE organisation_id IN (SELECT organisation_id FROM mine) AND audience <> 'network'
    UNION SELECT id FROM exchange_entry WHERE partnership_id IN (SELECT partnership_id FROM theirs)
      AND audience = 'partnership'
    UNION SELECT entry_id FROM exchange_addressee WHERE organisation_id IN (SELECT organisation_id FROM mine))
  SELECT direction, theme, status, is_open, sum(number) FROM (
    SELECT direction, theme, status, is_open, number FROM exchange_entrycount
    UNION ALL SELECT direction, theme, status, is_open, 1 FROM exchange_entry
      WHERE id IN (SELECT id FROM private) AND status <> 'draft') c GROUP BY 1, 2, 3, 4"""
)
_MATCHES = """SELECT ask_id, offer_id FROM exchange_match m
  WHERE ask_id = ANY(%(ids)s) OR offer_id = ANY(%(ids)s)"""
_STRAIGHT = (
    _WITH + "SELECT e.direction, e.theme, e.status, count(*) FROM exchange_entry e WHERE " + _SEEN + " GROUP BY 1, 2, 3"
)


def board_by_hand(cursor: Any, person: int) -> None:
    """Everything the board shows, in four statements."""
    ids: list[int] = []
    for direction in ("ask", "offer"):
        cursor.execute(_BOARD, {"person": person, "direction": direction})
        ids += [row[0] for row in cursor.fetchall()]
    cursor.execute(_COUNTS, {"person": person})
    cursor.fetchall()
    cursor.execute(_MATCHES, {"ids": ids})
    cursor.fetchall()


# --- measuring -------------------------------------------------------------------------------------------------------


def say(words: str) -> None:
    """A line of progress, apart from the results."""
    print(words, file=sys.stderr, flush=True)


def timed(*ways: Callable[[int], object], rounds: int) -> list[list[float]]:
    """Milliseconds of each way, round by round in turn, so that a slow moment hits all of them; sorted."""
    taken: list[list[float]] = [[] for _ in ways]
    for number in range(rounds):
        for way, times in zip(ways, taken, strict=True):
            begun = time.perf_counter()
            way(number)
            times.append((time.perf_counter() - begun) * 1000)
    return [sorted(times) for times in taken]


def at(times: list[float], part: float) -> float:
    """The time that this part of the sorted times does not exceed."""
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
    from partnerships.exchange.services.matches import TOGETHER
    from partnerships.organisations.models import Membership, Organisation
    from partnerships.people.models import User

    own = Organisation.objects.order_by("pk")[10]
    now = timezone.now()
    amina = User.objects.filter(email="amina@bench.example").first()
    if amina is None:
        amina = User.objects.create_user("amina@bench.example", secrets.token_urlsafe(), name="Amina Larch")
        Membership.objects.create(
            person=amina, organisation=own, role="lead", starts_on=dt.date(2020, 1, 1), accepted_at=now
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
        lambda n: by_hand(cursor, single[n], reads=own.pk),
        lambda n: best_for_reader(single[n], amina, today),
        rounds=len(single),
    )
    (everything,) = timed(lambda n: by_hand(cursor, single[n], _ALL), rounds=min(5, len(single)))
    say(f"  matches of {len(many):,} entries")
    parts = [many[number : number + TOGETHER] for number in range(0, len(many), TOGETHER)]
    by_sql, several = (
        [taken / TOGETHER for taken in times]
        for times in timed(
            lambda n: [by_hand_for_both(cursor, entry) for entry in parts[n]],
            lambda n: best_for_both(parts[n], today, names),
            rounds=len(parts),
        )
    )
    found = sum(1 for entry in single if best_for_reader(entry, amina, today))

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
        lambda n: cursor.execute(_STRAIGHT, {"person": amina.pk}),
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
        "batch_seconds": round(sum(several) * TOGETHER / 1000, 2),
        "entries_with_a_match": f"{found} of {len(single)}",
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
    wanted = reading.parse_args()
    if not OWN:
        reading.error("DATABASE_URL is not set: start this with make bench-exchange")
    with own_database(keep=wanted.keep) as (address, is_new):
        # As in production: templates are kept, queries are not logged, passwords and pages cost what they cost.
        os.environ |= {
            "DATABASE_URL": address,
            "DATABASE_ROLE": "application",
            "DJANGO_SETTINGS_MODULE": "housing.settings",
            "DEBUG": "0",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "LOG_LEVEL": "ERROR",
        }
        os.environ.pop("DATABASE_OWNER_URL", None)
        import django
        from django.conf import settings
        from django.core.management import call_command
        from django.db import connections

        django.setup()
        settings.ALLOWED_HOSTS = ["*"]
        settings.SECURE_SSL_REDIRECT = False
        settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
        if is_new:
            say("tables")
            call_command("migrate", verbosity=0)
            say("rows")
            fill(wanted.entries, wanted.bodies, wanted.partnerships)
        say("measuring")
        figures = measure(wanted.rounds, wanted.batch)
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
