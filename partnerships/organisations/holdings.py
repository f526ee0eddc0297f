"""What a person holds: the organisations they act for and, say, the partnerships those take part in.

A page asks a dozen times what one person may see. While it is read (GET, HEAD), what the person holds is queried once
and stands in SQL as arrays of ids, for which PostgreSQL can use an index even inside an OR. Everywhere else (services,
tasks, commands, streamed files) it is a subquery, so that nothing is remembered across a change.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from django.db.models import BigAutoField, ForeignKey, Lookup, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse

M = TypeVar("M", bound=type[Model])
#: Ids held by person, for the page that is being read; None outside of one.
_remembered: ContextVar[dict[Hashable, list[int]] | None] = ContextVar("holdings", default=None)
#: Models whose rows lead from an organisation to few enough ids (thousands) to remember them for a page.
_few: set[type[Model]] = set()


class Held(Lookup[Any]):
    """`column = ANY(array)`: one parameter for any number of ids, and none of Django's work for each."""

    lookup_name = "held"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """The SQL of the condition, with the array as its parameter."""
        column, params = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s::bigint[])", (*params, list(self.rhs))


BigAutoField.register_lookup(Held)
ForeignKey.register_lookup(Held)


@contextmanager
def remembered() -> Iterator[None]:
    """Remember what each person holds until the end of the block, in which nothing may change it."""
    token = _remembered.set({})
    try:
        yield
    finally:
        _remembered.reset(token)


class HoldingsMiddleware:
    """Remembers what the reader of a page holds while the page is made."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            return self.get_response(request)
        with remembered():
            return self.get_response(request)


def remember(model: M) -> M:
    """Declare that one person's organisations have at most thousands of rows of this model."""
    _few.add(model)
    return model


def is_few(model: type[Model]) -> bool:
    """Whether the ids found by rows of this model are remembered for a page."""
    return model in _few


def held(key: Hashable, rows: QuerySet[Any], column: str) -> QuerySet[Any] | list[int]:
    """The ids in a column of these rows: a list while a page is read, else a subquery.

    The same `key` must always stand for the same rows and column.
    """
    page = _remembered.get()
    if page is None:
        return rows.values(column)
    if key not in page:
        page[key] = list(set(rows.order_by().values_list(column, flat=True)))
    return page[key]


def among(path: str, ids: QuerySet[Any] | list[int]) -> Q:
    """The condition that the id at `path` is one of those held."""
    return Q(**{f"{path}__held": ids}) if isinstance(ids, list) else Q(**{f"{path}__in": ids})
