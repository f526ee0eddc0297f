"""Fill a database with a network of the size of England, or a multiple of it, with SQL.

One times England is 2,000 organisations, 6,000 partnerships, 60,000 asks and offers, 12,000 plans of 3 versions, 18,000
commitments, 18,000 conversations and 335,000 recorded changes, with meetings, documents and recommendations
(benchmarks/country_records.py). Sizes are as uneven as in reality. A few organisations are in thousands of
partnerships, and most are in a handful. Some partnerships have former parties, and some plans have an embargo or a
draft.

benchmarks/pages.py requests pages as five people, who have the same records at every size:

* lead@country.example leads an organisation in 40 partnerships;
* authority@country.example leads a combined authority in 2,000;
* editor@country.example edits for a small organisation in 3;
* stakeholder@country.example has no account and follows 20 plans;
* administrator@country.example administers the network.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Collection
from typing import Any

from benchmarks.country_records import RECORD_TABLES, RECORDS

LEAD, AUTHORITY, EDITOR = 1, 2, 3  # the positions of their organisations among those inserted here, from 1

_BODIES = """
INSERT INTO organisations_area (code, name, kind)
SELECT 'E07' || lpad(n::text, 6, '0'), 'District ' || n, 'district' FROM generate_series(1, 300) n;

INSERT INTO organisations_organisation (name, short_name, kind, council_type, designation, legal_form, status, website,
    second_factor_required, sign_in_provider, missing_from, created_at)
SELECT CASE WHEN n = 2 THEN 'Combined Authority of the Middle' ELSE 'Body ' || n || ' ' ||
         (ARRAY['Homes', 'Council', 'Housing', 'Trust'])[1 + n %% 4] END, '',
       CASE WHEN n = 2 THEN 'strategic_authority' ELSE
         (ARRAY['registered_provider', 'council', 'registered_provider', 'charity'])[1 + n %% 4] END,
       '', '', '', 'active', '', false, '', '{}', %(then)s
  FROM generate_series(1, %(bodies)s) n;
INSERT INTO organisations_organisationname (organisation_id, name, folded, kind)
SELECT id, name, lower(name), 'official' FROM organisations_organisation WHERE id > %(organisation)s;

INSERT INTO people_user (password, is_superuser, email, name, is_staff, is_active, joined_at, time_zone, account_since)
SELECT '!', false, 'person' || n || '@country.example', 'Person ' || n, false, true, %(then)s, 'Europe/London', %(then)s
  FROM generate_series(1, %(bodies)s * 3) n;
UPDATE people_user SET email = (ARRAY['lead', 'authority', 'editor'])[id - %(person)s] || '@country.example'
 WHERE id - %(person)s BETWEEN 1 AND 3;
INSERT INTO people_user (password, is_superuser, email, name, is_staff, is_active, joined_at, time_zone, account_since)
VALUES ('!', true, 'administrator@country.example', 'Administrator', true, true, %(then)s, 'Europe/London', %(then)s),
       ('!', false, 'stakeholder@country.example', 'Stakeholder', false, true, %(then)s, 'Europe/London', NULL);

INSERT INTO organisations_membership (role, job_title, starts_on, accepted_at, person_id, organisation_id)
SELECT CASE WHEN n = 3 THEN 'editor' WHEN n <= %(bodies)s THEN 'lead'
            WHEN n <= 2 * %(bodies)s THEN 'editor' ELSE 'viewer' END,
       'Officer', %(then)s::date, %(then)s, %(person)s + n, %(organisation)s + 1 + (n - 1) %% %(bodies)s
  FROM generate_series(1, %(bodies)s * 3) n;
"""

#: The people named above have the same number of partnerships at every size. The others follow a long tail.
_PARTNERSHIPS = """
INSERT INTO agreements_partnership (title, kind, status, audience, purpose, legally_binding, terms_of_reference,
    starts_on, review_on, ends_on, meeting_frequency, reports_to, contribution, liabilities, created_at, status_since)
