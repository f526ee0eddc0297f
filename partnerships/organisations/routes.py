"""Routes by which a record reaches people, and their conditions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from django.db.models import F, Model, Q, QuerySet

from partnerships.kit.compiled import moment


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


@dataclass(frozen=True, slots=True)
class Way:
    """A route with its condition divided: about rows, the record, or both."""

    route: Route
    between: Rows | None
    about_rows: Q
    about_record: Q
    about_both: bool


def way_of(model: type[Model], route: Route) -> Way:
    """The route with its condition divided."""
    between = rows_between(model, route.path) if isinstance(route, Organisations) else None
    if between is None:
        return Way(route, None, Q(), Q(), about_both=False)
    return Way(route, between, *divided(route.when, between.prefix))


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows between a record and organisations; their `key` is its `column`."""

    model: type[Model]
    key: str
    column: str
    prefix: str


def rows_between(model: type[Model], path: str) -> Rows | None:
    """The rows along a path such as "partnership__parties__organisation"."""
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
    return Rows(rows.related_model, rows.field.name, column, "__".join(before) + "__")


def divided(when: Q, prefix: str) -> tuple[Q, Q, bool]:
    """Parts of a condition about rows, about the record; whether any is both."""
    about_rows, about_record, about_both = Q(), Q(), False
    for child in _conjuncts(when):
        names = list(_names(child))
        at_rows = [f"{name}__".startswith(prefix) for name, _ in names]
        # A queryset as a value is a set of ids of its own; any other expression may refer to the rows.
        refers = any(hasattr(value, "resolve_expression") and not isinstance(value, QuerySet) for _, value in names)
        bare = any(f"{name}__" == prefix for name, _ in names)
        # "Not" over many rows means "none of them", which a subquery of rows would change.
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
    """Whether a condition has a "not" anywhere."""
    return condition.negated or any(isinstance(child, Q) and _is_negated(child) for child in condition.children)


def _names(condition: Q) -> Iterator[tuple[str, Any]]:
    """The lookups and values in a condition; expressions as a reference."""
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


def among_records(model: type[Model], whole: Q) -> Q:
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


class _Same:
    """An expression in a key, equal only to itself."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


def form_of(route: Route, moments: list[Any]) -> Hashable:
    """The route as a key, without its moments: these are added to `moments`."""
    path, roles = getattr(route, "path", None), getattr(route, "roles", ())
    return type(route), path, roles, _form(route.when, moments)


def _form(condition: Q, moments: list[Any]) -> Hashable:
    """What two conditions have in common if only their times differ.

    Times go to `moments`.
    """
    children: list[Hashable] = []
    for child in condition.children:
        if isinstance(child, Q):
            children.append(_form(child, moments))
        elif not isinstance(child, tuple):
            children.append(_Same(child))
        elif isinstance(child[1], dt.datetime):
            moments.append(child[1])
            children.append((child[0], dt.datetime))
        elif isinstance(child[1], list | tuple):
            children.append((child[0], tuple(child[1])))
        elif child[1] is None or isinstance(child[1], str | int | dt.date | F):
            children.append((child[0], type(child[1]), child[1]))
        else:
            children.append((child[0], _Same(child[1])))
    return condition.connector, condition.negated, tuple(children)


def without_moments(routes: Iterable[Route]) -> list[Route]:
    """The routes with slots instead of moments, in the order of `form_of`."""
    numbers = count()
    return [replace(route, when=_without_moments(route.when, numbers)) for route in routes]


def _without_moments(condition: Q, numbers: Iterator[int]) -> Q:
    children: list[Any] = []
    for child in condition.children:
        if isinstance(child, Q):
            children.append(_without_moments(child, numbers))
        elif isinstance(child, tuple) and isinstance(child[1], dt.datetime):
            children.append((child[0], moment(next(numbers))))
        else:
            children.append(child)
    return Q(*children, _connector=condition.connector, _negated=condition.negated)
