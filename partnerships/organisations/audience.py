"""Who may read what: one relation of person and record, declared once by each room and read both ways.

A room declares, for a model, the routes by which a record reaches people. From the same routes come

* `visible_to`: the records that one person may see (every queryset's `visible_to` is built on it);
* `readers_of`: the people who may see one record (recipients are chosen with it);
* `reaches`: a condition for SQL over pairs of person and record (sets of recipients).

The rules themselves are in RIGHTS.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from partnerships.organisations.models import Membership
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


@dataclass(frozen=True)
class Organisations:
    """The record reaches the people of organisations found along a lookup path.

    `path` leads from the record to an organisation's id ("owners__organisation"); `when` is about the record and the
    rows on
    that path together; `roles` narrows to people in those roles.
    """

    path: str
    when: Q = field(default_factory=Q)
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class People:
    """The record reaches named people found along a lookup path, while `when` holds."""

    path: str
    when: Q = field(default_factory=Q)


@dataclass(frozen=True)
class Network:
    """The record reaches everyone who can sign in, while `when` holds of it."""

    when: Q = field(default_factory=Q)


Route = Organisations | People | Network


def _memberships(route: Organisations) -> QuerySet[Membership]:
    current = Membership.objects.current()
    return current.filter(role__in=route.roles) if route.roles else current


def visible_to(model: type[Model], routes: Iterable[Route], user: User | AnonymousUser) -> Q:
    """The condition on `model` that holds for the records this person may see; nothing for the signed-out."""
    nothing = Q(pk__in=[])
    if not (isinstance(user, User) and user.is_active):
        return nothing
    condition = nothing
    rows = model._default_manager
    for route in routes:
        reached = Q()
        if isinstance(route, Organisations):
            mine = _memberships(route).filter(person_id=user.pk).values("organisation")
            reached = Q(**{f"{route.path}__in": mine})
        elif isinstance(route, People):
            reached = Q(**{route.path: user.pk})
        elif user.is_stakeholder:
            continue
        whole = route.when & reached
        # On the record's own columns the condition stands as it is: ids of half the table need not be gathered first.
        condition |= whole if _is_own(model, whole) else Q(pk__in=rows.filter(whole).values("pk"))
    return condition


def _is_own(model: type[Model], condition: Q) -> bool:
    """Whether the condition asks only for columns of the record itself, never of rows joined to it."""
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
    """The condition that `record` (an id) reaches `person` (an id), for use inside a larger query over pairs."""
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
