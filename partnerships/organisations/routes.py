"""Routes from a record to the people who may see it, with conditions that are split for fast SQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from django.db.models import F, Model, Q, QuerySet

from partnerships.kit.compiled import moment

#: The condition that matches no record.
NOTHING = Q(pk__in=[])
#: The condition that matches every record. An empty `Q()` does not work here, because Django drops it from every
#: combination of conditions, even with `NOTHING`.
EVERYTHING = ~NOTHING


@dataclass(frozen=True)
class Organisations:
    """A route from a record to the people of the organisations at a lookup path.

    For example, the path from a plan to its owners is "owners__organisation". `when` is a condition on the record and
    the rows along that path. `roles` limits the route to people in these roles.
    """

    path: str
    when: Q = field(default_factory=Q)
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class People:
    """A route from a record to the people at a lookup path, if `when` is true of the record."""

    path: str
    when: Q = field(default_factory=Q)


@dataclass(frozen=True)
class Network:
    """A route from a record to everyone who can sign in, if `when` is true of the record."""

    when: Q = field(default_factory=Q)


Route = Organisations | People | Network


@dataclass(frozen=True, slots=True)
class SplitRoute:
    """A route with its condition split into a part about the joining rows and a part about the record.

    For example, a plan's owners are joining rows. The parts become different queries, so that PostgreSQL can use an
    index for each. If one comparison is about both, `is_mixed` is True and the condition is not split.
    """

    route: Route
    joining: JoiningRows | None
    rows_condition: Q
    record_condition: Q
    is_mixed: bool


def split_route(model: type[Model], route: Route) -> SplitRoute:
    """Split a model's route into its parts, if it has joining rows."""
    joining = joining_rows(model, route.path) if isinstance(route, Organisations) else None
    if joining is None:
        return SplitRoute(route, None, Q(), Q(), is_mixed=False)
    return SplitRoute(route, joining, *split_condition(route.when, joining.prefix))


@dataclass(frozen=True, slots=True)
class JoiningRows:
    """The rows that join a record with organisations, for example the parties of a partnership."""

    model: type[Model]
    #: The rows' foreign key, which refers to the record's `column`.
    key: str
    column: str
    #: The lookup path from the record to the rows, with "__" at its end.
    prefix: str


def joining_rows(model: type[Model], path: str) -> JoiningRows | None:
    """Return the joining rows on a path such as "partnership__parties__organisation".

    Returns None if the path has another form.
    """
    *names, last_name = path.split("__")
    if last_name != "organisation" or not 1 <= len(names) <= 2:
        return None
    column = "pk"
    owner_model: Any = model
    if len(names) == 2:
        field: Any = model._meta.get_field(names[0])
        if not field.many_to_one:
            return None
        column, owner_model = names[0], field.related_model
    rows: Any = owner_model._meta.get_field(names[-1])
    if not rows.one_to_many:
        return None
    return JoiningRows(rows.related_model, rows.field.name, column, "__".join(names) + "__")


def split_condition(when: Q, prefix: str) -> tuple[Q, Q, bool]:
    """Split a condition into the part about the rows and the part about the record.

    The third value is True if a part is about both, or may be. Such a part is in neither of the two conditions.
    """
    rows_condition, record_condition, is_mixed = Q(), Q(), False
    for part in _conjuncts(when):
        comparisons = list(_comparisons(part))
        is_about_rows = [f"{name}__".startswith(prefix) for name, _ in comparisons]
        # A queryset as a value is an independent set of ids; any other expression may refer to the rows.
        may_refer_to_rows = any(
            hasattr(value, "resolve_expression") and not isinstance(value, QuerySet) for _, value in comparisons
        )
        compares_row_itself = any(f"{name}__" == prefix for name, _ in comparisons)
        # "Not" over many rows means that no row meets the condition. A subquery of rows would change this meaning.
        is_entangled = any(is_about_rows) and (_is_negated(part) or not all(is_about_rows))
        if not comparisons or may_refer_to_rows or compares_row_itself or is_entangled:
            is_mixed = True
        elif any(is_about_rows):
            rows_condition &= _as_seen_from_rows(part, prefix)
        else:
            record_condition &= part
    return rows_condition, record_condition, is_mixed


