"""Homes of plans over time, added up as far as a reader may read them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from partnerships.activity.models import Event
from partnerships.kit.database import add_up, subquery
from partnerships.organisations.audience import Reader
from partnerships.plans.event_kinds import EventKind
from partnerships.plans.models import OVER, Plan


@dataclass(frozen=True, slots=True)
class Count:
    """Homes of one part of the pipeline.

    `baseline`: as the baselines of the plans say, or their first versions. `then`: as their readers read them at the
    moment that is compared with. `now`: as they read them now. `done`: of these, how many have completed.
    """

    baseline: int = 0
    then: int = 0
    now: int = 0
    done: int = 0

    @property
    def to_come(self) -> int:
        """Homes that are planned now and have not completed."""
        return self.now - self.done


@dataclass(frozen=True, slots=True)
class Slip:
    """A site whose forecast completion has moved. Dates are partial; `was` is that of `then` or of the baseline."""

    plan_id: int
    plan: str
    site_key: str
    site: str
    was: str
    now: str
    homes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """Which homes are counted; empty: all. `in_agreement` says by what homes of a section 106 agreement are known."""

    areas: Sequence[str] = ()
    authorities: Sequence[str] = ()
    tenures: Sequence[str] = ()
    needs: Sequence[str] = ()
    bedrooms: int | None = None
    provider: str = ""
    confidence: str = ""
    partnerships: Sequence[int] = ()
    kind: str = ""
    year: str = ""
    in_agreement: Sequence[str] = ()


#: The ways of dividing the pipeline, with the columns of each.
DIVISIONS: Mapping[str, tuple[str, ...]] = {
    "all": (),
    "year": ("year",),
    "tenure": ("tenure",),
    "area": ("area_code", "authority"),
    "bedrooms": ("bedrooms",),
    "needs": ("needs",),
    "provider": ("provider",),
    "confidence": ("confidence",),
    "funding": ("has_grant", "is_in_agreement"),
}
#: Homes by the values of the columns of a division.
Divided: TypeAlias = dict[tuple[Any, ...], Count]
#: Sites whose forecast has moved are given up to this number, those with most homes first.
MAX_SLIPS = 100


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The homes that a reader may read, by each of the `DIVISIONS`, and the sites whose forecast has changed.

    The provider is the site's lead; of a site that names none, the plan's present owners.
    """

    by: Mapping[str, Divided]
    plans: int = 0
    sites: int = 0
    slips: Sequence[Slip] = ()

    @property
    def total(self) -> Count:
        """All homes."""
        return self.by["all"].get((), Count())


def pipeline_of(reader: Reader, narrowed: Narrowed, *, then: dt.datetime | None, now: dt.datetime) -> Pipeline:
    """The homes of the plans that the reader reads now: as at `now`, as at `then`, and by the baselines.

    Homes count of plans that are not superseded or closed at the moment. Of each version only what the reader may read
    in it: homes at confidential sites are read inside. Plans that a reader may read only as they were count nowhere.
    Forecasts are compared with those at `then`, or with the baselines.
    """
    rights, given = rights_of(reader)
    by: dict[str, Divided] = {name: {} for name in DIVISIONS}
    plans = sites = 0
    slips: list[Slip] = []
    statement, values = _STATEMENT.format(**rights), {**given, **_parameters(narrowed, then, now)}
    for part, found, *counts in add_up(statement, values):
        named = json.loads(found)
        if part == "counted":
            plans, sites = counts[:2]
        elif part == "slips":
            plan, title, key, site, was, forecast = named
            slips.append(
                Slip(plan_id=plan, plan=title, site_key=key, site=site, was=was, now=forecast, homes=counts[2])
            )
        else:
            by[part][tuple(named)] = Count(*counts)
    return Pipeline(by, plans, sites, slips)


#: Who reads which plans, and how: owners do not wait for the end of an embargo.
READS = """
WITH reads AS MATERIALIZED (
    SELECT plan.id AS plan_id, coalesce(plan.baseline_number, 1) AS baseline_number, plan.id IN ({owned}) AS is_owner,
        plan.id IN ({owned}) OR plan.id IN ({inside}) AS is_inside, plan.status <> ALL(%(over)s) AS is_live,
        plan.status <> ALL(%(over)s) OR plan.id = ANY(%(ended_later)s) AS was_live
    FROM plans_plan plan
    WHERE (plan.id IN ({present}) OR plan.id IN ({inside}) OR plan.id IN ({owned}))
        AND (cardinality(%(partnerships)s::bigint[]) = 0 OR plan.partnership_id = ANY(%(partnerships)s))
        AND (%(kind)s = '' OR plan.kind = %(kind)s)
)"""
#: The condition on lines of homes that the reader reads at a moment: owners from the publication on.
_READ_AT = """CASE WHEN is_owner
                THEN published_from <= %({0})s AND (published_until IS NULL OR published_until > %({0})s)
                ELSE open_from <= %({0})s AND (open_until IS NULL OR open_until > %({0})s) END"""
