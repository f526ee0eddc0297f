"""Audience rules: each room declares once who may read its records.

A room declares, for a model, the routes by which a record reaches people. From the same routes come

* `visible_to`: the records that one person may see (every queryset's `visible_to` is built on it);
* `readers_of`: the people who may see one record (recipients are chosen with it);
* `reaches`: a condition for SQL over pairs of person and record (sets of recipients).

A `Reach` is a queryset of records with its own routes. It gives the records that reach one person and, for many people
at once, which of them are reached.

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
    Network,
    Organisations,
    People,
    Route,
    Rows,
    Way,
    among_records,
    form_of,
    way_of,
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
    """All people of some organisations as one reader.

    It reads what each of them may read, in any role. For what is made once and read by many, such as a frozen report.
    It is not a person: rules that ask for one give it nothing.
    """

    def __init__(self, organisations: Iterable[int]) -> None:
        super().__init__()
        self.organisations = tuple(sorted(set(organisations)))


#: Whom a query is for.
Reader: TypeAlias = User | AnonymousUser


def _memberships(route: Organisations) -> QuerySet[Membership]:
    current = Membership.objects.current()
    return current.filter(role__in=route.roles) if route.roles else current


def visible_to(model: type[Model], routes: Iterable[Route], user: User | AnonymousUser) -> Q:
    """A condition on `model`: the records that this person may see.

    It matches nothing for anonymous users, and for `Everybody` what all its people may see. While a page is made, its
    SQL is the one composed for an earlier reader. PostgreSQL lists what the person may see and looks there. Where other
    conditions leave a few records, that takes longer than to check each: compose such a query within `one_by_one`.
    """
    if isinstance(user, Everybody):
        return _shared_by(model, routes, user.organisations)
    if not (isinstance(user, User) and user.is_active):
        return NOTHING
    own_routes = [route for route in routes if not (isinstance(route, Network) and user.is_stakeholder)]
    condition = _composed_before(model, own_routes, user) if is_remembering() else None
    if condition is None:
        ways = [way_of(model, route) for route in own_routes]
        condition = _any_of(model, [(way, ids) for way in ways if [] not in (ids := _held_on(way, user))])
    return condition


def _shared_by(model: type[Model], routes: Iterable[Route], organisations: Sequence[int]) -> Q:
    """The records that all people of each of these organisations may see, whatever their role."""
    shared = [
        route
        for route in routes
        if isinstance(route, Network) or (isinstance(route, Organisations) and not route.roles)
    ]
    ways = [way_of(model, route) for route in shared]
    rows = model._default_manager.order_by()
    each: list[Q] = []
    for pk in organisations:
        opened = _any_of(model, [(way, [] if isinstance(way.route, Network) else [[pk]]) for way in ways])
        each.append(Q(pk__in=rows.filter(opened).values("pk")))
    return reduce(and_, each) if each else NOTHING


def _composed_before(model: type[Model], routes: Sequence[Route], user: User) -> Q | None:
    """The condition with SQL kept for all readers; None if it cannot be kept."""
    values: list[Any] = []
    cache_key = (model, is_one_by_one(), tuple(form_of(route, values) for route in routes))
    ways = _ways.get(cache_key)
    if ways is None:
        if len(_ways) >= _MAX_WAYS:
            _ways.clear()
        ways = _ways[cache_key] = [way_of(model, route) for route in without_moments(routes)]
    shape, routes_sql = [], []
    for way in ways:
        ids = _held_on(way, user)
        if [] in ids:
            shape.append(0)
            continue
        shape.append(len(ids))
        routes_sql.append((way, [Slot(len(values) + place) for place in range(len(ids))]))
        values += ids
    return (
        compiled((cache_key, tuple(shape)), model, lambda: _any_of(model, routes_sql), values)
        if routes_sql
        else NOTHING
    )


#: Divided routes, by model and form of the routes.
_ways: dict[Hashable, list[Way]] = {}
_MAX_WAYS = 1_000


def _any_of(model: type[Model], ways: Sequence[tuple[Way, Sequence[Any]]]) -> Q:
    """The condition that one of these ways, with these ids, opens a record."""
    if len(ways) > 1 and not is_one_by_one() and not any(isinstance(way.route, Network) for way, _ in ways):
        # What the person holds is a small part of the table: each branch of a union uses its own index, an OR none.
        first, *others = [_records(model, way, *ids) for way, ids in ways]
        return Q(pk__in=first.union(*others, all=True))
    # PostgreSQL asks in this order: columns of the record before rows of other tables.
    cheapest_first = sorted(ways, key=lambda way: way[0].between is not None and len(way[1]) < 2)
    return reduce(or_, [_leads(model, way, *ids) for way, ids in cheapest_first], NOTHING)


def _records(model: type[Model], way: Way, own_ids: Ids | None = None, ids: Ids | None = None) -> QuerySet[Any, Any]:
    """The ids of the records that one way opens."""
    between = way.between
    if (
        between is None
        or own_ids is None
        or ids is not None
        or way.about_both
        or way.about_record
        or between.column != "pk"
    ):
        return model._default_manager.order_by().filter(_leads(model, way, own_ids, ids)).values("pk")
    return _rows_between(way, between, own_ids).order_by().values(between.key)


def _rows_between(way: Way, between: Rows, own_ids: Ids) -> QuerySet[Any]:
    """The rows on a way that belong to these organisations."""
    return between.model._base_manager.filter(way.about_rows & among("organisation", own_ids))


def _held_on(way: Way, user: User) -> list[Ids]:
    """What the person holds on one way, as lists of ids.

    The person's own id, or their organisations and, if these have few rows on the way, the rows. An empty list means
    that the way reaches no record.
    """
    route = way.route
    if isinstance(route, Network):
        return []
    if isinstance(route, People):
        return [[user.pk]]
    own_organisations = Membership.objects.organisations_of(user, *route.roles)
    if way.between is None:
        return [own_organisations]
    ids = records_held(
        way.between.model,
        way.between.key,
        way.about_rows,
        person=user.pk,
        everywhere=partial(Membership.objects.organisations_of, user),
        organisations=own_organisations,
    )
    return [own_organisations] if ids is None else [own_organisations, ids]


def _leads(model: type[Model], way: Way, own_ids: Ids | None = None, ids: Ids | None = None) -> Q:
    """The condition on records that one way opens.

    Where rows (parties, owners, sides) connect the record with organisations, they are a subquery of their own. What
    the route says about the record stays outside it, so that an index on the record can be used.
    """
    route, between = way.route, way.between
    if isinstance(route, Network) or own_ids is None:
        return among_records(model, route.when or EVERYTHING)
    whole = route.when & among(route.path, own_ids)
    if between is None:
        return among_records(model, whole)
    if way.about_both:
        whole = whole if ids is None else whole & among(between.column, ids)
        if is_one_by_one():
            return Q(OneByOne(model._default_manager.filter(whole, pk=OuterRef("pk"))))
        return among_records(model, whole)
    if ids is None:
        rows = _rows_between(way, between, own_ids)
        if is_one_by_one():
            return way.about_record & Q(OneByOne(rows.filter(**{between.key: OuterRef(between.column)})))
        ids = rows.values(between.key)
    return among_records(model, way.about_record & among(between.column, ids))


def readers_of(model: type[Model], routes: Iterable[Route], record: Model) -> QuerySet[User]:
    """The active people who may see this record by these routes."""
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
    """A condition that `record` (an id) reaches `person` (an id).

    For use inside a larger query over pairs.
    """
    rows = model._default_manager.filter(pk=record)
    condition = Q(pk__in=[])
    for route in routes:
        if isinstance(route, Organisations):
            today = timezone.localdate()
            via = f"{route.path}__memberships" if route.path else "memberships"
            live: dict[str, Any] = {
                f"{via}__person": person,
                f"{via}__accepted_at__isnull": False,
                f"{via}__starts_on__lte": today,
                f"{via}__person__is_active": True,
            }
            if route.roles:
                live[f"{via}__role__in"] = route.roles
            not_ended = Q(**{f"{via}__ends_on": None}) | Q(**{f"{via}__ends_on__gt": today})
            condition |= Q(Exists(rows.filter(route.when, not_ended, **live)))
        elif isinstance(route, People):
            filters: dict[str, Any] = {route.path: person, f"{route.path}__is_active": True}
            condition |= Q(Exists(rows.filter(route.when, **filters)))
        else:
            condition |= Q(Exists(rows.filter(route.when))) & Q(
                Exists(User.objects.filter(pk=person, is_active=True, account_since__isnull=False))
            )
    return condition


#: Ids of records by the place of the reach.
Reached: TypeAlias = defaultdict[int, set[int]]


@dataclass(frozen=True)
class Reach:
    """Records and the routes by which they reach people.

    The queryset must not join rows that a route depends on. A function gives the records for organisations (ids), where
    PostgreSQL cannot narrow them down itself; such a reach is for many people only.
    """

    records: QuerySet[Any] | Callable[[Collection[int]], QuerySet[Any]]
    routes: tuple[Organisations | People, ...]

    def of(self, user: User) -> QuerySet[Any]:
        """The records that reach one person."""
        assert isinstance(self.records, QuerySet)
        return self.records.filter(visible_to(self.records.model, self.routes, user))

    def to(self, crowd: Crowd) -> list[tuple[QuerySet[Any], dict[int, set[int]]]]:
        """For each route, a query of ids at its end, and the people behind each.

        Only ids that belong to somebody in the crowd.
        """
        reached = []
        for route in self.routes:
            behind = crowd.acting(*route.roles) if isinstance(route, Organisations) else crowd.people
            reached.append((self.ends(route, list(behind)), behind))
        return reached

    def ends(self, route: Organisations | People, ids: Collection[int]) -> QuerySet[Any]:
        """The ids, of people or organisations, that the route reaches."""
        records = self.records if isinstance(self.records, QuerySet) else self.records(ids)
        return records.filter(route.when, **{f"{route.path}__in": ids}).values_list(route.path)


class Crowd:
    """Some people (ids) and the organisations they act for today.

    Queried once, for any number of records and routes.
    """

    def __init__(self, people: Iterable[int]) -> None:
        self.people = {pk: {pk} for pk in people}
        acting = Membership.objects.current().filter(person__in=list(self.people))
        self._rows = list(acting.values_list("organisation_id", "person_id", "role"))

    def acting(self, *roles: str) -> dict[int, set[int]]:
        """The people by organisation they act for, in one of the roles if given."""
        roles_by_organisation: dict[int, set[int]] = {}
        for organisation, person, role in self._rows:
            if not roles or role in roles:
                roles_by_organisation.setdefault(organisation, set()).add(person)
        return roles_by_organisation


def reached(many: Sequence[Reach], crowd: Crowd) -> list[set[int]]:
    """For each reach, the people of the crowd that it reaches.

    One query for all.
    """
    ends = [(number, *end) for number, reach in enumerate(many) for end in reach.to(crowd)]
    statements = [rows.annotate(end=Value(place)) for place, (_, rows, _) in enumerate(ends)]
    reached_people: list[set[int]] = [set() for _ in many]
    for pk, place in statements[0].union(*statements[1:]) if statements else ():
        number, _, behind = ends[place]
        reached_people[number] |= behind[pk]
    return reached_people


def sorted_by_reach(many: Callable[[User, dt.datetime], Sequence[Reach]], user: User, now: dt.datetime) -> Reached:
    """For each place among the reaches that `many` gives, the ids of its records that reach one person.

    All must be of one model; one query for all. `many` belongs to a module (see `statements`).
    """
    sorted_reach: Reached = defaultdict(set)
    for pk, place in rows_for(_placed, user, now, many=many):
        sorted_reach[place].add(pk)
    return sorted_reach


def reach_lookup(many: Callable[[User, dt.datetime], Sequence[Reach]], user: User, now: dt.datetime) -> Lookup:
    """What `sorted_by_reach` is going to ask, for `read_ahead`."""
    return lookup(_placed, user, now, many=many)


def _placed(
    user: User, now: dt.datetime, *, many: Callable[[User, dt.datetime], Sequence[Reach]]
) -> QuerySet[Any, tuple[int, int]]:
    """Ids of records that reach the person, with the place of the reach."""
    reaches = many(user, now)
    statements: list[QuerySet[Any, tuple[int, int]]] = [
        reach.of(user).order_by().values_list("pk").annotate(place=Value(i)) for i, reach in enumerate(reaches)
    ]
    return statements[0].union(*statements[1:])
