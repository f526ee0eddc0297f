"""Create the database on which asks and offers are measured."""

from __future__ import annotations

import sys
from typing import Any

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


def say(words: str) -> None:
    """Print progress to stderr."""
    print(words, file=sys.stderr, flush=True)


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
    """Create organisations, and partnerships of four organisations each."""
    from django.utils import timezone

    from partnerships.agreements.models import Partnership, Party
    from partnerships.organisations.models import Organisation

    now = timezone.now()
    organisations = Organisation.objects.bulk_create(
        [Organisation(name=f"Organisation {number}", kind="registered_provider") for number in range(bodies)],
        batch_size=5_000,
    )
    shared = Partnership.objects.bulk_create(
        [
            Partnership(
                title=f"Partnership {number}", kind_id="memorandum", status="active", created_at=now, status_since=now
            )
            for number in range(partnerships)
        ],
        batch_size=5_000,
    )
    parties = (
        Party(
            partnership=partnership,
            organisation=organisations[(number * 7 + one * 131) % bodies],
            status="accepted",
            invited_at=now,
        )
        for number, partnership in enumerate(shared)
        for one in range(4)
    )
    Party.objects.bulk_create(parties, batch_size=5_000)


def fill(entries: int, bodies: int, partnerships: int) -> None:
    """Fill the database with plain SQL, which takes minutes instead of hours."""
    from django.db import connection

    from partnerships.exchange.models import Entry, Theme

    fields: dict[str, Any] = {
        "bodies": bodies,
        "partnerships": partnerships,
        "themes": list(Theme.by_code()),
        "numbers": [theme.number for theme in Theme.by_code().values()],
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
        cursor.execute(_FILL, fields)
        make_bodies(bodies, partnerships)
        for direction in ("ask", "offer"):
            say(f"  {entries:,} {direction}s")
            cursor.execute(_ENTRIES, {**fields, "direction": direction})
        say("  indexes")
        with connection.schema_editor() as editor:
            for index in indexes:
                editor.add_index(Entry, index)
        cursor.execute(_AFTER, fields)
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("VACUUM ANALYZE")
