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

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet, Value
from django.utils import timezone

from partnerships.organisations.holdings import Ids, among, records_held
from partnerships.organisations.models import EDITING_ROLES, Membership
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


@dataclass(frozen=True)
class Organisations:
    """The record reaches people of organisations found by a lookup path.

    `path` leads from the record to an organisation's id ("owners__organisation"). `when` is a condition on the record
    and the rows along that path. `roles` limits the route to people in those roles.
    """

    path: str
    when: Q = field(default_factory=Q)
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class People:
    """The record reaches people found by a lookup path, while `when` holds."""

    path: str
    when: Q = field(default_factory=Q)


@dataclass(frozen=True)
class Network:
    """The record reaches everyone who can sign in, while `when` holds."""

    when: Q = field(default_factory=Q)


Route = Organisations | People | Network

#: Reaches the editors and leads of the organisation that a record names.
EDITORS = (Organisations("organisation", roles=EDITING_ROLES),)


def _memberships(route: Organisations) -> QuerySet[Membership]:
    current = Membership.objects.current()
    return current.filter(role__in=route.roles) if route.roles else current


def visible_to(model: type[Model], routes: Iterable[Route], user: User | AnonymousUser) -> Q:
    """A condition on `model`: the records that this person may see.

    It matches nothing for anonymous users.
    """
    nothing = Q(pk__in=[])
    if not (isinstance(user, User) and user.is_active):
        return nothing
    parts, everybody = [], False
    for route in routes:
        if isinstance(route, Organisations):
            parts += _by_organisations(model, route, user)
        elif isinstance(route, People):
            parts.append(_among_records(model, route.when & Q(**{route.path: user.pk})))
        elif not user.is_stakeholder:
            parts.append(_among_records(model, route.when))
            everybody = True
    if len(parts) > 1 and not everybody:
        # What the person holds is a small part of the table: each branch of a union uses its own index, an OR none.
        rows = model._default_manager.order_by()
        return Q(pk__in=_union([rows.filter(part).values("pk") for part in parts]))
    return reduce(or_, parts, nothing)


def _union(found: Sequence[QuerySet[Any, Any]]) -> QuerySet[Any, Any]:
    """All rows of one or several queries."""
    return found[0].union(*found[1:], all=True)


def _by_organisations(model: type[Model], route: Organisations, user: User) -> list[Q]:
    """The condition on records that one route by organisations opens to this person; empty if it surely opens none.

    Where rows (parties, owners, sides) lead from the record to the organisations, those rows are asked by themselves,
    and what `when` says of the record stays outside: then an index on the record can be used.
    """
    mine = Membership.objects.organisations_of(user, *route.roles)
    whole = route.when & among(route.path, mine)
    between = _rows_between(model, route.path)
    if between is None:
        return [_among_records(model, whole)]
    about_rows, about_record, about_both = _divided(route.when, between.prefix)
    ids: Ids | None = records_held(
        between.model,
        between.key,
        about_rows,
        person=user.pk,
        everywhere=partial(Membership.objects.organisations_of, user),
        organisations=mine,
    )
    if ids is None:
        ids = between.model._base_manager.filter(about_rows & among("organisation", mine)).values(between.key)
    if ids == []:
        return []
    if about_both:
        return [_among_records(model, whole & among(between.column, ids) if isinstance(ids, list) else whole)]
    return [_among_records(model, about_record & among(between.column, ids))]


@dataclass(frozen=True)
class _Rows:
    """Rows that lead from a record to organisations: `model.key` is the id in the record's `column`."""

    model: type[Model]
    key: str
    column: str
    prefix: str


def _rows_between(model: type[Model], path: str) -> _Rows | None:
    """The rows along a path such as "owners__organisation" or "partnership__parties__organisation"."""
    *before, last = path.split("__")
    if last != "organisation" or not 1 <= len(before) <= 2:
        return None
    column = "pk"
    start: Any = model
    if len(before) == 2:
        field: Any = model._meta.get_field(before[0])
        if not field.many_to_one:
            return None
        column, start = before[0], field.related_model
    rows: Any = start._meta.get_field(before[-1])
    if not rows.one_to_many:
        return None
    return _Rows(rows.related_model, rows.field.name, column, "__".join(before) + "__")


