"""Which plans a reader reads in reports, and how, as SQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.activity.models import Event
from partnerships.kit.database import subquery
from partnerships.organisations.audience import Reader
from partnerships.plans.event_kinds import EventKind
from partnerships.plans.models import OVER, Plan

#: Who reads which plans, and how: owners do not wait for the end of an embargo. An index finds plans with homes in some
#: areas; planning authorities have none.
READS = """
WITH reads AS MATERIALIZED (
    SELECT plan.id AS plan_id, coalesce(plan.baseline_number, 1) AS baseline_number, plan.id IN ({owned}) AS is_owner,
        plan.id IN ({owned}) OR plan.id IN ({inside}) AS is_inside, plan.status <> ALL(%(over)s) AS is_live,
        plan.status <> ALL(%(over)s) OR plan.id = ANY(%(ended_later)s) AS was_live
    FROM plans_plan plan
    WHERE (plan.id IN ({present}) OR plan.id IN ({inside}) OR plan.id IN ({owned}))
        AND (cardinality(%(partnerships)s::bigint[]) = 0 OR plan.partnership_id = ANY(%(partnerships)s))
        AND (%(kind)s = '' OR plan.kind = %(kind)s)
        AND (
            cardinality(%(areas)s::text[]) = 0 OR cardinality(%(authorities)s::text[]) > 0
            OR plan.id IN (SELECT plan_id FROM plans_plannedhomes WHERE area_code = ANY(%(areas)s))
        )
)"""
#: The condition on lines of homes that the reader reads now: owners from the publication on.
READ_NOW = """CASE WHEN is_owner
                THEN published_from <= %(now)s AND (published_until IS NULL OR published_until > %(now)s)
                ELSE open_from <= %(now)s AND (open_until IS NULL OR open_until > %(now)s) END"""


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


def parameters_of(
    *,
    areas: Sequence[str] = (),
    authorities: Sequence[str] = (),
    partnerships: Sequence[int] = (),
    kind: str = "",
    then: dt.datetime | None = None,
) -> dict[str, Any]:
    """The values that say which plans are read."""
    return {
        "over": [str(code) for code in OVER],
        "ended_later": _ended_after(then) if then is not None else [],
        "areas": list(areas),
        "authorities": list(authorities),
        "partnerships": list(partnerships),
        "kind": kind,
    }


def _ended_after(moment: dt.datetime) -> list[int]:
    """The plans that are superseded or closed, and were neither at the moment."""
    over = [str(code) for code in OVER]
    plans = Plan.objects.filter(status__in=over).order_by().values("pk")
    ended = Event.objects.filter(kind=EventKind.STATUS_CHANGED, target_kind="plan", target_id__in=plans, at__gt=moment)
    return list(ended.filter(data__after__status__in=over).order_by().values_list("target_id", flat=True).distinct())