SELECT 'Partnership ' || n, (ARRAY['memorandum', 'charter', 'bilateral', 'nominations'])[1 + n %% 4],
       (ARRAY['active', 'active', 'active', 'under_review', 'drafting', 'ended'])[1 + n %% 6],
       (ARRAY['network', 'network', 'parties'])[1 + n %% 3], 'We work together on homes. ' || n, n %% 2 = 0,
       'Each party says early what it plans.', d.day, d.day + 365, d.day + 1000, '', '', '', '', d.day, d.day
  FROM generate_series(1, %(partnerships)s) n,
       LATERAL (SELECT %(then)s::date + (n::bigint * 7919 %% 700)::int) d(day);
INSERT INTO agreements_partnership_areas (partnership_id, area_id)
SELECT id, (SELECT min(id) FROM organisations_area) + id %% 300 FROM agreements_partnership WHERE id > %(partnership)s;

CREATE TEMP TABLE drawn AS
SELECT n, place, 4 + floor((%(bodies)s - 4) * power(random(), 3))::int AS body
  FROM generate_series(1, %(partnerships)s) n, generate_series(1, 4) place
UNION ALL SELECT 1 + (n - 1) * (%(partnerships)s / 40), 5, 1 FROM generate_series(1, 40) n
UNION ALL SELECT 1 + (n - 1) * %(partnerships)s / %(much)s, 6, 2 FROM generate_series(1, %(much)s) n
UNION ALL SELECT 2 + (n - 1) * (%(partnerships)s / 3), 7, 3 FROM generate_series(1, 3) n;
INSERT INTO agreements_party (role, status, invited_at, answered_at, reason, joined_on, left_on, left_at,
    organisation_id, partnership_id)
SELECT CASE WHEN place = 1 THEN 'chair' WHEN place = 4 THEN 'observer' ELSE 'member' END,
       CASE WHEN gone THEN 'left' ELSE 'accepted' END, %(then)s, %(then)s, '', %(then)s::date,
       CASE WHEN gone THEN current_date - 30 END, CASE WHEN gone THEN now() - interval '30 days' END,
       %(organisation)s + body, %(partnership)s + n
  FROM (SELECT *, place = 3 AND n %% 10 = 0 AS gone FROM drawn) d
ON CONFLICT DO NOTHING;
"""

_ENTRIES = """
INSERT INTO exchange_entry (direction, title, statement, rationale, theme, quantity, unit, agreed_quantity, site,
    conditions, private_note, standing, audience, status, reason, is_open, revision, created_at, changed_at, shared_at,
    matched_at, told_at, key, reach, organisation_id, partnership_id, created_by_id)
SELECT CASE WHEN n %% 2 = 0 THEN 'ask' ELSE 'offer' END,
       CASE WHEN n %% 997 = 0 THEN 'Drainage for a gasworks ' ELSE 'Homes for key workers ' END || n,
       'We would welcome early talks. ' || n, '',
       (ARRAY['land', 'planning', 'funding', 'homelessness', 'data', 'retrofit'])[1 + n %% 6], 1 + n %% 200, 'homes', 0,
       '', '', '', false, a.audience, CASE WHEN open THEN 'shared' ELSE 'withdrawn' END, '', open, 0,
       m.at, m.at, m.at, m.at,
       m.at, gen_random_uuid(), '{}', p.organisation_id, CASE WHEN a.audience = 'partnership' THEN p.partnership_id END,
       NULL
  FROM (SELECT n, n %% 5 < 3 AS open FROM generate_series(1, %(entries)s) n) n,
       LATERAL (SELECT %(then)s::timestamptz + (n::bigint * 104729 %% 60000000) * interval '1 second') m(at),
       LATERAL (SELECT (ARRAY['network', 'network', 'partnership', 'named'])[1 + n %% 4]) a(audience),
       LATERAL (SELECT organisation_id, partnership_id FROM agreements_party
                 WHERE id = %(party)s + 1 + (n::bigint * 31337) %% %(parties)s) p;
