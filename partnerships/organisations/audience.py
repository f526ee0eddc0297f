"""Who may read which records. Each room declares the rules for its models in one place.

A rule is a tuple of routes from a record to people. For example, `Organisations("owners__organisation")` is the route
from a plan to everybody who acts for one of its owners. `visible_to` selects the records that one person may see by
these routes, and `readers_of` selects the people who may see one record.

A `Reach` is some records with their own routes, for example open requests to sign and the leads of the signatories.
The rules are in docs/rights.md.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any, TypeAlias

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet, Value
from django.utils import timezone

from partnerships.kit.compiled import Slot, compiled
from partnerships.organisations.holdings import is_for_a_few_records, is_page_being_made
from partnerships.organisations.models import EDITING_ROLES, Membership
from partnerships.organisations.reader_routes import ReaderRoute, reached_by_any, reader_route
from partnerships.organisations.routes import (
    EVERYTHING,
    NOTHING,
    Network,
    Organisations,
    People,
    Route,
    SplitRoute,
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
    "people_reached",
    "reach_lookup",
    "reaches_person",
    "readers_of",
    "record_ids_by_reach",
    "visible_to",
]

#: The routes by which a record reaches the editors and leads of its organisation.
EDITORS = (Organisations("organisation", roles=EDITING_ROLES),)


class Everybody(AnonymousUser):
    """All people of some organisations as one reader, for pages that are made once for many people.

    An example is a frozen report. This reader may read only what each of these people may read, whatever their role.
    Rules about a single person never apply to this reader.
    """

    def __init__(self, organisation_ids: Iterable[int]) -> None:
        super().__init__()
        self.organisations = tuple(sorted(set(organisation_ids)))


#: The person for whom a query selects records.
Reader: TypeAlias = User | AnonymousUser


def _memberships(route: Organisations) -> QuerySet[Membership]:
    current = Membership.objects.current()
    return current.filter(role__in=route.roles) if route.roles else current


def visible_to(model: type[Model], routes: Iterable[Route], user: User | AnonymousUser) -> Q:
    """Return the condition that a record of the model is visible to this reader.

    Anonymous users see no records; `Everybody` sees the records that all its people may see. While a page is made, the
    SQL composed for an earlier reader is reused. PostgreSQL first lists all records that the reader may see. If other
    conditions leave only a few records, compose the query in `for_a_few_records`, which checks each of them faster.
    """
    if isinstance(user, Everybody):
        return _visible_to_everybody(model, routes, user.organisations)
    if not (isinstance(user, User) and user.is_active):
        return NOTHING
    own_routes = [route for route in routes if not (isinstance(route, Network) and user.is_stakeholder)]
    condition = _stored_condition(model, own_routes, user) if is_page_being_made() else None
    if condition is None:
        reader_routes = [reader_route(split_route(model, route), user) for route in own_routes]
        condition = reached_by_any(model, [route for route in reader_routes if not route.selects_nothing])
    return condition


def _visible_to_everybody(model: type[Model], routes: Iterable[Route], organisation_ids: Sequence[int]) -> Q:
    """Return the condition that all people of all these organisations may see a record, whatever their role."""
    shared_routes = [
        route
        for route in routes
        if isinstance(route, Network) or (isinstance(route, Organisations) and not route.roles)
    ]
    split_routes = [split_route(model, route) for route in shared_routes]
    rows = model._default_manager.order_by()
    conditions: list[Q] = []
    for organisation_id in organisation_ids:
        reader_routes = [
            ReaderRoute(split) if isinstance(split.route, Network) else ReaderRoute(split, own_ids=[organisation_id])
            for split in split_routes
        ]
        visible = reached_by_any(model, reader_routes)
        conditions.append(Q(pk__in=rows.filter(visible).values("pk")))
    return reduce(and_, conditions) if conditions else NOTHING


def _stored_condition(model: type[Model], routes: Sequence[Route], user: User) -> Q | None:
    """Return the condition with SQL that is stored for all readers, or None if the SQL cannot be stored.

    The SQL depends on how many lists of ids each route has for this reader, which is the `shape`.
    """
    values: list[Any] = []
    cache_key = (model, is_for_a_few_records(), tuple(route_key(route, values) for route in routes))
    split_routes = _split_routes.get(cache_key)
    if split_routes is None:
        if len(_split_routes) >= _MAX_SPLIT_ROUTES:
            _split_routes.clear()
        split_routes = _split_routes[cache_key] = [split_route(model, route) for route in without_moments(routes)]
    shape: list[int] = []
    routes_with_slots: list[ReaderRoute] = []
    for split in split_routes:
        route = reader_route(split, user)
        if route.selects_nothing:
            shape.append(0)
            continue
        shape.append(len(route.id_lists))
        slots = [Slot(len(values) + offset) for offset in range(len(route.id_lists))]
        routes_with_slots.append(ReaderRoute(split, *slots))
        values += route.id_lists
    if not routes_with_slots:
        return NOTHING
    return compiled((cache_key, tuple(shape)), model, lambda: reached_by_any(model, routes_with_slots), values)


#: Split routes, by model and key of the routes.
_split_routes: dict[Hashable, list[SplitRoute]] = {}
_MAX_SPLIT_ROUTES = 1_000


def readers_of(model: type[Model], routes: Iterable[Route], record: Model) -> QuerySet[User]:
    """Return the active people who may see this record by these routes."""
    rows = model._default_manager.filter(pk=record.pk)
    condition = Q(pk__in=[])
    for route in routes:
        if isinstance(route, Organisations):
            reached_ids = rows.filter(route.when).values(route.path)
            condition |= Q(pk__in=_memberships(route).filter(organisation__in=reached_ids).values("person"))
        elif isinstance(route, People):
            condition |= Q(pk__in=rows.filter(route.when).values(route.path))
        elif rows.filter(route.when).exists():
            condition |= Q(account_since__isnull=False)
    return User.objects.filter(condition, is_active=True)


def reaches_person(model: type[Model], routes: Iterable[Route], *, record: OuterRef | F, person: OuterRef | F) -> Q:
    """Return the condition that a record reaches a person, for a query over pairs of record id and person id."""
    rows = model._default_manager.filter(pk=record)
    condition = Q(pk__in=[])  # matches nothing; each route adds its own
    for route in routes:
        if isinstance(route, Organisations):
            condition |= Q(Exists(rows.filter(route.when, _acts_by(route, person))))
        elif isinstance(route, People):
            filters: dict[str, Any] = {route.path: person, f"{route.path}__is_active": True}
            condition |= Q(Exists(rows.filter(route.when, **filters)))
        else:
            has_account = User.objects.filter(pk=person, is_active=True, account_since__isnull=False)
            condition |= Q(Exists(rows.filter(route.when)), Exists(has_account))
    return condition


def _acts_by(route: Organisations, person: OuterRef | F) -> Q:
    """Return the condition that a person acts today, in a role of the route, for an organisation at its end."""
    today = timezone.localdate()
    path = f"{route.path}__memberships" if route.path else "memberships"
    has_not_ended = Q(**{f"{path}__ends_on": None}) | Q(**{f"{path}__ends_on__gt": today})
    condition = has_not_ended & Q(**{f"{path}__person": person, f"{path}__person__is_active": True})
    condition &= Q(**{f"{path}__accepted_at__isnull": False, f"{path}__starts_on__lte": today})
    return condition & Q(**{f"{path}__role__in": route.roles}) if route.roles else condition


#: The ids of records, by the index of the reach.
Reached: TypeAlias = defaultdict[int, set[int]]


@dataclass(frozen=True)
class Reach:
    """Some records and the routes by which these records reach people.

    The queryset must not join rows that a route depends on. If PostgreSQL cannot narrow down the records, `records` is
    a function that returns the records of the given organisations (ids). Such a reach has no `of`.
    """

    records: QuerySet[Any] | Callable[[Collection[int]], QuerySet[Any]]
    routes: tuple[Organisations | People, ...]

    def of(self, user: User) -> QuerySet[Any]:
        """Return the records that reach one person."""
        assert isinstance(self.records, QuerySet)
        return self.records.filter(visible_to(self.records.model, self.routes, user))

    def ends_for(self, crowd: Crowd) -> list[tuple[QuerySet[Any], dict[int, set[int]]]]:
        """Return, for each route, a query of the ids that it reaches, and the people of the crowd by each id.

        The ids are ids of people or, on a route through organisations, of the organisations for which these people act.
        """
        ends = []
        for route in self.routes:
            people_by_id = crowd.people_acting(*route.roles) if isinstance(route, Organisations) else crowd.people
            ends.append((self.reached_ids(route, list(people_by_id)), people_by_id))
        return ends

    def reached_ids(self, route: Organisations | People, ids: Collection[int]) -> QuerySet[Any]:
        """Return a query that selects, from these ids of people or organisations, the ids that the route reaches."""
        records = self.records if isinstance(self.records, QuerySet) else self.records(ids)
        return records.filter(route.when, **{f"{route.path}__in": ids}).values_list(route.path)


class Crowd:
    """Some people (ids) and the organisations for which they act today, loaded with one query for all routes."""

    def __init__(self, person_ids: Iterable[int]) -> None:
        self.people = {pk: {pk} for pk in person_ids}
        memberships = Membership.objects.current().filter(person__in=list(self.people))
        self._rows = list(memberships.values_list("organisation_id", "person_id", "role"))

    def people_acting(self, *roles: str) -> dict[int, set[int]]:
        """Return the people by the organisation for which they act; if roles are given, only people in these roles."""
        person_ids: dict[int, set[int]] = {}
        for organisation, person, role in self._rows:
            if not roles or role in roles:
                person_ids.setdefault(organisation, set()).add(person)
        return person_ids


def people_reached(reaches: Sequence[Reach], crowd: Crowd) -> list[set[int]]:
    """Return, for each reach, the people of the crowd who may see one of its records. One query finds all of them."""
    reached_people: list[set[int]] = [set() for _ in reaches]
    ends = [
        (reach_index, *route_end) for reach_index, reach in enumerate(reaches) for route_end in reach.ends_for(crowd)
    ]
    if not ends:
        return reached_people

    # Each row contains an id and the index of the route that reaches this id.
    first_query, *other_queries = [ids.annotate(end=Value(end_index)) for end_index, (_, ids, _) in enumerate(ends)]
    for pk, end_index in first_query.union(*other_queries):
        reach_index, _, people_by_id = ends[end_index]
        reached_people[reach_index] |= people_by_id[pk]
    return reached_people


def record_ids_by_reach(many: Callable[[User, dt.datetime], Sequence[Reach]], user: User, now: dt.datetime) -> Reached:
    """Return the ids of the records that one person may see, by the index of the reach among those of `many`.

    One query reads the records of all reaches, which must have the same model. `many` must be defined at module level,
    because its SQL is stored.
    """
    ids_by_reach: Reached = defaultdict(set)
    for pk, reach_index in rows_for(_ids_with_reach, user, now, many=many):
        ids_by_reach[reach_index].add(pk)
    return ids_by_reach


def reach_lookup(many: Callable[[User, dt.datetime], Sequence[Reach]], user: User, now: dt.datetime) -> Lookup:
    """Return the lookup that a later `record_ids_by_reach` needs, for `read_ahead`."""
    return lookup(_ids_with_reach, user, now, many=many)


def _ids_with_reach(
    user: User, now: dt.datetime, *, many: Callable[[User, dt.datetime], Sequence[Reach]]
) -> QuerySet[Any, tuple[int, int]]:
    """Return the ids of the records that reach the person, each with the index of the reach."""
    queries: list[QuerySet[Any, tuple[int, int]]] = [
        reach.of(user).order_by().values_list("pk").annotate(reach_index=Value(index))
        for index, reach in enumerate(many(user, now))
    ]
    first_query, *other_queries = queries
    return first_query.union(*other_queries)
