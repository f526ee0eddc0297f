"""Conditions and queries for rights, with SQL that is composed once in each process.

Every page checks rights many times, and Django takes longer to compose their subqueries than PostgreSQL takes to
answer. Here, a condition has a `Slot` for each value that differs between readers or moments. Its SQL is then cached
under a key, and used with other values.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import connection
from django.db.models import BooleanField, Expression, F, Model, Q, QuerySet

from partnerships.kit.database import rows_of

T = TypeVar("T")
#: The size at which a cache is emptied. Some keys include the day, so a cache would grow for ever.
_MAX_CACHED = 2_000
#: Cached conditions. The value is None if the SQL of the condition cannot be reused.
_conditions: dict[Hashable, _Sql | None] = {}
#: Cached queries with their parameters. Some of the parameters are slots.
_queries: dict[Hashable, tuple[str, tuple[Any, ...]]] = {}
_MISSING: Any = object()
#: Names that Django gives to tables in subqueries.
_ALIAS = re.compile(r"(?<![\w\"'%])(R*[A-Z]{1,2}\d+)(?![\w\"'])")


@dataclass(frozen=True, slots=True)
class Slot:
    """A placeholder for a value that is given each time the condition is used."""

    number: int


def moment(number: int) -> dt.datetime:
    """Return a slot for a moment. It is a datetime in year 1, because date fields accept no other type.

    Its microsecond is the slot's number.
    """
    return dt.datetime(1, 1, 1, microsecond=number, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class _Sql:
    """The SQL of a condition, split wherever the record's table is named, and its parameters."""

    pieces: tuple[str, ...]
    params: tuple[Any, ...]


class _Compiled(Expression):
    """A condition on a record, with SQL that was composed earlier."""

    conditional = True
    contains_aggregate = False
    contains_over_clause = False
    contains_column_references = True

    def __init__(self, sql: _Sql, values: Sequence[Any]) -> None:
        super().__init__(output_field=BooleanField())
        self.sql, self.values = sql, values
        self.record: Any = F("pk")

    def get_source_expressions(self) -> list[Any]:
        return [self.record]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        (self.record,) = exprs

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Return the SQL, with the alias that the record's table has in this query."""
        table = f"{compiler.quote_name_unless_alias(self.record.alias)}."
        return table.join(self.sql.pieces), tuple(_filled(param, self.values) for param in self.sql.params)


def _filled(param: Any, values: Sequence[Any]) -> Any:
    """Return the value for a slot. Any other parameter is returned unchanged."""
    if isinstance(param, Slot):
        return values[param.number]
    if isinstance(param, dt.datetime) and param.year == 1:
        return values[param.microsecond]
    return param


def _cached_value(cache: dict[Hashable, T], key: Hashable, compose: Callable[[], T]) -> T:
    """Return the cached value of the key. If there is none, compose it and store it in the cache."""
    # The value is looked up only once, because another thread may empty the cache in between.
    value: T = cache.get(key, _MISSING)
    if value is _MISSING:
        if len(cache) >= _MAX_CACHED:
            cache.clear()
        value = cache[key] = compose()
    return value


def compiled(key: Hashable, model: type[Model], compose: Callable[[], Q], values: Sequence[Any]) -> Q | None:
    """Return the condition that `compose` builds, with these values in its slots.

    Returns None if the condition's SQL cannot be reused. The same key must always mean the same condition.
    """
    sql = _cached_value(_conditions, key, lambda: _compile_condition(model, compose()))
    return None if sql is None else Q(_Compiled(sql, values))


def rows_composed_once(
    key: Hashable, compose: Callable[[], QuerySet[Any, tuple[Any, ...]]], values: Sequence[Any]
) -> list[tuple[Any, ...]]:
    """Return the rows of the query that `compose` builds, with these values in its slots.

    The query may only select columns that psycopg2 reads without Django's help, such as ids, texts and dates. The same
    key must always mean the same query.
    """

    def compose_sql() -> tuple[str, tuple[Any, ...]]:
        return compose().query.sql_with_params()

    sql, params = _cached_value(_queries, key, compose_sql)
    return rows_of(sql, [_filled(param, values) for param in params])


def _compile_condition(model: type[Model], condition: Q) -> _Sql | None:
    """Return the SQL of a condition, or None if the condition has joins or unnamed subqueries."""
    query = model._base_manager.filter(condition).query
    if sum(1 for use_count in query.alias_refcount.values() if use_count) > 1:
        return None
    try:
        sql, params = query.get_compiler(connection=connection).compile(query.where)
    except FullResultSet:
        return _Sql(("TRUE",), ())
    except EmptyResultSet:
        return None
    table = connection.ops.quote_name(model._meta.db_table)
    if re.search(rf"(?:FROM|JOIN) {re.escape(table)}(?! [A-Z])", sql):
        return None
    # The aliases in subqueries get a prefix. Without it, a later query could use one of them for the record's table.
    return _Sql(tuple(_ALIAS.sub(r"R\1", f"({sql})").split(f"{table}.")), tuple(params))