INSERT INTO exchange_addressee (entry_id, organisation_id)
SELECT id, %(organisation)s + 1 + id %% %(bodies)s FROM exchange_entry WHERE audience = 'named' AND id > %(entry)s;
INSERT INTO exchange_entrycount (direction, theme, status, is_open, number)
SELECT direction, theme, status, is_open, count(*) FROM exchange_entry WHERE audience = 'network' GROUP BY 1, 2, 3, 4;
"""

#: Copies of one plan with three real versions, which `_make_template` creates.
_PLANS = """
INSERT INTO plans_plan (title, kind, status, audience, period_start, period_end, current_number, substantive_number,
    baseline_number, open_at, embargoed_until, first_published_at, last_published_at, external_reference, created_at,
    created_by_id, partnership_id, open_number)
SELECT 'Plan ' || n || ' of ' || o.name, t.kind,
       (ARRAY['agreed', 'monitoring', 'shared', 'awaiting_sign_off'])[1 + n %% 4],
       (ARRAY['public', 'network', 'partnership', 'owners'])[1 + n %% 4], t.period_start, t.period_end, 3, 3, 1,
       d.at, CASE WHEN n %% 50 = 0 THEN now() + interval '5 days' END, d.at, d.at, '', d.at, NULL, p.partnership_id, 3
  FROM generate_series(1, %(plans)s) n, plans_plan t,
       LATERAL (SELECT organisation_id, partnership_id FROM agreements_party
                 WHERE id = %(party)s + 1 + (n::bigint * 7907) %% %(parties)s) p,
       LATERAL (SELECT name FROM organisations_organisation WHERE id = p.organisation_id) o,
       LATERAL (SELECT %(then)s::timestamptz + (n::bigint * 1299709 %% 60000000) * interval '1 second') d(at)
 WHERE t.id = %(template)s;
CREATE TEMP TABLE made AS
SELECT p.id, p.partnership_id, p.last_published_at AS at,
       (SELECT min(organisation_id) FROM agreements_party y WHERE y.partnership_id = p.partnership_id) AS owner
  FROM plans_plan p WHERE p.id > %(plan)s;
INSERT INTO plans_planowner (plan_id, organisation_id, began_at, ended_because) SELECT id, owner, at, '' FROM made;
INSERT INTO plans_version (number, title, content, prose, figures, note, minor, published_at, source, plan_id,
    organisation_id, prose_rules)
SELECT v.number, v.title, v.content, v.prose, v.figures, v.note, v.minor, m.at - (3 - v.number) * interval '90 days',
       v.source, m.id, m.owner, v.prose_rules
  FROM made m, plans_version v WHERE v.plan_id = %(template)s;
INSERT INTO plans_draft (based_on, pieces, revision, clean_revision, updated_at, plan_id, prose, prose_rules)
SELECT 3, d.pieces, d.revision, d.clean_revision, m.at, m.id, d.prose, d.prose_rules
  FROM made m, plans_draft d WHERE d.plan_id = %(template)s;
INSERT INTO plans_site (key, reference, name, planning_authority, confidential, homes, planning_status, confidence,
    forecast_completion, actual_completion, area_id, plan_id)
SELECT s.key, s.reference, s.name, s.planning_authority, s.confidential, s.homes, s.planning_status, s.confidence,
       s.forecast_completion, s.actual_completion,
       (SELECT min(id) FROM organisations_area) + (m.id * 4 + s.id) %% 300, m.id
  FROM made m, plans_site s WHERE s.plan_id = %(template)s;
INSERT INTO plans_plannedhomes (site_key, site_name, area_code, authority, confidential, provider, planning_reference,
    has_grant, confidence, forecast, tenure, bedrooms, needs, year, done_year, count, from_number, until_number,
    published_from, published_until, open_from, open_until, plan_id)