def _divided(when: Q, prefix: str) -> tuple[Q, Q, bool]:
    """What a condition says of the rows at `prefix`, what of the record, and whether a part says something of both."""
    about_rows, about_record, about_both = Q(), Q(), False
    for child in _conjuncts(when):
        names = list(_names(child))
        at_rows = [f"{name}__".startswith(prefix) for name, _ in names]
        # A queryset as a value is a set of ids of its own; any other expression may refer to the rows.
        refers = any(hasattr(value, "resolve_expression") and not isinstance(value, QuerySet) for _, value in names)
        bare = any(f"{name}__" == prefix for name, _ in names)
        # "Not" of many rows means none of them, which asking the rows themselves would change.
        if not names or refers or bare or (any(at_rows) and (_is_negated(child) or not all(at_rows))):
            about_both = True
        elif any(at_rows):
            about_rows &= _without(child, prefix)
        else:
            about_record &= child
    return about_rows, about_record, about_both


def _conjuncts(condition: Q) -> Iterator[Q]:
    """The parts of a condition that must all hold."""
    if condition.negated or (condition.connector != Q.AND and len(condition.children) > 1):
        yield condition
        return
    for child in condition.children:
        if isinstance(child, Q):
            yield from _conjuncts(child)
        else:
            yield Q(child)


def _is_negated(condition: Q) -> bool:
    """Whether a "not" stands anywhere in a condition."""
    return condition.negated or any(isinstance(child, Q) and _is_negated(child) for child in condition.children)


def _names(condition: Q) -> Iterator[tuple[str, Any]]:
    """The lookups and values in a condition; an expression stands as a reference, which cannot be divided."""
    for child in condition.children:
        if isinstance(child, Q):
            yield from _names(child)
        elif isinstance(child, tuple):
            yield child
        else:
            yield "", F("pk")


def _without(condition: Q, prefix: str) -> Q:
    """The condition as seen from the rows at `prefix`."""
    inner: list[Any] = []
    for child in condition.children:
        if isinstance(child, Q):
            inner.append(_without(child, prefix))
        elif isinstance(child, tuple):
            inner.append((child[0].removeprefix(prefix), child[1]))
    return Q(*inner, _connector=condition.connector, _negated=condition.negated)


def _among_records(model: type[Model], whole: Q) -> Q:
    """The condition; in a subquery if it needs joins, which would repeat records."""
    return whole if _is_own(model, whole) else Q(pk__in=model._default_manager.filter(whole).values("pk"))


def _is_own(model: type[Model], condition: Q) -> bool:
    """Whether the condition uses only columns of the record itself."""
    for child in condition.children:
        if isinstance(child, Q):
            if not _is_own(model, child):
                return False
        elif not isinstance(child, tuple):
            return False
        else:
            name, _, rest = str(child[0]).partition("__")
            if name != "pk" and (not model._meta.get_field(name).concrete or model._meta.get_field(name).many_to_many):
                return False
            if rest not in {"", "in", "held", "isnull", "lt", "lte", "gt", "gte"} or isinstance(child[1], F):
                return False
    return True


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
            named: dict[str, Any] = {route.path: person, f"{route.path}__is_active": True}
            condition |= Q(Exists(rows.filter(route.when, **named)))
        else:
            condition |= Q(Exists(rows.filter(route.when))) & Q(
                Exists(User.objects.filter(pk=person, is_active=True, account_since__isnull=False))
            )
    return condition


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
        found = []
        for route in self.routes:
            behind = crowd.acting(*route.roles) if isinstance(route, Organisations) else crowd.people
            records = self.records if isinstance(self.records, QuerySet) else self.records(list(behind))
            ends = records.filter(route.when, **{f"{route.path}__in": list(behind)}).values_list(route.path)
            found.append((ends, behind))
        return found


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
        found: dict[int, set[int]] = {}
        for organisation, person, role in self._rows:
            if not roles or role in roles:
                found.setdefault(organisation, set()).add(person)
        return found


def reached(many: Sequence[Reach], crowd: Crowd) -> list[set[int]]:
    """For each reach, the people of the crowd that it reaches.

    One query for all.
    """
    ends = [(number, *end) for number, reach in enumerate(many) for end in reach.to(crowd)]
    asked = [rows.annotate(end=Value(place)) for place, (_, rows, _) in enumerate(ends)]
    found: list[set[int]] = [set() for _ in many]
    for pk, place in asked[0].union(*asked[1:]) if asked else ():
        number, _, behind = ends[place]
        found[number] |= behind[pk]
    return found


def sorted_by_reach(many: Sequence[Reach], user: User) -> list[set[int]]:
    """For each reach, the ids of its records that reach one person.

    All must be of one model; one query for all.
    """
    asked = [reach.of(user).order_by().values_list("pk").annotate(place=Value(i)) for i, reach in enumerate(many)]
    found: list[set[int]] = [set() for _ in many]
    for pk, place in asked[0].union(*asked[1:]):
        found[place].add(pk)
    return found
