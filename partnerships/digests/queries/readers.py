"""Work out which followers may read which plan, and up to which version, for many followers together.

The rights are described in docs/rights.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from partnerships.digests.models import Subscription, Watermark
from partnerships.kit.database import rows_of, rows_planned_once
from partnerships.organisations.audience import Network, Organisations
from partnerships.organisations.holdings import rows_once_a_page
from partnerships.organisations.models import Membership
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User
from partnerships.plans.models import Audience, Plan, Version, present_routes, routes_once_open

INSIDE, OUTSIDE = Watermark.Reading.INSIDE, Watermark.Reading.OUTSIDE


@dataclass(frozen=True, slots=True)
class PlanReach:
    """The organisations that may read some plans, as lists of ids that SQL can join.

    * `inside_plans` and `inside_organisations` are pairs by position: people of the organisation may read everything in
      the plan.
    * `network` are the plans that every organisation of the network may read. `public` are the public ones among them.
    """

    plans: list[int]
    inside_plans: list[int]
    inside_organisations: list[int]
    network: list[int]
    public: list[int]


def reach_of(plan_ids: Collection[int], now: dt.datetime, *, once_open: bool = False) -> PlanReach:
    """Return which organisations may read these plans now; former parties may read no new versions.

    With `once_open`, drafts and versions under embargo count as open. Equal calls of a page are answered by one query.
    """
    ids = sorted(plan_ids)
    if not ids:
        return PlanReach(plans=[], inside_plans=[], inside_organisations=[], network=[], public=[])

    sql, compiled_values = _reach_sql(once_open)
    values_by_placeholder = {_PLAN: ids, _NOW: now}
    values = [values_by_placeholder.get(value, value) for value in compiled_values]
    inside_pairs: set[tuple[int, int]] = set()
    network_ids: set[int] = set()
    public_ids: set[int] = set()
    key = reach_of, tuple(ids), now, once_open
    for access, plan_id, organisation_id in rows_once_a_page(key, lambda: rows_planned_once(sql, values)):
        if access == _INSIDE:
            inside_pairs.add((plan_id, organisation_id))
        elif access == _NETWORK:
            network_ids.add(plan_id)
        else:
            public_ids.add(plan_id)
    return PlanReach(
        plans=ids,
        inside_plans=[plan_id for plan_id, _organisation_id in sorted(inside_pairs)],
        inside_organisations=[organisation_id for _plan_id, organisation_id in sorted(inside_pairs)],
        network=sorted(network_ids),
        public=sorted(public_ids),
    )


#: Placeholders for the plans and the time. Django compiles the SQL only once, because that takes longer than running
#: it.
_PLAN, _NOW = -9_007_199_254_740_991, dt.datetime(1, 1, 2, tzinfo=dt.UTC)
#: The kinds of access in the first column of the SQL from `_reach_sql`.
_INSIDE, _NETWORK, _PUBLIC = 1, 2, 3


@lru_cache(maxsize=2)
def _reach_sql(once_open: bool) -> tuple[str, tuple[Any, ...]]:
    """Return one statement for all routes by which plans may be read, and its values, among them placeholders.

    Its columns are the kind of access, the plan and the organisation. For the network and the public, the third column
    repeats the plan.
    """
    plans = Plan.objects.filter(pk=_PLAN).order_by()
    queries: list[tuple[int, QuerySet[Plan, Any]]] = []
    for route in routes_once_open() if once_open else present_routes(_NOW):
        if isinstance(route, Organisations):
            readable_plans = plans.filter(route.when, **{f"{route.path}__isnull": False})
            queries.append((_INSIDE, readable_plans.values_list("pk", route.path)))
        elif isinstance(route, Network):
            open_plans = plans.filter(route.when)
            queries.append((_NETWORK, open_plans.values_list("pk", "pk")))
            queries.append((_PUBLIC, open_plans.filter(audience=Audience.PUBLIC).values_list("pk", "pk")))

    parts: list[str] = []
    values: list[Any] = []
    for access, query in queries:
        query_sql, query_values = query.query.sql_with_params()
        parts.append(f"SELECT {access}, * FROM ({query_sql}) reached")  # noqa: S608 - Django's own SQL
        values += query_values
    return _for_several_plans(" UNION ALL ".join(parts), values), tuple(values)


def _for_several_plans(sql: str, values: Sequence[Any]) -> str:
    """Return SQL about one plan, changed so that it takes a list of plans instead."""
    # The statement has a "%s" for each value, so the texts between them are one more than the values.
    changed_sql, *texts_after_values = sql.split("%s")
    for value, text in zip(values, texts_after_values, strict=True):
        placeholder = "ANY(%s)" if value == _PLAN else "%s"
        changed_sql += f"{placeholder}{text}"
    return changed_sql


#: The followers who may read these plans now: (person_id, plan_id, reading), with reading 1 for inside, 2 for outside.
#: Stakeholders may read public plans, and plans that the organisation that added them may read, both without
#: confidential content.
_READERS = """
following AS MATERIALIZED (
    SELECT person_id, plan_id, how, added_for_id FROM {followed}
     WHERE plan_id = ANY(%(plans)s) {people}
),
inside_route(plan_id, organisation_id) AS (
    SELECT * FROM unnest(%(inside_plans)s::bigint[], %(inside_organisations)s::bigint[])
),
acting AS ({acting}),
readers AS (
    SELECT person_id, plan_id, min(reading) AS reading FROM (
        SELECT f.person_id, f.plan_id, 2 AS reading
          FROM following f
          JOIN people_user u ON u.id = f.person_id AND u.is_active AND u.account_since IS NULL
          LEFT JOIN inside_route r ON r.plan_id = f.plan_id AND r.organisation_id = f.added_for_id
         WHERE r.plan_id IS NOT NULL
            OR f.plan_id = ANY(%(public)s)
            OR (f.added_for_id IS NOT NULL AND f.plan_id = ANY(%(network)s))
        UNION ALL
        SELECT f.person_id, f.plan_id, 1
          FROM following f
          JOIN people_user u ON u.id = f.person_id AND u.is_active AND u.account_since IS NOT NULL
          JOIN inside_route r ON r.plan_id = f.plan_id
          JOIN acting a ON a.organisation_id = r.organisation_id AND a.person_id = f.person_id
        UNION ALL
        SELECT f.person_id, f.plan_id, 2
          FROM following f
          JOIN people_user u ON u.id = f.person_id AND u.is_active AND u.account_since IS NOT NULL
         WHERE f.plan_id = ANY(%(network)s)
    ) every_way
    GROUP BY person_id, plan_id
)
"""


def readers_sql(
    reach: PlanReach, person_ids: Sequence[int] | None = None, *, even_paused: bool = False
) -> tuple[str, dict[str, Any]]:
    """Return common table expressions, the last named `readers`, and their parameters.

    With `person_ids`, only these followers are readers. People who have paused are left out, unless `even_paused` is
    set.
    """
    acting_sql, params = _acting(timezone.localdate())
    sql = _READERS.format(
        followed="digests_standing" if even_paused else "digests_following",
        people="AND person_id = ANY(%(people)s)" if person_ids is not None else "",
        acting=acting_sql,
    )
    return sql, {
        **params,
        "plans": reach.plans,
        "inside_plans": reach.inside_plans,
        "inside_organisations": reach.inside_organisations,
        "network": reach.network,
        "public": reach.public,
        "people": list(person_ids or ()),
    }


@lru_cache(maxsize=2)
def _acting(today: dt.date) -> tuple[str, dict[str, Any]]:
    """Return SQL for the organisations that people act for, and its parameters by name."""
    memberships = Membership.objects.current(today).values("person_id", "organisation_id").order_by()
    sql, values = memberships.query.sql_with_params()
    # Django's query has positional parameters, but the statement around it has named ones.
    params = {f"acting_{index}": value for index, value in enumerate(values)}
    return sql % tuple(f"%({name})s" for name in params), params


def reading_classes(
    plan_ids: Collection[int],
    *,
    now: dt.datetime,
    person_ids: Sequence[int] | None = None,
    once_open: bool = False,
    even_paused: bool = False,
) -> dict[tuple[int, int], str]:
    """Return how much followers may read now, "inside" or "outside", by the ids of the person and the plan.

    Followers who may read nothing are missing. With `once_open`, drafts and versions under embargo count as open. With
    `even_paused`, people who have paused are included: use this only for what they received before. Equal calls of a
    page are answered by one query.
    """
    if not plan_ids or (person_ids is not None and not person_ids):
        return {}

    def read_classes() -> Iterable[tuple[tuple[int, int], str]]:
        reach = reach_of(plan_ids, now, once_open=once_open)
        return readers_within(reach, person_ids, even_paused=even_paused).items()

    key = (
        reading_classes,
        frozenset(plan_ids),
        None if person_ids is None else tuple(person_ids),
        now,
        once_open,
        even_paused,
    )
    return dict(rows_once_a_page(key, read_classes))


def readers_within(
    reach: PlanReach, person_ids: Sequence[int] | None, *, even_paused: bool = False
) -> dict[tuple[int, int], str]:
    """Return the same as `reading_classes`, for plans whose reach is already known."""
    if not reach.plans or (person_ids is not None and not person_ids):
        return {}
    sql, params = readers_sql(reach, person_ids, even_paused=even_paused)
    statement = f"WITH {sql} SELECT person_id, plan_id, reading FROM readers"  # noqa: S608 - our own constants
    rows = rows_planned_once(statement, params, generic_plan=person_ids is not None)
    return {(person, plan): INSIDE if reading == 1 else OUTSIDE for person, plan, reading in rows}


#: Selects the emails that say more about a plan than their reader may read now. NOT IN makes PostgreSQL look up each
#: reader in memory; a join would compare every email with every reader.
_LOST_ACCESS = """
SELECT included.email_id
  FROM unnest(%(emails)s::bigint[], %(readers)s::bigint[], %(included_plans)s::bigint[], %(inside)s::bool[])
       AS included(email_id, person_id, plan_id, inside)
 WHERE (included.person_id, included.plan_id) NOT IN (SELECT r.person_id, r.plan_id FROM readers r)
    OR included.inside AND (included.person_id, included.plan_id) NOT IN (
       SELECT r.person_id, r.plan_id FROM readers r WHERE r.reading = 1)
