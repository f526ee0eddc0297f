"""What stands in each council area by theme, from partnerships to commitments: counted in one statement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from partnerships.agreements.models import Partnership
from partnerships.commitments.models import OVER as OVER_COMMITMENTS
from partnerships.commitments.models import Commitment
from partnerships.exchange.models import Entry, Fulfilment
from partnerships.kit.database import add_up, subquery
from partnerships.organisations.audience import Reader
from partnerships.plans.models import OVER as OVER_PLANS
from partnerships.plans.models import Plan, Site
from partnerships.reports.kinds.districts import Districts

#: Themes of kinds of plan and partnership that are about one.
_OF_PLANS = MappingProxyType(
    {
        "homelessness": "homelessness",
        "regeneration": "regeneration",
        "local_plan": "planning",
        "allocations": "nominations",
        "brownfield_land": "land",
    }
)
_OF_PARTNERSHIPS = MappingProxyType(
    {"nominations": "nominations", "nominations_agreement": "nominations", "data_sharing": "data"}
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How many records stand in each area, by what they are, area (id) and theme; "" is no theme.

    A record about two themes counts under both, and once in `in_all`.
    """

    by_theme: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    in_all: Counter[tuple[str, int]] = field(default_factory=Counter)


def standing_for(reader: Reader, districts: Districts) -> Standing:
    """Everything that the reader may see and that stands somewhere, by the district."""
    sql, given = _records(reader)
    pairs = [(area, one) for area, meant in districts.meant.items() for one in meant]
    given |= {
        "areas": [area for area, _ in pairs],
        "districts": [one for _, one in pairs],
        "councils": [*districts.council_names],
        "today": districts.today,
        **_themes("plan", _OF_PLANS),
        **_themes("partnership", _OF_PARTNERSHIPS),
    }
    found = Standing()
    for what, district, theme, number in add_up(_STATEMENT.format(**sql), given):
        if theme is None:
            found.in_all[what, district] += int(number)  # sums come as decimals
        else:
            found.by_theme[what, district, theme] += int(number)
    return found


def _themes(kind: str, of: Mapping[str, str]) -> dict[str, list[str]]:
    return {f"{kind}_kinds": [*of], f"{kind}_themes": [*of.values()]}


def _records(reader: Reader) -> tuple[dict[str, str], dict[str, Any]]:
    """SQL for the records that the reader may see, and its values."""
    rows: dict[str, Any] = {
        "partnerships": Partnership.objects.known_today_to(reader).live().values("pk", "kind_id"),
        "entries": Entry.objects.followed_by(reader)
        .live()
        .values("pk", "direction", "theme", "organisation_id", "partnership_id"),
        "commitments": Commitment.objects.followed_by(reader)
        .exclude(status__in=OVER_COMMITMENTS)
        .values("pk", "giver_id", "receiver_id", "partnership_id"),
        "fulfilments": Fulfilment.objects.visible_to(reader).values("commitment_id", "entry_id", "entry__theme"),
        "plans": Plan.objects.present_for(reader)
        .exclude(status__in=OVER_PLANS)
        .filter(current_number__gt=0)
        .values("pk", "kind", "partnership_id"),
        "sites": Site.objects.all_visible_to(reader).filter(area__isnull=False).values("plan_id", "area_id"),
    }
    sql: dict[str, str] = {}
    given: dict[str, Any] = {}
    for name, asked in rows.items():
        sql[name], values = subquery(name, asked.order_by(), empty=_EMPTY[name])
        given |= values
    return sql, given


