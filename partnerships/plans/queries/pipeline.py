"""Homes of plans over time, added up as far as a reader may read them."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from django.db import connection

from partnerships.activity.models import Event
from partnerships.organisations.audience import Reader
from partnerships.plans.event_kinds import EventKind
from partnerships.plans.models import OVER, Plan, PlanOwner

#: A plan as its reader reads it: owners do not wait for the end of an embargo.
_OWNER, _INSIDE, _OUTSIDE = "owner", "inside", "outside"


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
    "provider": ("provider", "owned_plan"),
    "confidence": ("confidence",),
    "funding": ("has_grant", "is_in_agreement"),
}
#: Homes by the values of the columns of a division.
Divided: TypeAlias = dict[tuple[Any, ...], Count]
#: Sites whose forecast has moved are given up to this number, those with most homes first.
MAX_SLIPS = 100


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The homes that a reader may read, by each of the `DIVISIONS`, and sites with another forecast than before."""

    by: Mapping[str, Divided]
    plans: int = 0
    sites: int = 0
    slips: Sequence[Slip] = ()
    #: The owners of plans with sites that name no lead, by plan.
    owners: Mapping[int, str] = field(default_factory=dict)

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
    given = _parameters(reader, narrowed, then, now)
    by: dict[str, Divided] = {name: {} for name in DIVISIONS}
    if not given["plans"]:
        return Pipeline(by)
    plans = sites = 0
    slips: list[Slip] = []
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENT, {**given, "max_slips": MAX_SLIPS})
        for part, values, *counts in cursor.fetchall():
            named = tuple(json.loads(values))
            if part == "counted":
                plans, sites = counts[:2]
            elif part == "slips":
                plan, title, key, site, was, forecast = named
                slips.append(Slip(plan, title, key, site, was, forecast, homes=counts[2]))
            else:
                by[part][named] = Count(*counts)
    return Pipeline(by, plans, sites, slips, _owners(plan for _, plan in by["provider"] if plan))


#: What each line of homes is at the three moments, once. Most ways of dividing need only the few sums in `parts`.
#: Psycopg fills in the values; nothing of a request is in this text.
_LINES = """
WITH lines AS MATERIALIZED (
    SELECT states.*, CASE WHEN provider = '' THEN plan_id END AS owned_plan,
        CASE WHEN is_baseline THEN count ELSE 0 END AS baseline, CASE WHEN is_then THEN count ELSE 0 END AS was,
        CASE WHEN is_now THEN count ELSE 0 END AS today, CASE WHEN is_now AND is_done THEN count ELSE 0 END AS done
    FROM (
        SELECT homes.plan_id, homes.site_key, homes.site_name, homes.forecast, homes.year, homes.tenure,
            homes.area_code, homes.authority, homes.bedrooms, homes.needs, homes.confidence, homes.provider,
            homes.has_grant, homes.count, homes.done_year <> '' AS is_done,
            homes.planning_reference <> '' AND (
                homes.planning_reference || '|' || homes.authority = ANY(%(in_agreement)s)
                OR homes.planning_reference || '|' || homes.area_code = ANY(%(in_agreement)s)
            ) AS is_in_agreement,
            reads.is_live AND moments.since <= %(now)s AND (moments.until IS NULL OR moments.until > %(now)s) AS is_now,
            reads.was_live AND moments.since <= %(then)s AND (moments.until IS NULL OR moments.until > %(then)s)
                AS is_then,
            reads.is_live AND moments.since <= %(now)s AND homes.from_number <= coalesce(plan.baseline_number, 1)
                AND (homes.until_number IS NULL OR homes.until_number > coalesce(plan.baseline_number, 1))
                AS is_baseline
        FROM plans_plannedhomes homes
        JOIN unnest(%(plans)s::bigint[], %(classes)s::text[], %(live)s::boolean[], %(was_live)s::boolean[])
            AS reads(plan_id, class, is_live, was_live) ON reads.plan_id = homes.plan_id
        JOIN plans_plan plan ON plan.id = homes.plan_id
        CROSS JOIN LATERAL (
            SELECT CASE WHEN reads.class = 'owner' THEN homes.published_from ELSE homes.open_from END AS since,
                CASE WHEN reads.class = 'owner' THEN homes.published_until ELSE homes.open_until END AS until
        ) moments
        WHERE (reads.class <> 'outside' OR NOT homes.confidential)
            AND (
                (%(areas)s = '{}'::text[] AND %(authorities)s = '{}'::text[])
                OR homes.area_code = ANY(%(areas)s) OR homes.authority = ANY(%(authorities)s)
            )
            AND (%(tenures)s = '{}'::text[] OR homes.tenure = ANY(%(tenures)s))
            AND (%(needs)s = '{}'::text[] OR homes.needs = ANY(%(needs)s))
            AND (%(bedrooms)s::int IS NULL OR homes.bedrooms = %(bedrooms)s)
            AND (%(confidence)s = '' OR homes.confidence = %(confidence)s)
            AND (%(provider)s = '' OR position(lower(%(provider)s) IN lower(homes.provider)) > 0)
            AND (%(partnerships)s::bigint[] = '{}' OR plan.partnership_id = ANY(%(partnerships)s))
            AND (%(kind)s = '' OR plan.kind = %(kind)s)
            AND (%(year)s = '' OR homes.year = %(year)s)
    ) states
    WHERE is_now OR is_then OR is_baseline
), parts AS MATERIALIZED (
    SELECT year, tenure, area_code, authority, bedrooms, needs, confidence, has_grant, is_in_agreement,
        sum(baseline) AS baseline, sum(was) AS was, sum(today) AS today, sum(done) AS done
    FROM lines GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
), sites AS MATERIALIZED (
    SELECT plan_id, site_key, max(site_name) FILTER (WHERE is_now) AS name, sum(today) AS today,
        bool_or(is_now) AS is_now,
        max(forecast) FILTER (WHERE is_now) AS forecast,
        max(forecast) FILTER (WHERE CASE WHEN %(then)s::timestamptz IS NULL THEN is_baseline ELSE is_then END) AS before
    FROM lines GROUP BY 1, 2
)
"""
_COUNTED = """
SELECT 'counted', '[]'::jsonb, count(DISTINCT plan_id), count(*), 0, 0 FROM sites WHERE is_now
"""
_SLIPPED = """(
SELECT 'slips', jsonb_build_array(sites.plan_id, plan.title, site_key, name, before, forecast), 0, 0, today, 0
FROM sites JOIN plans_plan plan ON plan.id = sites.plan_id WHERE before <> forecast
ORDER BY today DESC, sites.plan_id, site_key LIMIT %(max_slips)s
)"""