SELECT s.site_key, s.site_name, 'E07' || lpad((1 + (m.id * 4 + s.id) %% 300)::text, 6, '0'), s.authority,
       s.confidential, CASE WHEN (m.id + s.id) %% 2 = 0 THEN 'Body ' || (m.id + s.id) %% %(bodies)s ELSE '' END,
       s.planning_reference, s.has_grant, (ARRAY['high', 'medium', 'low', ''])[1 + (m.id + s.id) %% 4], s.forecast,
       s.tenure, 1 + (m.id + s.id) %% 4, s.needs, s.year, s.done_year, s.count, s.from_number, s.until_number, d.since,
       d.until, d.since, d.until, m.id
  FROM made m, plans_plannedhomes s,
       LATERAL (SELECT m.at - (3 - s.from_number) * interval '90 days',
                       m.at - (3 - s.until_number) * interval '90 days') d(since, until)
 WHERE s.plan_id = %(template)s;
INSERT INTO plans_milestone (key, name, site_key, owner, status, baseline, forecast, actual, due_from, due_by,
    restricted, plan_id)
SELECT s.key, s.name, s.site_key, s.owner, s.status, s.baseline, s.forecast, s.actual, s.due_from, s.due_by,
       s.restricted, m.id
  FROM made m, plans_milestone s WHERE s.plan_id = %(template)s;
INSERT INTO plans_signatory (role, asked_at, link_key, organisation_id, plan_id)
SELECT 'signatory', at, md5(id::text), owner, id FROM made WHERE id %% 4 = 3;
INSERT INTO digests_publication (number, published_at, available_at, spread_at, plan_id)
SELECT 3, at, at, at, id FROM made;
"""

_PROMISES = """
INSERT INTO commitments_commitment (kind, reference, text, giver_name, quantity, unit, delivered_quantity, due_on,
    original_due_on, status, status_since, revision, proposed_at, giver_confirmed_at, receiver_confirmed_at, blocker,
    reason, source, source_reference, giver_id, receiver_id, owner_organisation_id, owner_id, partnership_id)
SELECT 'commitment', 'N-' || n, 'Homes let to people on the register ' || n, '', 60, 'homes', n %% 60, d.day, d.day,
       (ARRAY['agreed', 'in_progress', 'at_risk', 'proposed'])[1 + n %% 4], %(then)s, 0, %(then)s, %(then)s,
       CASE WHEN n %% 4 < 3 THEN %(then)s::timestamptz END, '', '', '', '', g.organisation_id, r.organisation_id,
       g.organisation_id, NULL, g.partnership_id
  FROM generate_series(1, %(promises)s) n,
       LATERAL (SELECT organisation_id, partnership_id, id FROM agreements_party
                 WHERE id = %(party)s + 1 + (n::bigint * 15485863) %% %(parties)s) g,
       LATERAL (SELECT organisation_id FROM agreements_party y
                 WHERE y.partnership_id = g.partnership_id AND y.organisation_id <> g.organisation_id
                 ORDER BY y.id LIMIT 1) r,
       LATERAL (SELECT current_date - 200 + n %% 500) d(day);

INSERT INTO conversations_conversation (subject, status, held_on, format, theme, said, attribution, next_contact_on,
    revision, created_at, circulated_at, reason, organisation_id, partnership_id)
SELECT 'Meeting ' || n, CASE WHEN n %% 3 = 0 THEN 'planned' ELSE 'circulated' END,
       CASE WHEN n %% 3 = 0 THEN current_date + n %% 90 ELSE current_date - n %% 600 END, 'video', 'planning',
       'We talked about land and nominations.', 'named', CASE WHEN n %% 3 > 0 THEN current_date - n %% 600 + 90 END, 0,
       %(then)s, CASE WHEN n %% 3 > 0 THEN %(then)s::timestamptz END, '', p.organisation_id, p.partnership_id
  FROM generate_series(1, %(promises)s) n,
       LATERAL (SELECT organisation_id, partnership_id FROM agreements_party
                 WHERE id = %(party)s + 1 + (n::bigint * 32452843) %% %(parties)s) p;
INSERT INTO conversations_side (conversation_id, organisation_id, status, held_on)
SELECT c.id, y.organisation_id, c.status, c.held_on FROM conversations_conversation c
  JOIN agreements_party y ON y.partnership_id = c.partnership_id WHERE c.id > %(conversation)s;