"""


class ReportedPlan(NamedTuple):
    """A plan that an email reports to its reader, with the reading class (`Watermark.Reading`) of the text."""

    email_id: int
    person_id: int
    plan_id: int
    reading_class: str


def lost_access(reported_plans: Sequence[ReportedPlan], *, now: dt.datetime) -> set[int]:
    """Return the ids of the emails that say more about a plan than their reader may read now."""
    if not reported_plans:
        return set()
    # SQL takes the rows as four lists of the same length.
    person_ids = [reported.person_id for reported in reported_plans]
    plan_ids = [reported.plan_id for reported in reported_plans]
    sql, params = readers_sql(reach_of(set(plan_ids), now), sorted(set(person_ids)))
    params |= {
        "emails": [reported.email_id for reported in reported_plans],
        "readers": person_ids,
        "included_plans": plan_ids,
        "inside": [reported.reading_class == INSIDE for reported in reported_plans],
    }
    rows = rows_planned_once(f"WITH {sql} {_LOST_ACCESS}", params, generic_plan=True)
    return {email_id for (email_id,) in rows}


def reading_class_of(person: User, plan: Plan, now: dt.datetime) -> str:
    """Return the class in which a person with an account reads a plan (`Watermark.Reading`).

    The caller has checked that the person may read the plan.
    """
    reach = reach_of([plan.pk], now)
    own_memberships = Membership.objects.current().filter(person=person, organisation__in=reach.inside_organisations)
    return INSIDE if own_memberships.exists() else OUTSIDE


#: Selects the sites and milestones that people follow, without people who also follow the whole plan (`key` is "").
_PIECES = """
SELECT person_id, plan_id, array_agg(DISTINCT key ORDER BY key)
  FROM digests_following
 WHERE person_id = ANY(%(people)s) AND plan_id = ANY(%(plans)s)
 GROUP BY person_id, plan_id HAVING bool_and(key <> '')
