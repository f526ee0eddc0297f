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

#: Who reads which plans, and how: owners do not wait for the end of an embargo. What the audience reads is most of the
#: table and listed once. An index finds plans with homes in some areas; planning authorities have none.
READS = """
WITH own(id) AS MATERIALIZED ({owned}), whole(id) AS MATERIALIZED ({inside}), open AS MATERIALIZED (
    SELECT * FROM ({present}) AS found(id, baseline_number, status, partnership_id, kind)
), reads AS MATERIALIZED (
    SELECT plan.id AS plan_id, coalesce(plan.baseline_number, 1) AS baseline_number,
        plan.id IN (SELECT id FROM own) AS is_owner,
        plan.id IN (SELECT id FROM own) OR plan.id IN (SELECT id FROM whole) AS is_inside,
        plan.status <> ALL(%(over)s) AS is_live,
        plan.status <> ALL(%(over)s) OR plan.id = ANY(%(ended_later)s) AS was_live
    FROM (
        SELECT id, baseline_number, status, partnership_id, kind FROM open
        UNION ALL SELECT id, baseline_number, status, partnership_id, kind FROM plans_plan
        WHERE id IN (SELECT id FROM own UNION SELECT id FROM whole) AND id NOT IN (SELECT id FROM open)
    ) plan
    WHERE (cardinality(%(partnerships)s::bigint[]) = 0 OR plan.partnership_id = ANY(%(partnerships)s))
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
    """SQL for the plans that the reader owns, reads whole, and whose next version they may read; and its values.

    The last ones come with the columns that `READS` needs.
    """
    sql: dict[str, str] = {}
    params: dict[str, Any] = {}
    for name, plans, columns in (
        ("owned", Plan.objects.owned_for(reader), ()),
        ("inside", Plan.objects.inside_for(reader), ()),
        ("present", Plan.objects.present_for(reader), ("baseline_number", "status", "partnership_id", "kind")),
    ):
        empty = "SELECT NULL::bigint AS id" + ", NULL::int, NULL::text, NULL::bigint, NULL::text" * bool(columns)
        rows = plans.order_by().values("pk", *columns)
        sql[name], values = subquery(name, rows, empty=f"{empty} WHERE FALSE")
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