def _divided(name: str, columns: Sequence[str]) -> str:
    """The statement that adds up one division."""
    source = "lines" if name == "provider" else "parts"
    by = f"GROUP BY {', '.join(columns)}" if columns else "HAVING count(*) > 0"
    sums = ", ".join(f"sum({one})::bigint" for one in ("baseline", "was", "today", "done"))
    return f"SELECT '{name}', jsonb_build_array({', '.join(columns)}), {sums} FROM {source} {by}"  # noqa: S608 - constants


_STATEMENT = _LINES + " UNION ALL ".join([*(_divided(*one) for one in DIVISIONS.items()), _COUNTED, _SLIPPED])


def _parameters(reader: Reader, narrowed: Narrowed, then: dt.datetime | None, now: dt.datetime) -> dict[str, Any]:
    """The values of the pipeline's SQL: readable plans, with who counts as live then and now."""
    plans, classes = _readable(reader)
    over = set(Plan.objects.filter(pk__in=plans, status__in=OVER).values_list("pk", flat=True))
    ended_later = _ended_after(over, then) if then is not None else set()
    return {
        "plans": plans,
        "classes": classes,
        "live": [plan not in over for plan in plans],
        "was_live": [plan not in over or plan in ended_later for plan in plans],
        "then": then,
        "now": now,
        "areas": list(narrowed.areas),
        "authorities": list(narrowed.authorities),
        "tenures": list(narrowed.tenures),
        "needs": list(narrowed.needs),
        "bedrooms": narrowed.bedrooms,
        "provider": narrowed.provider,
        "confidence": narrowed.confidence,
        "partnerships": list(narrowed.partnerships),
        "kind": narrowed.kind,
        "year": narrowed.year,
        "in_agreement": list(narrowed.in_agreement),
    }


def _readable(reader: Reader) -> tuple[list[int], list[str]]:
    """The plans whose next version the reader may read, and how they read each."""
    owned, inside = Plan.objects.owned_for(reader), Plan.objects.inside_for(reader)
    found = dict.fromkeys(Plan.objects.present_for(reader).values_list("pk", flat=True), _OUTSIDE)
    found |= dict.fromkeys(inside.values_list("pk", flat=True), _INSIDE)
    found |= dict.fromkeys(owned.values_list("pk", flat=True), _OWNER)
    return list(found), list(found.values())


def _ended_after(plans: Iterable[int], moment: dt.datetime) -> set[int]:
    """Those of these superseded or closed plans that were neither at the moment."""
    ended = Event.objects.filter(kind=EventKind.STATUS_CHANGED, target_kind="plan", target_id__in=plans, at__gt=moment)
    return set(ended.filter(data__after__status__in=[str(one) for one in OVER]).values_list("target_id", flat=True))


def _owners(plans: Iterable[int]) -> dict[int, str]:
    """The present owners of each plan, by name."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    rows = PlanOwner.objects.filter(plan__in=list(plans)).order_by("organisation__name", "pk")
    for plan, name in rows.values_list("plan", "organisation__name"):
        found[plan].append(name)
    return {plan: " and ".join(names) for plan, names in found.items()}