INSERT INTO conversations_point (kind, text, closed_reason, conversation_id, organisation_id)
SELECT (ARRAY['objective', 'obstacle', 'opportunity'])[1 + c.id %% 3], 'More homes near work.', '', c.id,
       c.organisation_id
  FROM conversations_conversation c WHERE c.id > %(conversation)s;
"""

_FOLLOWERS = """
INSERT INTO digests_subscription (status, how, why, frequency, asked_at, confirmed_at, reason, stopped_from, person_id,
    plan_id)
SELECT 'confirmed', 'self', '', '', %(then)s, %(then)s, '', '', u.id, p.id
  FROM people_user u, generate_series(1, 3) k, LATERAL (
    SELECT id FROM plans_plan WHERE id > %(plan)s + (u.id * 31 + k * 977) %% %(plans)s ORDER BY id LIMIT 1) p
 WHERE u.id > %(person)s AND u.id %% 2 = 0
ON CONFLICT DO NOTHING;
INSERT INTO digests_subscription (status, how, why, frequency, asked_at, confirmed_at, reason, stopped_from, person_id,
    plan_id, added_for_id)
SELECT 'confirmed', 'lead', 'you sit on the panel', '', %(then)s, %(then)s, '', '', u.id, p.id, %(organisation)s + 1
  FROM people_user u,
       (SELECT id FROM plans_plan WHERE id > %(plan)s AND audience = 'public' ORDER BY id LIMIT 20) p
 WHERE u.email = 'stakeholder@country.example'
ON CONFLICT DO NOTHING;
INSERT INTO digests_subscription (status, how, why, frequency, asked_at, confirmed_at, reason, stopped_from, person_id,
    partnership_id)
SELECT 'confirmed', 'self', '', '', %(then)s, %(then)s, '', '', %(person)s + 1 + (k * 7) %% (%(bodies)s * 3),
       %(partnership)s + k FROM generate_series(1, %(partnerships)s) k ON CONFLICT DO NOTHING;
INSERT INTO digests_watermark (number, reading_class, told_at, waiting_since, slotted, plan_id, recipient_id)
SELECT 3, 'outside', now(), now(), false, plan_id, person_id FROM digests_subscription WHERE plan_id > %(plan)s
ON CONFLICT DO NOTHING;
"""

_CHANGES = """
INSERT INTO activity_event (actor_id, organisation_id, kind, target_kind, target_id, within_kind, within_id, at, data)
SELECT %(person)s + 1 + n %% (%(bodies)s * 3), organisation_id, code, target, id, 'partnership', partnership_id,
       %(then)s::timestamptz + (n::bigint * 179424673 %% 62000000) * interval '1 second', data
  FROM (
    SELECT row_number() OVER () AS n, * FROM (
      SELECT p.id, 'plan' AS target, m.organisation_id, p.partnership_id, %(published)s AS code,
             '{"number": 3}'::jsonb AS data
        FROM plans_plan p JOIN agreements_party m ON m.partnership_id = p.partnership_id, generate_series(1, 2)
       WHERE p.id > %(plan)s
      UNION ALL SELECT id, 'entry', organisation_id, partnership_id, %(shared)s, '{}' FROM exchange_entry,
        generate_series(1, 2) WHERE id > %(entry)s
      UNION ALL SELECT id, 'commitment', giver_id, partnership_id, %(promised)s, '{}' FROM commitments_commitment,
        generate_series(1, 3) WHERE id > %(commitment)s
      UNION ALL SELECT partnership_id, 'partnership', organisation_id, partnership_id, %(termed)s,
        '{"before": {"title": "A"}, "after": {"title": "B"}}' FROM agreements_party WHERE id > %(party)s) each) e;
