"""Audience rules: each room declares once who may read its records.

A room declares, for a model, the routes by which a record reaches people. From the same routes come

* `visible_to`: the records that one person may see (every queryset's `visible_to` is built on it);
* `readers_of`: the people who may see one record (recipients are chosen with it);
* `reaches`: a condition for SQL over pairs of person and record (sets of recipients);
* `seen_from`: the records that all people of one organisation may see, in any role.

A `Reach` is a queryset of records with its own routes. It gives the records that reach one person and, for many people
at once, which of them are reached.

The rules are in docs/rights.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet, Value
from django.utils import timezone

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
    rows = model._default_manager
    parts, everybody = [], False
    for route in routes:
        reached = Q()
        if isinstance(route, Organisations):
            mine = _memberships(route).filter(person_id=user.pk).values("organisation")
            reached = Q(**{f"{route.path}__in": mine})
        elif isinstance(route, People):
            reached = Q(**{route.path: user.pk})
        elif user.is_stakeholder:
            continue
        else:
            everybody = True
        parts.append(route.when & reached)
    if len(parts) > 1 and not everybody:
        # What the person holds is a small part of the table: each branch of a union uses its own index, an OR none.
        return Q(pk__in=_union([rows.filter(part).order_by().values("pk") for part in parts]))
    condition = nothing
    for part in parts:
        # A condition on the record's own columns needs no subquery, which would gather the ids of half the table.
        condition |= part if _is_own(model, part) else Q(pk__in=rows.filter(part).values("pk"))
    return condition


def _union(found: Sequence[QuerySet[Any, Any]]) -> QuerySet[Any, Any]:
    """All rows of one or several queries."""
    return found[0].union(*found[1:], all=True)


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
            if rest not in {"", "in", "isnull", "lt", "lte", "gt", "gte"} or isinstance(child[1], F):
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


def seen_from(model: type[Model], routes: Iterable[Route], *, organisation: OuterRef | F) -> Q:
    """A condition on `model`: records seen by a whole organisation.

    True where everybody who acts for `organisation` (an id) may see the record, in any role.
    """
    condition = Q(pk__in=[])
    for route in routes:
        if isinstance(route, Organisations) and not route.roles:
            # Tied to the one record: without it, PostgreSQL gathers every record of the organisation each time.
            reached = model._default_manager.filter(route.when, pk=OuterRef("pk"), **{route.path: organisation})
            condition |= Q(Exists(reached))
    return condition


@dataclass(frozen=True)
class Reach:
    """Records and the routes by which they reach people.

    The queryset must not join rows that a route depends on.
    """

    records: QuerySet[Any]
    routes: tuple[Organisations | People, ...]

    def of(self, user: User) -> QuerySet[Any]:
        """The records that reach one person."""
        return self.records.filter(visible_to(self.records.model, self.routes, user))

    def to(self, crowd: Crowd) -> list[tuple[QuerySet[Any], dict[int, set[int]]]]:
        """For each route, a query of ids at its end, and the people behind each.

        Only ids that belong to somebody in the crowd.
        """
        ends = [
            (route, crowd.acting(*route.roles) if isinstance(route, Organisations) else crowd.people)
            for route in self.routes
        ]
        return [
            (self.records.filter(route.when, **{f"{route.path}__in": list(behind)}).values_list(route.path), behind)
            for route, behind in ends
        ]


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