READ_NOW, _READ_THEN = _READ_AT.format("now"), _READ_AT.format("then")
#: What each line of homes is at the three moments. OFFSET 0 lets PostgreSQL work out each condition once a line.
_LINES = f"""
    SELECT states.*, CASE WHEN is_baseline THEN count ELSE 0 END AS baseline, CASE WHEN is_then THEN count ELSE 0 END
        AS was, CASE WHEN is_now THEN count ELSE 0 END AS today, CASE WHEN is_now AND is_done THEN count ELSE 0 END
        AS done, CASE WHEN provider = '' THEN plan_id END AS owned_plan
    FROM (
        SELECT homes.plan_id, homes.site_key, homes.forecast, homes.year, homes.tenure,
            homes.area_code, homes.authority, homes.bedrooms, homes.needs, homes.confidence, homes.provider,
            homes.has_grant, homes.count, homes.done_year <> '' AS is_done,
            homes.planning_reference <> '' AND (
                homes.planning_reference || '|' || homes.authority = ANY(%(in_agreement)s)
                OR homes.planning_reference || '|' || homes.area_code = ANY(%(in_agreement)s)
            ) AS is_in_agreement,
            is_live AND {READ_NOW} AS is_now, was_live AND {_READ_THEN} AS is_then,
            is_live AND from_number <= baseline_number AND (until_number IS NULL OR until_number > baseline_number)
                AND CASE WHEN is_owner THEN published_from ELSE open_from END <= %(now)s AS is_baseline
        FROM plans_plannedhomes homes JOIN reads ON reads.plan_id = homes.plan_id
        WHERE (is_inside OR NOT homes.confidential)
            AND (
                (cardinality(%(areas)s::text[]) = 0 AND cardinality(%(authorities)s::text[]) = 0)
                OR homes.area_code = ANY(%(areas)s) OR homes.authority = ANY(%(authorities)s)
            )
            AND (cardinality(%(tenures)s::text[]) = 0 OR homes.tenure = ANY(%(tenures)s))
            AND (cardinality(%(needs)s::text[]) = 0 OR homes.needs = ANY(%(needs)s))
            AND (%(bedrooms)s::int IS NULL OR homes.bedrooms = %(bedrooms)s)
            AND (%(confidence)s = '' OR homes.confidence = %(confidence)s)
            AND (%(provider)s = '' OR position(lower(%(provider)s) IN lower(homes.provider)) > 0)
            AND (%(year)s = '' OR homes.year = %(year)s)
        OFFSET 0
    ) states
    WHERE is_now OR is_then OR is_baseline"""  # noqa: S608 - constants
