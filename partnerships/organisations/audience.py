"""Audience rules: each room declares once who may read its records.

A room declares, for a model, the routes by which a record reaches people. From the same routes come

* `visible_to`: the records that one person may see; every queryset's `visible_to` is built on this;
* `readers_of`: the people who may see one record, for example to choose recipients;
* `reaches`: a condition for SQL over pairs of person and record.

A `Reach` is a queryset of records with routes of its own. It selects the records that reach one person and, for many
people at once, the people who are reached.

The rules are in docs/rights.md.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from operator import and_, or_
from typing import Any, TypeAlias

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet, Value
from django.utils import timezone

from partnerships.kit.compiled import Slot, compiled
from partnerships.organisations.holdings import Ids, OneByOne, among, is_one_by_one, is_remembering, records_held
from partnerships.organisations.models import EDITING_ROLES, Membership
from partnerships.organisations.routes import (
    JoiningRows,
    Network,
    Organisations,
    People,
    Route,
    SplitRoute,
    among_records,
    route_key,
    split_route,
    without_moments,
)
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User

__all__ = [
    "EDITORS",
    "EVERYTHING",
    "NOTHING",
    "Crowd",
    "Everybody",
    "Network",
    "Organisations",
    "People",
    "Reach",
    "Reader",
    "Route",
    "reach_lookup",
    "reached",
    "reaches",
    "readers_of",
    "sorted_by_reach",
    "visible_to",
]

#: No record.
NOTHING = Q(pk__in=[])
#: Every record. An empty condition will not do: Django drops it beside others, even beside `NOTHING`.
EVERYTHING = ~NOTHING
#: Reaches the editors and leads of the organisation that a record names.
EDITORS = (Organisations("organisation", roles=EDITING_ROLES),)


class Everybody(AnonymousUser):
    """All people of some organisations as one reader, for pages made once for many, for example a frozen report.

    May read what each of these people may read, whatever their role. Rules about a single person never include it.
    """

    def __init__(self, organisations: Iterable[int]) -> None:
        super().__init__()
        self.organisations = tuple(sorted(set(organisations)))


#: The person for whom a query selects records.
Reader: TypeAlias = User | AnonymousUser


def _memberships(route: Organisations) -> QuerySet[Membership]:
    current = Membership.objects.current()
    return current.filter(role__in=route.roles) if route.roles else current


def visible_to(model: type[Model], routes: Iterable[Route], user: User | AnonymousUser) -> Q:
    """Return the condition that a record of the model is visible to this person.

    Anonymous users see nothing; `Everybody` sees what all its people may see. While a page is made, the SQL that was
    composed for an earlier reader is used again. PostgreSQL first lists everything the person may see. Where other
    conditions leave only a few records, it is faster to check each of them: compose such a query within `one_by_one`.
    """
    if isinstance(user, Everybody):
        return _visible_to_all(model, routes, user.organisations)
    if not (isinstance(user, User) and user.is_active):
        return NOTHING
    own_routes = [route for route in routes if not (isinstance(route, Network) and user.is_stakeholder)]
    condition = _stored_condition(model, own_routes, user) if is_remembering() else None
    if condition is None:
        split_routes = [split_route(model, route) for route in own_routes]
        condition = _reached_by_any(
            model, [(split, ids) for split in split_routes if [] not in (ids := _ids_on_route(split, user))]
        )
    return condition


def _visible_to_all(model: type[Model], routes: Iterable[Route], organisations: Sequence[int]) -> Q:
    """Return the condition that all people of each of these organisations may see a record, whatever their role."""
    shared = [
        route
        for route in routes
        if isinstance(route, Network) or (isinstance(route, Organisations) and not route.roles)
    ]
    split_routes = [split_route(model, route) for route in shared]
    rows = model._default_manager.order_by()
    each: list[Q] = []
    for pk in organisations:
        visible = _reached_by_any(
            model, [(split, [] if isinstance(split.route, Network) else [[pk]]) for split in split_routes]
        )
        each.append(Q(pk__in=rows.filter(visible).values("pk")))
    return reduce(and_, each) if each else NOTHING


def _stored_condition(model: type[Model], routes: Sequence[Route], user: User) -> Q | None:
    """Return the condition with SQL that is stored for all readers; None if the SQL cannot be stored.

    The SQL depends on how many lists of ids each route has for this reader, which is the `shape`.
    """
    values: list[Any] = []
    cache_key = (model, is_one_by_one(), tuple(route_key(route, values) for route in routes))
    split_routes = _split_routes.get(cache_key)
    if split_routes is None:
        if len(_split_routes) >= _MAX_SPLIT_ROUTES:
            _split_routes.clear()
        split_routes = _split_routes[cache_key] = [split_route(model, route) for route in without_moments(routes)]
    shape, routes_sql = [], []
    for split in split_routes:
        ids = _ids_on_route(split, user)
        if [] in ids:
            shape.append(0)
            continue
        shape.append(len(ids))
        routes_sql.append((split, [Slot(len(values) + place) for place in range(len(ids))]))
        values += ids
    return (
        compiled((cache_key, tuple(shape)), model, lambda: _reached_by_any(model, routes_sql), values)
        if routes_sql
        else NOTHING
    )


#: Split routes, by model and key of the routes.
_split_routes: dict[Hashable, list[SplitRoute]] = {}
_MAX_SPLIT_ROUTES = 1_000


def _reached_by_any(model: type[Model], split_routes: Sequence[tuple[SplitRoute, Sequence[Any]]]) -> Q:
    """Return the condition that a record is reached by one of these routes with these ids."""
    if (
        len(split_routes) > 1
        and not is_one_by_one()
        and not any(isinstance(split.route, Network) for split, _ in split_routes)
    ):
        # The person sees a small part of the table: each branch of a union uses its own index, an OR none.
        first, *others = [_ids_reached(model, split, *ids) for split, ids in split_routes]
        return Q(pk__in=first.union(*others, all=True))
    # PostgreSQL checks in this order: columns of the record before rows of other tables.
    cheapest_first = sorted(split_routes, key=lambda split: split[0].joining is not None and len(split[1]) < 2)
    return reduce(or_, [_reached_by(model, split, *ids) for split, ids in cheapest_first], NOTHING)


def _ids_reached(
    model: type[Model], split: SplitRoute, own_ids: Ids | None = None, ids: Ids | None = None
) -> QuerySet[Any, Any]:
    """Return a query of the ids of the records that one route reaches."""
    joining = split.joining
    if (
        joining is None
        or own_ids is None
        or ids is not None
        or split.is_mixed
        or split.record_condition
        or joining.column != "pk"
    ):
        return model._default_manager.order_by().filter(_reached_by(model, split, own_ids, ids)).values("pk")
    return _joining_rows(split, joining, own_ids).order_by().values(joining.key)


def _joining_rows(split: SplitRoute, joining: JoiningRows, own_ids: Ids) -> QuerySet[Any]:
    """Return the joining rows of a route that belong to these organisations."""
    return joining.model._base_manager.filter(split.rows_condition & among("organisation", own_ids))


def _ids_on_route(split: SplitRoute, user: User) -> list[Ids]:
    """Return the ids at the person's end of a route, as lists of ids.

    They are the person's own id, or the ids of their organisations and, where an organisation has few joining rows,
    also the ids that these rows refer to. If one of the lists is empty, the route reaches no record.
    """
    route = split.route
    if isinstance(route, Network):
        return []
    if isinstance(route, People):
        return [[user.pk]]
    own_organisations = Membership.objects.organisations_of(user, *route.roles)
    if split.joining is None:
        return [own_organisations]
    ids = records_held(
        split.joining.model,
        split.joining.key,
        split.rows_condition,
        person=user.pk,
        everywhere=partial(Membership.objects.organisations_of, user),
        organisations=own_organisations,
    )
    return [own_organisations] if ids is None else [own_organisations, ids]


def _reached_by(model: type[Model], split: SplitRoute, own_ids: Ids | None = None, ids: Ids | None = None) -> Q:
    """Return the condition that one route reaches a record.

    Joining rows (parties, owners, sides) are a subquery of their own. The part about the record stays outside the
    subquery, so that PostgreSQL can use an index on the record.
    """
    route, joining = split.route, split.joining
    if isinstance(route, Network) or own_ids is None:
        return among_records(model, route.when or EVERYTHING)
    unsplit_condition = route.when & among(route.path, own_ids)
    if joining is None:
        return among_records(model, unsplit_condition)
    if split.is_mixed:
        if ids is not None:
            unsplit_condition &= among(joining.column, ids)
        if is_one_by_one():
            return Q(OneByOne(model._default_manager.filter(unsplit_condition, pk=OuterRef("pk"))))
        return among_records(model, unsplit_condition)
    if ids is None:
        rows = _joining_rows(split, joining, own_ids)
        if is_one_by_one():
            return split.record_condition & Q(OneByOne(rows.filter(**{joining.key: OuterRef(joining.column)})))
        ids = rows.values(joining.key)
    return among_records(model, split.record_condition & among(joining.column, ids))


def readers_of(model: type[Model], routes: Iterable[Route], record: Model) -> QuerySet[User]:
    """Return the active people who may see this record by these routes."""
    rows = model._default_manager.filter(pk=record.pk)
    condition = Q(pk__in=[])
    for route in routes:
        if isinstance(route, Organisations):
            reached = rows.filter(route.when).values(route.path)
            condition |= Q(pk__in=_memberships(route).filter(organisation__in=reached).values("person"))
        elif isinstance(route, People):
            condition |= Q(pk__in=rows.filter(route.when).values(route.path))
        elif rows.filter(route.when).exists():
            condition |= Q(account_since__isnull=False)
    return User.objects.filter(condition, is_active=True)


def reaches(model: type[Model], routes: Iterable[Route], *, record: OuterRef | F, person: OuterRef | F) -> Q:
    """Return the condition that the record with an id reaches the person with an id, for a query over such pairs."""
    rows = model._default_manager.filter(pk=record)
    condition = Q(pk__in=[])
    for route in routes:
        if isinstance(route, Organisations):
            today = timezone.localdate()
            via = f"{route.path}__memberships" if route.path else "memberships"
            current_membership: dict[str, Any] = {
                f"{via}__person": person,
                f"{via}__accepted_at__isnull": False,
                f"{via}__starts_on__lte": today,
                f"{via}__person__is_active": True,
            }
            if route.roles:
                current_membership[f"{via}__role__in"] = route.roles
            not_ended = Q(**{f"{via}__ends_on": None}) | Q(**{f"{via}__ends_on__gt": today})
            condition |= Q(Exists(rows.filter(route.when, not_ended, **current_membership)))
        elif isinstance(route, People):
            filters: dict[str, Any] = {route.path: person, f"{route.path}__is_active": True}
            condition |= Q(Exists(rows.filter(route.when, **filters)))
        else:
            condition |= Q(Exists(rows.filter(route.when))) & Q(
                Exists(User.objects.filter(pk=person, is_active=True, account_since__isnull=False))
            )
    return condition


#: Ids of records by the index of the reach.
Reached: TypeAlias = defaultdict[int, set[int]]


@dataclass(frozen=True)
class Reach:
    """Records and the routes by which they reach people.

    The queryset must not join rows that a route depends on. Where PostgreSQL cannot narrow the records down itself,
    `records` is a function that returns those of some organisations (ids); such a reach is for many people only.
    """

    records: QuerySet[Any] | Callable[[Collection[int]], QuerySet[Any]]
    routes: tuple[Organisations | People, ...]

    def of(self, user: User) -> QuerySet[Any]:
        """Return the records that reach one person."""
        assert isinstance(self.records, QuerySet)
        return self.records.filter(visible_to(self.records.model, self.routes, user))

    def to(self, crowd: Crowd) -> list[tuple[QuerySet[Any], dict[int, set[int]]]]:
        """Return for each route a query of the ids that it reaches, and the people of the crowd by such an id.

        The ids are of people or, on a route through organisations, of organisations for which the people act.
        """
        ends = []
        for route in self.routes:
            people_by_id = crowd.acting(*route.roles) if isinstance(route, Organisations) else crowd.people
            ends.append((self.ends(route, list(people_by_id)), people_by_id))
        return ends

    def ends(self, route: Organisations | People, ids: Collection[int]) -> QuerySet[Any]:
        """Return those of these ids, of people or organisations, that the route reaches."""
        records = self.records if isinstance(self.records, QuerySet) else self.records(ids)
        return records.filter(route.when, **{f"{route.path}__in": ids}).values_list(route.path)


class Crowd:
    """Some people (ids) and the organisations for which they act today; one query for any number of routes."""

    def __init__(self, people: Iterable[int]) -> None:
        self.people = {pk: {pk} for pk in people}
        acting = Membership.objects.current().filter(person__in=list(self.people))
        self._rows = list(acting.values_list("organisation_id", "person_id", "role"))

    def acting(self, *roles: str) -> dict[int, set[int]]:
        """Return the people by the organisation for which they act, only in these roles if any are given."""
        people_by_organisation: dict[int, set[int]] = {}
        for organisation, person, role in self._rows:
            if not roles or role in roles:
                people_by_organisation.setdefault(organisation, set()).add(person)
        return people_by_organisation


def reached(many: Sequence[Reach], crowd: Crowd) -> list[set[int]]:
    """Return for each reach the people of the crowd whom it reaches; one query for all."""
    reached_people: list[set[int]] = [set() for _ in many]
    ends = [(reach_index, *end) for reach_index, reach in enumerate(many) for end in reach.to(crowd)]
    if not ends:
        return reached_people
    # Each row says at which end its id was found.
    first, *others = [ids.annotate(end=Value(end_index)) for end_index, (_, ids, _) in enumerate(ends)]
    for pk, end_index in first.union(*others):
        reach_index, _, people_by_id = ends[end_index]
        reached_people[reach_index] |= people_by_id[pk]
    return reached_people


def sorted_by_reach(many: Callable[[User, dt.datetime], Sequence[Reach]], user: User, now: dt.datetime) -> Reached:
    """Return the ids of the records that reach one person, by the index of the reach that `many` returns.

    All reaches must be of one model; one query for all. `many` must be defined in a module (see `statements`).
    """
    ids_by_reach: Reached = defaultdict(set)
    for pk, reach_index in rows_for(_ids_with_reach, user, now, many=many):
        ids_by_reach[reach_index].add(pk)
    return ids_by_reach


def reach_lookup(many: Callable[[User, dt.datetime], Sequence[Reach]], user: User, now: dt.datetime) -> Lookup:
    """Return the lookup of a later `sorted_by_reach`, for `read_ahead`."""
    return lookup(_ids_with_reach, user, now, many=many)


def _ids_with_reach(
    user: User, now: dt.datetime, *, many: Callable[[User, dt.datetime], Sequence[Reach]]
) -> QuerySet[Any, tuple[int, int]]:
    """Return the ids of the records that reach the person, each with the index of the reach."""
    queries: list[QuerySet[Any, tuple[int, int]]] = [
        reach.of(user).order_by().values_list("pk").annotate(reach_index=Value(index))
        for index, reach in enumerate(many(user, now))
    ]
    first, *others = queries
    return first.union(*others)