_ID, _WORD = "NULL::bigint", "NULL::text"
#: What stands for records that the reader may not see at all.
_EMPTY = {
    name: f"SELECT {', '.join(columns)} WHERE FALSE"
    for name, columns in {
        "partnerships": (_ID, _WORD),
        "entries": (_ID, _WORD, _WORD, _ID, _ID),
        "commitments": (_ID, _ID, _ID, _ID),
        "fulfilments": (_ID, _ID, _WORD),
        "plans": (_ID, _WORD, _ID),
        "sites": (_ID, _ID),
    }.items()
}
#: The districts that areas stand for, and those of bodies. If some of several bodies are councils, only they count.
_PLACES = """
WITH meant AS MATERIALIZED (
    SELECT * FROM unnest(%(areas)s::bigint[], %(districts)s::bigint[]) AS pairs(area_id, district)
), served AS MATERIALIZED (
    SELECT DISTINCT organisation_id AS body, district FROM organisations_areaserved JOIN meant USING (area_id)
    WHERE (ends_on IS NULL OR ends_on > %(today)s) AND (starts_on IS NULL OR starts_on <= %(today)s)
), partnerships AS MATERIALIZED (SELECT * FROM ({partnerships}) AS found(id, kind)
), entries AS MATERIALIZED (SELECT * FROM ({entries}) AS found(id, direction, theme, body, partnership)
), commitments AS MATERIALIZED (SELECT * FROM ({commitments}) AS found(id, giver, receiver, partnership)
), met AS MATERIALIZED (
    SELECT commitment, entry, theme FROM ({fulfilments}) AS found(commitment, entry, theme)
    WHERE commitment IN (SELECT id FROM commitments)
), plans AS MATERIALIZED (SELECT * FROM ({plans}) AS found(id, kind, partnership)
), partnerships_named AS (
    SELECT DISTINCT partnership_id AS id, district FROM agreements_partnership_areas JOIN meant USING (area_id)
    WHERE partnership_id IN (SELECT id FROM partnerships)
), parties AS (
    SELECT partnership_id AS id, organisation_id AS body,
        organisation_id = ANY(%(councils)s) AS is_council,
        bool_or(organisation_id = ANY(%(councils)s)) OVER (PARTITION BY partnership_id) AS has_council
    FROM agreements_party WHERE status = 'accepted' AND partnership_id IN (SELECT id FROM partnerships)
        AND partnership_id NOT IN (SELECT id FROM partnerships_named)
), at_partnership AS MATERIALIZED (
    SELECT id, district FROM partnerships_named
    UNION ALL SELECT DISTINCT id, district FROM parties JOIN served USING (body) WHERE is_council OR NOT has_council
)
"""
#: Asks and offers: in the areas that they name, else where their partnership is, else where their organisation is.
_ENTRIES = """
, entries_named AS MATERIALIZED (
    SELECT DISTINCT entry_id AS id, district FROM exchange_entry_areas JOIN meant USING (area_id)
    WHERE entry_id IN (SELECT id FROM entries)
), other_entries AS (
    SELECT direction, theme, body, partnership, count(*) AS number FROM entries
    WHERE id NOT IN (SELECT id FROM entries_named) GROUP BY 1, 2, 3, 4
), entries_counted AS (
    SELECT direction AS what, district, theme, count(*) AS number
    FROM entries JOIN entries_named USING (id) GROUP BY 1, 2, 3
    UNION ALL SELECT direction, district, theme, sum(number)
    FROM other_entries JOIN at_partnership ON at_partnership.id = partnership GROUP BY 1, 2, 3
    UNION ALL SELECT direction, district, theme, sum(number) FROM other_entries JOIN served USING (body)
    WHERE partnership IS NULL OR partnership NOT IN (SELECT id FROM at_partnership) GROUP BY 1, 2, 3
), met_entries AS (SELECT * FROM entries WHERE id IN (SELECT entry FROM met)
), at_entry AS (
    SELECT id, district FROM entries_named WHERE id IN (SELECT entry FROM met)
    UNION ALL SELECT one.id, district FROM met_entries one JOIN at_partnership ON at_partnership.id = partnership
    WHERE one.id NOT IN (SELECT id FROM entries_named)
    UNION ALL SELECT one.id, district FROM met_entries one JOIN served USING (body)
    WHERE one.id NOT IN (SELECT id FROM entries_named)
        AND (partnership IS NULL OR partnership NOT IN (SELECT id FROM at_partnership))
)
"""
#: Commitments: where the asks and offers that they meet are, else where their partnership or their sides are.
_COMMITMENTS = """
, commitments_met AS (SELECT DISTINCT commitment AS id, district FROM met JOIN at_entry ON at_entry.id = entry
), sides AS (
    SELECT id, body, body = ANY(%(councils)s) AS is_council,
        bool_or(body = ANY(%(councils)s)) OVER (PARTITION BY id) AS has_council
    FROM commitments CROSS JOIN LATERAL (VALUES (giver), (receiver)) AS bodies(body)
    WHERE body IS NOT NULL AND id NOT IN (SELECT id FROM commitments_met)
        AND (partnership IS NULL OR partnership NOT IN (SELECT id FROM at_partnership))
), at_commitment AS MATERIALIZED (
    SELECT id, district FROM commitments_met
    UNION ALL SELECT one.id, district FROM commitments one JOIN at_partnership ON at_partnership.id = partnership
    WHERE one.id NOT IN (SELECT id FROM commitments_met)
    UNION ALL SELECT DISTINCT id, district FROM sides JOIN served USING (body) WHERE is_council OR NOT has_council
), commitments_about AS (SELECT DISTINCT one.id, coalesce(theme, '') AS theme
    FROM commitments one LEFT JOIN met ON met.commitment = one.id
), commitment_themes AS MATERIALIZED (
    SELECT id, theme FROM (
        SELECT id, theme, bool_or(theme <> '') OVER (PARTITION BY id) AS has_theme FROM commitments_about
    ) about WHERE theme <> '' OR NOT has_theme
)
"""
#: Plans: where their sites are, else where their partnership or their owners are.
_PLANS = """
, plans_named AS MATERIALIZED (
    SELECT DISTINCT plan_id AS id, district FROM ({sites}) AS found(plan_id, area_id) JOIN meant USING (area_id)
    WHERE plan_id IN (SELECT id FROM plans)
), other_plans AS MATERIALIZED (SELECT id, partnership FROM plans WHERE id NOT IN (SELECT id FROM plans_named)
), owners AS (
    SELECT plan_id AS id, organisation_id AS body, organisation_id = ANY(%(councils)s) AS is_council,
        bool_or(organisation_id = ANY(%(councils)s)) OVER (PARTITION BY plan_id) AS has_council
    FROM plans_planowner JOIN other_plans ON other_plans.id = plan_id
    WHERE ended_at IS NULL AND (partnership IS NULL OR partnership NOT IN (SELECT id FROM at_partnership))
), at_plan AS (
    SELECT id, district FROM plans_named
    UNION ALL SELECT one.id, district FROM other_plans one JOIN at_partnership ON at_partnership.id = partnership
    UNION ALL SELECT DISTINCT id, district FROM owners JOIN served USING (body) WHERE is_council OR NOT has_council
), plan_themes AS (
    SELECT id, partnership, coalesce(theme, '') AS theme FROM plans
    LEFT JOIN unnest(%(plan_kinds)s::text[], %(plan_themes)s::text[]) AS themes(kind, theme) USING (kind)
), plans_counted AS (
    SELECT district, theme, count(*) AS number FROM at_plan JOIN plan_themes USING (id) GROUP BY 1, 2
)
"""
#: A partnership is about the theme of its kind, and about those of what belongs to it.
_PARTNERSHIPS = """
, partnerships_about AS (
    SELECT id, coalesce(theme, '') AS theme FROM partnerships
    LEFT JOIN unnest(%(partnership_kinds)s::text[], %(partnership_themes)s::text[]) AS themes(kind, theme) USING (kind)
    UNION SELECT partnership, theme FROM entries GROUP BY 1, 2
    UNION SELECT partnership, theme FROM plan_themes GROUP BY 1, 2
    UNION SELECT partnership, theme FROM commitments JOIN commitment_themes USING (id)
), partnership_themes AS (
    SELECT id, theme FROM (
        SELECT id, theme, bool_or(theme <> '') OVER (PARTITION BY id) AS has_theme FROM partnerships_about
    ) about WHERE theme <> '' OR NOT has_theme
)
SELECT 'partnership', district, theme, count(*) FROM at_partnership JOIN partnership_themes USING (id) GROUP BY 2, 3
UNION ALL SELECT 'partnership', district, NULL, count(*) FROM at_partnership GROUP BY 2
UNION ALL SELECT 'commitment', district, theme, count(*) FROM at_commitment JOIN commitment_themes USING (id)
GROUP BY 2, 3
UNION ALL SELECT 'commitment', district, NULL, count(*) FROM at_commitment GROUP BY 2
UNION ALL SELECT what, district, theme, number FROM entries_counted
UNION ALL SELECT what, district, NULL, sum(number) FROM entries_counted GROUP BY 1, 2
UNION ALL SELECT 'plan', district, theme, number FROM plans_counted
UNION ALL SELECT 'plan', district, NULL, sum(number) FROM plans_counted GROUP BY 2
"""
#: Psycopg fills in the values; of a request only Django's own conditions for rights are in this text.
_STATEMENT = _PLACES + _ENTRIES + _COMMITMENTS + _PLANS + _PARTNERSHIPS