"""


def pieces_followed(person_ids: Collection[int], plan_ids: Collection[int]) -> dict[tuple[int, int], tuple[str, ...]]:
    """Return the keys of the sites and milestones that people follow, by person and plan.

    People who follow the whole plan are missing.
    """
    if not rows_for(_piece_subscription, sorted(set(plan_ids))):
        return {}
    rows = rows_of(_PIECES, {"people": list(person_ids), "plans": list(plan_ids)})
    return {(person, plan): tuple(keys) for person, plan, keys in rows}


def pieces_lookup(plan_ids: Collection[int]) -> Lookup:
    """Return the lookup with which `pieces_followed` begins, for `read_ahead`."""
    return lookup(_piece_subscription, sorted(set(plan_ids)))


def _piece_subscription(plan_ids: list[int]) -> QuerySet[Subscription, int]:
    """Return the id of one subscription to a site or milestone of these plans, or nothing."""
    return Subscription.objects.filter(~Q(key=""), plan__in=plan_ids).values_list("pk", flat=True)[:1]


def newest_numbers(plan_ids: Collection[int], now: dt.datetime) -> dict[int, tuple[int, int]]:
    """Return the newest version of each plan that its owners may read, and the newest that others may read.

    Owners may read a version under embargo, others only versions without one. A number is 0 if there is no such
    version.
    """
    if not plan_ids:
        return {}
    statement = "SELECT id, current_number, embargoed_until FROM plans_plan WHERE id = ANY(%s)"
    numbers_by_plan: dict[int, tuple[int, int]] = {}
    embargoed_ids: list[int] = []
    for pk, number, embargo_ends_at in rows_planned_once(statement, [sorted(plan_ids)], generic_plan=True):
        is_embargoed = bool(embargo_ends_at) and embargo_ends_at > now
        numbers_by_plan[pk] = (number, 0 if is_embargoed else number)
        if is_embargoed and number:
            embargoed_ids.append(pk)
    if embargoed_ids:
        is_open = Q(embargo_until=None) | Q(embargo_until__lte=now)
        open_versions = Version.objects.filter(is_open, plan__in=embargoed_ids)
        open_numbers = open_versions.values("plan").annotate(number=Max("number"))
        for plan_id, open_number in open_numbers.values_list("plan", "number"):
            numbers_by_plan[plan_id] = (numbers_by_plan[plan_id][0], open_number)
    return numbers_by_plan


def owners_among(person_ids: Collection[int], plan_ids: Collection[int]) -> set[tuple[int, int]]:
    """Return the pairs (person id, plan id) in which the person acts for an owner of the plan.

    Equal calls of a page are answered by one query.
    """
    memberships = Membership.objects.current().filter(
        person__in=person_ids,
        organisation__plan_owners__plan__in=plan_ids,
        organisation__plan_owners__ended_at=None,
    )
    pairs = memberships.values_list("person_id", "organisation__plan_owners__plan_id")
    return set(rows_once_a_page((owners_among, frozenset(person_ids), frozenset(plan_ids)), lambda: pairs))
