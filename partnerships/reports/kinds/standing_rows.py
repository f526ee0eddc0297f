"""Read the records that the coverage report counts, as far as its reader may see them, into numpy arrays.

In a network ten times as large as England, these are 180,000 asks and offers and 240,000 sites. PostgreSQL finds them
in one statement, and numpy counts them (`standing`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.commitments.models import FINAL_STATUSES as OVER_COMMITMENTS
from partnerships.commitments.models import Commitment
from partnerships.exchange.models import Entry, Fulfilment, Theme
from partnerships.kit.database import as_array, binary_rows, rows_of, subquery
from partnerships.kit.late import late
from partnerships.kit.numbers import packed, unpacked
from partnerships.organisations.audience import Reader
from partnerships.plans.models import FINAL_STATUSES as OVER_PLANS
from partnerships.plans.models import Plan
from partnerships.plans.queries.reading import rights_sql
from partnerships.reports.kinds.districts import Districts

if TYPE_CHECKING:
    import numpy as np

    from partnerships.kit.numbers import Numbers
else:
    np = late("numpy")

#: The theme of each kind of plan that is about one theme.
_THEME_BY_PLAN_KIND = MappingProxyType(
    {
        "homelessness": "homelessness",
        "regeneration": "regeneration",
        "local_plan": "planning",
        "allocations": "nominations",
        "brownfield_land": "land",
    }
)
#: The theme of each kind of partnership that is about one theme.
_THEME_BY_PARTNERSHIP_KIND = MappingProxyType(
    {"nominations": "nominations", "nominations_agreement": "nominations", "data_sharing": "data"}
)


@dataclass(frozen=True, slots=True)
class Records:
    """The records that a reader may see. Each array has one row for each of the columns named beside it.

    Organisations, partnerships, areas and so on are ids, or 0 if there is none. A theme is an index of `themes`. The
    index 0 means no theme.
    """

    themes: Sequence[str]
    served: Numbers  # organisation, area
    partnerships: Numbers  # id, theme
    partnership_areas: Numbers  # partnership, area
    entries: Numbers  # id, 1 for an offer, theme, organisation, partnership
    entry_areas: Numbers  # entry, area
    commitments: Numbers  # id, giver, receiver, partnership
    met: Numbers  # commitment, entry, theme of the entry
    plans: Numbers  # id, theme, partnership
    sites: Numbers  # plan, area


def records_for(reader: Reader, districts: Districts) -> Records:
    """Read all records that the reader may see, in one statement."""
    sql_by_name, values_by_name = _readable_rows(reader)
    themes_of_kinds = {*_THEME_BY_PLAN_KIND.values(), *_THEME_BY_PARTNERSHIP_KIND.values()}
    themes = ["", *sorted({*Theme.by_code(), *themes_of_kinds})]
    values_by_name |= {
        "areas": as_array([*districts.ids_by_area]),
        "today": districts.today,
        "now": timezone.now(),
        "themes": themes,
        **_kinds_and_themes("plan", _THEME_BY_PLAN_KIND),
        **_kinds_and_themes("partnership", _THEME_BY_PARTNERSHIP_KIND),
    }
    (packed_kinds,) = binary_rows(_STATEMENT.format(**sql_by_name), values_by_name)
    arrays = [unpacked(value, len(columns)) for value, (_, *columns) in zip(packed_kinds, _PACKED, strict=True)]
    # `_THEME_INDEX` gives themes that are no longer in the vocabulary the last index, which is that of "?".
    return Records((*themes, "?"), *arrays)


def bodies_of(partnership_ids: Sequence[int], plan_ids: Sequence[int]) -> tuple[Numbers, Numbers]:
    """Return the present parties of these partnerships, and the owners of these plans, in one query.

    Each result has two rows, the ids of partnerships or plans and the ids of their organisations.
    """
    rows = (
        rows_of(_BODIES, [as_array([*partnership_ids]), as_array([*plan_ids])]) if partnership_ids or plan_ids else []
    )
    parties, owners = (
        np.array([row[1:] for row in rows if row[0] is is_of_plan], dtype=np.int64).reshape(-1, 2).T
        for is_of_plan in (False, True)
    )
    return parties, owners


def _kinds_and_themes(name: str, theme_by_kind: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the kinds and their themes as two parameters of the statement."""
    return {f"{name}_kinds": [*theme_by_kind], f"{name}_themes": [*theme_by_kind.values()]}


