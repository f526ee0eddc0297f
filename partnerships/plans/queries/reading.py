"""SQL for the plans that a reader may read in reports, and for the reader's rights in each plan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.activity.models import Event
from partnerships.kit.database import subquery
from partnerships.organisations.audience import Reader
from partnerships.plans.event_kinds import EventKind
from partnerships.plans.models import FINAL_STATUSES, Plan

#: The plans that a reader may read, with the reader's rights in each.
#:
#: `own` are the plans that the reader's organisations own, and `whole` the plans that the reader reads inside. `open`
#: are the plans that the reader may go on reading in their next version. `open` may be most of the table, so its rows
#: are read only once.
#:
#: An index finds the plans with homes in some areas. There is no such index for planning authorities. If an authority
#: is chosen too, plans are therefore not filtered by area here.
READS = """
WITH own(id) AS MATERIALIZED ({owned}),
whole(id) AS MATERIALIZED ({inside}),
open AS MATERIALIZED (
    SELECT * FROM ({present}) AS found(id, baseline_number, status, partnership_id, kind)
),
reads AS MATERIALIZED (
    SELECT
        plan.id AS plan_id,
        coalesce(plan.baseline_number, 1) AS baseline_number,
        plan.id IN (SELECT id FROM own) AS is_owner,
        plan.id IN (SELECT id FROM own) OR plan.id IN (SELECT id FROM whole) AS is_inside,
        plan.status <> ALL(%(over)s) AS is_live,
        plan.status <> ALL(%(over)s) OR plan.id = ANY(%(ended_later)s) AS was_live
    FROM (
        SELECT id, baseline_number, status, partnership_id, kind
        FROM open
        UNION ALL
        SELECT id, baseline_number, status, partnership_id, kind
        FROM plans_plan
        WHERE id IN (SELECT id FROM own UNION SELECT id FROM whole)
            AND id NOT IN (SELECT id FROM open)
    ) plan
    WHERE (cardinality(%(partnerships)s::bigint[]) = 0 OR plan.partnership_id = ANY(%(partnerships)s))
        AND (%(kind)s = '' OR plan.kind = %(kind)s)
        AND (
            cardinality(%(areas)s::text[]) = 0
            OR cardinality(%(authorities)s::text[]) > 0
            OR plan.id IN (SELECT plan_id FROM plans_plannedhomes WHERE area_code = ANY(%(areas)s))
        )
)"""
#: The condition that the reader may read a line of homes now. Owners may read it from the publication of its version,
#: everybody else from the end of the embargo.
READ_NOW = """CASE
                WHEN is_owner
                THEN published_from <= %(now)s AND (published_until IS NULL OR published_until > %(now)s)
                ELSE open_from <= %(now)s AND (open_until IS NULL OR open_until > %(now)s)
            END"""


def rights_sql(reader: Reader) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the three subqueries that `READS` needs, by name, and the values of their parameters."""
    no_plans = "SELECT NULL::bigint AS id WHERE FALSE"
    owned, owned_values = subquery(
        "owned", Plan.objects.owned_by_organisations_of(reader).order_by().values("pk"), empty=no_plans
    )
    inside, inside_values = subquery(
        "inside", Plan.objects.fully_readable_by(reader).order_by().values("pk"), empty=no_plans
    )
    present_plans = Plan.objects.published_today_for(reader).order_by()
    present, present_values = subquery(
        "present",
        present_plans.values("pk", "baseline_number", "status", "partnership_id", "kind"),
        empty="SELECT NULL::bigint AS id, NULL::int, NULL::text, NULL::bigint, NULL::text WHERE FALSE",
    )
    subqueries = {"owned": owned, "inside": inside, "present": present}
    return subqueries, owned_values | inside_values | present_values


def plan_parameters(
    *,
    areas: Sequence[str] = (),
    authorities: Sequence[str] = (),
    partnership_ids: Sequence[int] = (),
    kind: str = "",
    earlier: dt.datetime | None = None,
) -> dict[str, Any]:
    """Return the values of the parameters in `READS` that select plans.

    With `earlier`, plans that have ended since then are selected too.
    """
    return {
        "over": [str(code) for code in FINAL_STATUSES],
        "ended_later": _plan_ids_ended_after(earlier) if earlier is not None else [],
        "areas": list(areas),
        "authorities": list(authorities),
        "partnerships": list(partnership_ids),
        "kind": kind,
    }


def _plan_ids_ended_after(moment: dt.datetime) -> list[int]:
    """Return the ids of plans that are superseded or closed now, but were not at this moment."""
    over_codes = [str(code) for code in FINAL_STATUSES]
    plans = Plan.objects.filter(status__in=over_codes).order_by().values("pk")
    events = Event.objects.filter(kind=EventKind.STATUS_CHANGED, target_kind="plan", target_id__in=plans, at__gt=moment)
    return list(
        events.filter(data__after__status__in=over_codes).order_by().values_list("target_id", flat=True).distinct()
    )