"""

_EVENT_KINDS = {
    "published": "plan.version_published",
    "shared": "ask.shared",
    "promised": "commitment.progress_reported",
    "termed": "partnership.terms_changed",
}
TABLES = (
    "activity_event", "agreements_partnership", "agreements_partnership_areas", "agreements_party",
    "commitments_commitment", "conversations_conversation", "conversations_point", "conversations_side",
    "digests_publication", "digests_subscription", "digests_watermark", "exchange_addressee", "exchange_entry",
    "organisations_area", "organisations_membership", "organisations_organisation", "organisations_organisationname",
    "people_user", "plans_draft", "plans_milestone", "plans_plan", "plans_planowner", "plans_signatory", "plans_site",
    "plans_version", *RECORD_TABLES,
)  # fmt: skip


def fill(times: float, *, without: Collection[str] = (), say: Any = print) -> None:
    """Fill the database that Django is connected to with `times` times England.

    Django must be connected as the owner of the tables. `without` names parts to leave out, which are `followers`,
    `changes` and `records`.
    """
    from django.db import connection
    from django.utils import timezone

    template = _make_template(timezone.now() - dt.timedelta(days=800))
    sizes = {
        name: int(number * times)
        for name, number in (
            ("bodies", 2_000), ("partnerships", 6_000), ("entries", 60_000), ("plans", 12_000), ("promises", 18_000),
            ("sources", 40),
        )
    }  # fmt: skip
    fields: dict[str, Any] = {
        **sizes,
        "then": timezone.now() - dt.timedelta(days=720),
        "template": template,
        "much": min(2_000, sizes["partnerships"]),
        **_EVENT_KINDS,
    }
    with connection.cursor() as cursor:

        def last(table: str) -> int:
            cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
            return int(cursor.fetchone()[0])

        lent = _columns_with_defaults()
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for table, column, value in lent:
            cursor.execute(f'ALTER TABLE {table} ALTER COLUMN "{column}" SET DEFAULT %s', [value])
        cursor.execute("SELECT setseed(0.42)")
        fields |= {"organisation": last("organisations_organisation"), "person": last("people_user")}
        for name, sql in (
            ("bodies", _BODIES), ("partnerships", _PARTNERSHIPS), ("entries", _ENTRIES), ("plans", _PLANS),
            ("promises", _PROMISES), ("followers", _FOLLOWERS), ("changes", _CHANGES), ("records", RECORDS),
        ):  # fmt: skip
            if name in without:
                continue
            if name == "partnerships":
                fields |= {"partnership": last("agreements_partnership"), "party": last("agreements_party")}
            if name == "entries":
                fields |= {"parties": last("agreements_party") - fields["party"], "entry": last("exchange_entry")}
            if name == "plans":
                fields["plan"] = last("plans_plan")
            if name == "promises":
                fields |= {
                    "conversation": last("conversations_conversation"),
                    "commitment": last("commitments_commitment"),
                }
            began = time.monotonic()
            cursor.execute(sql, fields)
            say(f"  {name}: {time.monotonic() - began:.1f} s")
            cursor.execute("ANALYZE")
        for table, column, _ in lent:
            cursor.execute(f'ALTER TABLE {table} ALTER COLUMN "{column}" DROP DEFAULT')
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        cursor.execute("VACUUM ANALYZE")


def _columns_with_defaults() -> list[tuple[str, str, Any]]:
    """Return the table, column and value of each column to which Django gives a plain default.

    PostgreSQL gets these defaults while the tables are filled, so that the statements here still work after a migration
    adds a column.
    """
    from django.apps import apps
    from django.db import connection

    return [
        (model._meta.db_table, field.column, field.get_db_prep_save(field.get_default(), connection))
        for model in apps.get_models()
        if model._meta.db_table in TABLES
        for field in model._meta.concrete_fields
        if not (field.null or field.primary_key or field.generated)
        and isinstance(field.get_default(), bool | int | str | list | dict)
    ]


def _make_template(now: dt.datetime) -> int:
    """Create a plan with three versions by the services, and return its id."""
    from benchmarks.digests_world import content, make_plan
    from partnerships.plans.services import publish_version

    _, lead, plan = make_plan(now)
    for number in (1, 2):
        at = now + dt.timedelta(days=number)
        publish_version(plan=plan, author=lead, note=f"Version {number + 1}.", content=content(number), now=at)
    return int(plan.pk)