def _readable_rows(reader: Reader) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the SQL for the records that the reader may see, by name, and the values of its parameters."""
    querysets: dict[str, Any] = {
        "partnerships": Partnership.objects.visible_today_to(reader).live().values("pk", "kind_id"),
        "entries": Entry.objects.followed_by(reader)
        .live()
        .values("pk", "direction", "theme", "organisation_id", "partnership_id"),
        "commitments": Commitment.objects.followed_by(reader)
        .exclude(status__in=OVER_COMMITMENTS)
        .values("pk", "giver_id", "receiver_id", "partnership_id"),
        "fulfilments": Fulfilment.objects.visible_to(reader).values("commitment_id", "entry_id", "entry__theme"),
        "plans": Plan.objects.published_today_for(reader)
        .exclude(status__in=OVER_PLANS)
        .filter(current_number__gt=0)
        .values("pk", "kind", "partnership_id", "embargoed_until"),
        "public": Plan.objects.public().values("pk"),
    }
    sql_by_name, values_by_name = rights_sql(reader)
    for name, queryset in querysets.items():
        sql_by_name[name], values = subquery(name, queryset.order_by(), empty=_EMPTY[name])
        values_by_name |= values
    # A person may read the sites of every plan in `plans`. A report for a whole organisation (`Everybody`) includes
    # the sites of public plans. It also includes those of its own plans and of the plans of its partnerships.
    sql_by_name["shown"] = "TRUE" if reader.is_authenticated else f"id IN ({sql_by_name['public']})"
    return sql_by_name, values_by_name


_ID, _WORD = "NULL::bigint", "NULL::text"
#: Statements without rows, for kinds without records that the reader may see.
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
#: SQL for the index of a theme in `themes`. A theme that is not in the list gets the last index.
_THEME_INDEX = "coalesce(array_position(%(themes)s::text[], {}::text), cardinality(%(themes)s::text[]) + 1) - 1"
#: The kinds of row that the statement returns, each with its columns, in the order of `Records`.
_PACKED = (
    ("served", "body", "area_id"),
    ("partnerships", "id", _THEME_INDEX.format("coalesce(theme, '')")),
    ("partnership_areas", "partnership_id", "area_id"),
    ("entries", "id", "(direction = 'offer')::int", _THEME_INDEX.format("theme"), "body", "coalesce(partnership, 0)"),
    ("entry_areas", "entry_id", "area_id"),
    ("commitments", "id", "coalesce(giver, 0)", "coalesce(receiver, 0)", "coalesce(partnership, 0)"),
    ("met", "commitment", "entry", _THEME_INDEX.format("theme")),
    ("plans", "id", _THEME_INDEX.format("coalesce(theme, '')"), "coalesce(partnership, 0)"),
    ("sites", "plan_id", "area_id"),
)
_IN_AREA = "area_id = ANY(%(areas)s::bigint[])"
#: One statement for all kinds of row. Values are parameters (`%(name)s`); only Django's own SQL for rights is inserted.
_STATEMENT = f"""
WITH served AS (
    SELECT organisation_id AS body, area_id FROM organisations_areaserved
    WHERE (ends_on IS NULL OR ends_on > %(today)s) AND (starts_on IS NULL OR starts_on <= %(today)s) AND {_IN_AREA}
), partnerships AS MATERIALIZED (
    SELECT id, theme FROM ({{partnerships}}) AS found(id, kind)
    LEFT JOIN unnest(%(partnership_kinds)s::text[], %(partnership_themes)s::text[]) AS themes(kind, theme) USING (kind)
), partnership_areas AS (
    SELECT partnership_id, area_id FROM agreements_partnership_areas
    WHERE {_IN_AREA} AND partnership_id IN (SELECT id FROM partnerships)
), entries AS MATERIALIZED (SELECT * FROM ({{entries}}) AS found(id, direction, theme, body, partnership)
), entry_areas AS (
    SELECT entry_id, area_id FROM exchange_entry_areas WHERE {_IN_AREA} AND entry_id IN (SELECT id FROM entries)
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