#: Lines are read once, and added up in three ways: the divisions, leads and owners, and sites are made from these.
_SUMS = f"""
, sums AS MATERIALIZED (
    SELECT grouping(tenure) = 0 AS is_part, grouping(provider) = 0 AS is_provider, plan_id, site_key, year, tenure,
        area_code, authority, bedrooms, needs, confidence, has_grant, is_in_agreement, provider, owned_plan,
        sum(baseline) AS baseline, sum(was) AS was, sum(today) AS today, sum(done) AS done, bool_or(is_now) AS is_now,
        max(forecast COLLATE "C") FILTER (WHERE is_now) AS forecast, max(forecast COLLATE "C")
        FILTER (WHERE CASE WHEN %(then)s::timestamptz IS NULL THEN is_baseline ELSE is_then END) AS before
    FROM ({_LINES}
    ) lines
    GROUP BY GROUPING SETS (
        (year, tenure, area_code, authority, bedrooms, needs, confidence, has_grant, is_in_agreement),
        (provider, owned_plan), (plan_id, site_key)
    )
), parts AS (SELECT * FROM sums WHERE is_part),
sites AS (SELECT * FROM sums WHERE NOT is_part AND NOT is_provider),
owners AS MATERIALIZED (
    SELECT plan_id, min(organisation_id) AS body, count(*) AS number FROM plans_planowner
    WHERE ended_at IS NULL AND plan_id IN (SELECT plan_id FROM reads) GROUP BY plan_id
), several AS (
    SELECT plan_id, string_agg(body.name, ' and ' ORDER BY body.name, owner.id) AS names
    FROM plans_planowner owner JOIN organisations_organisation body ON body.id = owner.organisation_id
    WHERE owner.ended_at IS NULL AND plan_id IN (SELECT plan_id FROM owners WHERE number > 1) GROUP BY plan_id
), providers AS (
    SELECT coalesce(several.names, body.name, provider) AS provider, baseline, was, today, done
    FROM sums LEFT JOIN owners ON owners.plan_id = owned_plan LEFT JOIN several ON several.plan_id = owned_plan
        LEFT JOIN organisations_organisation body ON body.id = owners.body
    WHERE is_provider
)
"""  # noqa: S608 - constants
_COUNTED = """
SELECT 'counted', '[]'::jsonb, count(*), coalesce(sum(number), 0)::bigint, 0, 0
FROM (SELECT count(*) AS number FROM sites WHERE is_now GROUP BY plan_id) plans
"""
_SLIPPED = f"""(
SELECT 'slips', jsonb_build_array(moved.plan_id, plan.title, moved.site_key, name, before, moved.forecast),
    0, 0, today, 0
FROM (
    SELECT * FROM sites WHERE before <> forecast ORDER BY today DESC, plan_id, site_key LIMIT {MAX_SLIPS}
) moved JOIN plans_plan plan ON plan.id = moved.plan_id JOIN reads ON reads.plan_id = moved.plan_id, LATERAL (
    SELECT max(site_name COLLATE "C") AS name FROM plans_plannedhomes homes
    WHERE homes.plan_id = moved.plan_id AND homes.site_key = moved.site_key AND {READ_NOW}
        AND (is_inside OR NOT confidential)
) named ORDER BY today DESC, moved.plan_id, moved.site_key
)"""  # noqa: S608 - constants


def _divided(name: str, columns: Sequence[str]) -> str:
    """The statement that adds up one division."""
    source = "providers" if name == "provider" else "parts"
    by = f"GROUP BY {', '.join(columns)}" if columns else "HAVING count(*) > 0"
    sums = ", ".join(f"sum({one})::bigint" for one in ("baseline", "was", "today", "done"))
    return f"SELECT '{name}', jsonb_build_array({', '.join(columns)}), {sums} FROM {source} {by}"  # noqa: S608 - constants


#: Psycopg fills in the values; of a request only Django's own conditions for rights are in this text.
_STATEMENT = READS + _SUMS + " UNION ALL ".join([*(_divided(*one) for one in DIVISIONS.items()), _COUNTED, _SLIPPED])


def rights_of(reader: Reader) -> tuple[dict[str, str], dict[str, Any]]:
    """SQL for the plans that the reader owns, reads whole, and whose next version they may read; and its values."""
    sql: dict[str, str] = {}
    params: dict[str, Any] = {}
    for name, plans in (
        ("owned", Plan.objects.owned_for(reader)),
        ("inside", Plan.objects.inside_for(reader)),
        ("present", Plan.objects.present_for(reader)),
    ):
        sql[name], values = subquery(name, plans.order_by().values("pk"), empty="SELECT 0")
        params |= values
    return sql, params


def _parameters(narrowed: Narrowed, then: dt.datetime | None, now: dt.datetime) -> dict[str, Any]:
    """The values of the pipeline's SQL, without those of the reader's rights."""
    return {
        **parameters_of(partnerships=narrowed.partnerships, kind=narrowed.kind, then=then, now=now),
        "areas": list(narrowed.areas),
        "authorities": list(narrowed.authorities),
        "tenures": list(narrowed.tenures),
        "needs": list(narrowed.needs),
        "bedrooms": narrowed.bedrooms,
        "provider": narrowed.provider,
        "confidence": narrowed.confidence,
        "year": narrowed.year,
        "in_agreement": list(narrowed.in_agreement),
    }


def parameters_of(
    *, partnerships: Sequence[int] = (), kind: str = "", then: dt.datetime | None = None, now: dt.datetime
) -> dict[str, Any]:
    """The values that say which plans are read at which moments."""
    return {
        "over": [str(code) for code in OVER],
        "ended_later": _ended_after(then) if then is not None else [],
        "then": then,
        "now": now,
        "partnerships": list(partnerships),
        "kind": kind,
    }


def _ended_after(moment: dt.datetime) -> list[int]:
    """The plans that are superseded or closed, and were neither at the moment."""
    over = [str(code) for code in OVER]
    plans = Plan.objects.filter(status__in=over).order_by().values("pk")
    ended = Event.objects.filter(kind=EventKind.STATUS_CHANGED, target_kind="plan", target_id__in=plans, at__gt=moment)
    return list(ended.filter(data__after__status__in=over).order_by().values_list("target_id", flat=True).distinct())
