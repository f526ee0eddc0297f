"""The records behind a report of coverage, as far as a reader may read them, as numbers.

At ten times England a reader reads 180,000 asks and offers and 240,000 sites. PostgreSQL finds them, numpy counts them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.commitments.models import OVER as OVER_COMMITMENTS
from partnerships.commitments.models import Commitment
from partnerships.exchange.models import Entry, Fulfilment, Theme
from partnerships.kit.database import as_array, binary_rows, rows_of, subquery
from partnerships.kit.late import late
from partnerships.kit.numbers import packed, unpacked
from partnerships.organisations.audience import Reader
from partnerships.plans.models import OVER as OVER_PLANS
from partnerships.plans.models import Plan
from partnerships.plans.queries.reading import rights_of
from partnerships.reports.kinds.districts import Districts

if TYPE_CHECKING:
    import numpy as np

    from partnerships.kit.numbers import Numbers
else:
    np = late("numpy")

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
class Records:
    """What a reader may see that stands somewhere: for each kind of row an array of each of its columns.

    Organisations, partnerships and so on are ids, and 0 where there is none. Areas are ids. A theme is its place in
    `themes`: 0 is no theme.
    """

    themes: Sequence[str]
    served: Numbers  # body, area
    partnerships: Numbers  # id, theme
    partnership_areas: Numbers  # partnership, area
    entries: Numbers  # id, whether it is an offer, theme, body, partnership
    entry_areas: Numbers  # entry, area
    commitments: Numbers  # id, giver, receiver, partnership
    met: Numbers  # commitment, entry, theme of the entry
    plans: Numbers  # id, theme, partnership
    sites: Numbers  # plan, area


def records_for(reader: Reader, districts: Districts) -> Records:
    """Everything that the reader may see and that stands somewhere, in one statement."""
    sql, given = _rows(reader)
    themes = ["", *sorted({*Theme.by_code(), *_OF_PLANS.values(), *_OF_PARTNERSHIPS.values()})]
    given |= {
        "areas": as_array([*districts.meant]),
        "today": districts.today,
        "now": timezone.now(),
        "themes": themes,
        **_themes("plan", _OF_PLANS),
        **_themes("partnership", _OF_PARTNERSHIPS),
    }
    (values,) = binary_rows(_STATEMENT.format(**sql), given)
    rows = [unpacked(value, len(columns)) for value, (_, *columns) in zip(values, _PACKED, strict=True)]
    return Records((*themes, "?"), *rows)


def bodies_of(partnerships: Sequence[int], plans: Sequence[int]) -> tuple[Numbers, Numbers]:
    """The present parties of some partnerships, and the owners of some plans: ids of these with bodies."""
    rows = rows_of(_BODIES, [as_array([*partnerships]), as_array([*plans])]) if partnerships or plans else []
    parties, owners = (
        np.array([row[1:] for row in rows if row[0] is of_plan], dtype=np.int64).reshape(-1, 2).T
        for of_plan in (False, True)
    )
    return parties, owners


def _themes(kind: str, of: Mapping[str, str]) -> dict[str, list[str]]:
    return {f"{kind}_kinds": [*of], f"{kind}_themes": [*of.values()]}


def _rows(reader: Reader) -> tuple[dict[str, str], dict[str, Any]]:
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
        .values("pk", "kind", "partnership_id", "embargoed_until"),
        "public": Plan.objects.public().values("pk"),
    }
    sql, given = rights_of(reader)
    for name, asked in rows.items():
        sql[name], values = subquery(name, asked.order_by(), empty=_EMPTY[name])
        given |= values
    # Who reads as everybody of an organisation sees sites of public plans, and of those that they read inside.
    sql["shown"] = "TRUE" if reader.is_authenticated else f"id IN ({sql['public']})"
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
        "plans": (_ID, _WORD, _ID, "NULL::timestamptz"),
        "public": (_ID,),
    }.items()
}
#: The place of a theme; one that the register does not know comes last.
_PLACE = "coalesce(array_position(%(themes)s::text[], {}::text), cardinality(%(themes)s::text[]) + 1) - 1"
#: What the statement hands over: the rows, and their columns.
_PACKED = (
    ("served", "body", "area_id"),
    ("partnerships", "id", _PLACE.format("coalesce(theme, '')")),
    ("partnership_areas", "partnership_id", "area_id"),
    ("entries", "id", "(direction = 'offer')::int", _PLACE.format("theme"), "body", "coalesce(partnership, 0)"),
    ("entry_areas", "entry_id", "area_id"),
    ("commitments", "id", "coalesce(giver, 0)", "coalesce(receiver, 0)", "coalesce(partnership, 0)"),
    ("met", "commitment", "entry", _PLACE.format("theme")),
    ("plans", "id", _PLACE.format("coalesce(theme, '')"), "coalesce(partnership, 0)"),
    ("sites", "plan_id", "area_id"),
)
_MEANT = "area_id = ANY(%(areas)s::bigint[])"
#: Psycopg fills in the values; of a request only Django's own conditions for rights are in this text.
_STATEMENT = f"""
WITH served AS (
    SELECT organisation_id AS body, area_id FROM organisations_areaserved
    WHERE (ends_on IS NULL OR ends_on > %(today)s) AND (starts_on IS NULL OR starts_on <= %(today)s) AND {_MEANT}
), partnerships AS MATERIALIZED (
    SELECT id, theme FROM ({{partnerships}}) AS found(id, kind)
    LEFT JOIN unnest(%(partnership_kinds)s::text[], %(partnership_themes)s::text[]) AS themes(kind, theme) USING (kind)
), partnership_areas AS (
    SELECT partnership_id, area_id FROM agreements_partnership_areas
    WHERE {_MEANT} AND partnership_id IN (SELECT id FROM partnerships)
), entries AS MATERIALIZED (SELECT * FROM ({{entries}}) AS found(id, direction, theme, body, partnership)
), entry_areas AS (
    SELECT entry_id, area_id FROM exchange_entry_areas WHERE {_MEANT} AND entry_id IN (SELECT id FROM entries)
), commitments AS MATERIALIZED (SELECT * FROM ({{commitments}}) AS found(id, giver, receiver, partnership)
), met AS (
    SELECT commitment, entry, theme FROM ({{fulfilments}}) AS found(commitment, entry, theme)
    WHERE commitment IN (SELECT id FROM commitments)
), plans AS MATERIALIZED (
    SELECT id, theme, partnership, id IN ({{owned}}) AS is_owner, id IN ({{inside}}) AS is_inside,
        {{shown}} AS is_shown, embargoed_until IS NULL OR embargoed_until <= %(now)s AS is_free
    FROM ({{plans}}) AS plan(id, kind, partnership, embargoed_until)
    LEFT JOIN unnest(%(plan_kinds)s::text[], %(plan_themes)s::text[]) AS themes(kind, theme) USING (kind)
), sites AS (
    SELECT plan_id, area_id FROM plans_site site JOIN plans plan ON plan.id = site.plan_id
    WHERE area_id IS NOT NULL
        AND (is_owner OR (is_free AND (is_inside OR (is_shown AND NOT confidential))))
)
SELECT {", ".join(packed(rows, *columns) for rows, *columns in _PACKED)}
"""  # noqa: S608 - constants
_BODIES = """
SELECT FALSE, partnership_id, organisation_id FROM agreements_party
WHERE status = 'accepted' AND partnership_id = ANY(%s::bigint[])
UNION ALL SELECT TRUE, plan_id, organisation_id FROM plans_planowner
WHERE ended_at IS NULL AND plan_id = ANY(%s::bigint[])
"""