def _conjuncts(condition: Q) -> Iterator[Q]:
    """Yield the parts of a condition that must all be true."""
    if condition.negated or (condition.connector != Q.AND and len(condition.children) > 1):
        yield condition
        return
    for child in condition.children:
        if isinstance(child, Q):
            yield from _conjuncts(child)
        else:
            yield Q(child)


def _is_negated(condition: Q) -> bool:
    """Return True if the condition contains a "not" anywhere."""
    return condition.negated or any(isinstance(child, Q) and _is_negated(child) for child in condition.children)


def _comparisons(condition: Q) -> Iterator[tuple[str, Any]]:
    """Yield the lookup and value of each comparison in a condition.

    An expression is treated as a comparison with other columns.
    """
    for child in condition.children:
        if isinstance(child, Q):
            yield from _comparisons(child)
        elif isinstance(child, tuple):
            yield child
        else:
            # We cannot see to what the expression refers. Any reference makes `split_condition` leave it whole.
            yield "", F("pk")


def _as_seen_from_rows(condition: Q, prefix: str) -> Q:
    """Return the condition with lookups that start at the joining rows instead of at the record."""
    children: list[Any] = []
    for child in condition.children:
        if isinstance(child, Q):
            children.append(_as_seen_from_rows(child, prefix))
        elif isinstance(child, tuple):
            name, value = child
            children.append((name.removeprefix(prefix), value))
    return Q(*children, _connector=condition.connector, _negated=condition.negated)


def among_records(model: type[Model], condition: Q) -> Q:
    """Return the condition, in a subquery if it needs joins, because joins would repeat records."""
    if _needs_no_join(model, condition):
        return condition
    return Q(pk__in=model._default_manager.filter(condition).values("pk"))


def _needs_no_join(model: type[Model], condition: Q) -> bool:
    """Return True if the condition uses only columns of the record itself."""
    for child in condition.children:
        if isinstance(child, Q):
            if not _needs_no_join(model, child):
                return False
        elif not isinstance(child, tuple):
            return False
        else:
            name, _, lookup = str(child[0]).partition("__")
            if name != "pk" and (not model._meta.get_field(name).concrete or model._meta.get_field(name).many_to_many):
                return False
            if lookup not in {"", "in", "held", "isnull", "lt", "lte", "gt", "gte"} or isinstance(child[1], F):
                return False
    return True


class _ByIdentity:
    """An expression as part of a key. It equals only itself, because expressions may not be compared by value."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


def route_key(route: Route, moments: list[Any]) -> Hashable:
    """Return a key for a route without its moments, which are added to `moments`.

    Routes that differ only in their moments have the same key, and so share their SQL.
    """
    path, roles = getattr(route, "path", None), getattr(route, "roles", ())
    return type(route), path, roles, _condition_key(route.when, moments)


def _condition_key(condition: Q, moments: list[Any]) -> Hashable:
    """Return a key for a condition without its moments, which are added to `moments`."""
    children: list[Hashable] = []
    for child in condition.children:
        if isinstance(child, Q):
            children.append(_condition_key(child, moments))
        elif not isinstance(child, tuple):
            children.append(_ByIdentity(child))
        elif isinstance(child[1], dt.datetime):
            moments.append(child[1])
            children.append((child[0], dt.datetime))
        elif isinstance(child[1], list | tuple):
            children.append((child[0], tuple(child[1])))
        elif child[1] is None or isinstance(child[1], str | int | dt.date | F):
            children.append((child[0], type(child[1]), child[1]))
        else:
            children.append((child[0], _ByIdentity(child[1])))
    return condition.connector, condition.negated, tuple(children)


def without_moments(routes: Iterable[Route]) -> list[Route]:
    """Return the routes with slots instead of moments, numbered in the order in which `route_key` adds them."""
    slot_numbers = count()
    return [replace(route, when=_without_moments(route.when, slot_numbers)) for route in routes]


def _without_moments(condition: Q, slot_numbers: Iterator[int]) -> Q:
    children: list[Any] = []
    for child in condition.children:
        if isinstance(child, Q):
            children.append(_without_moments(child, slot_numbers))
        elif isinstance(child, tuple) and isinstance(child[1], dt.datetime):
            children.append((child[0], moment(next(slot_numbers))))
        else:
            children.append(child)
    return Q(*children, _connector=condition.connector, _negated=condition.negated)
