"""Conditions whose SQL is composed once a process, for rights.

Every page asks for rights many times, and composing their subqueries takes Django longer than PostgreSQL needs to
answer. Here a condition is composed with a `Slot` for each value that differs between readers or moments, and its
SQL is kept under a key.
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
#: Some keys include the day, so all that is kept is dropped when there is too much.
_MAX_KEPT = 2_000
#: Kept conditions; None for one whose SQL cannot be kept.
_conditions: dict[Hashable, _Sql | None] = {}
#: Kept queries with their parameters, some of them slots.
_queries: dict[Hashable, tuple[str, tuple[Any, ...]]] = {}
_MISSING: Any = object()
#: Names that Django gives to tables in subqueries.
_ALIAS = re.compile(r"(?<![\w\"'%])(R*[A-Z]{1,2}\d+)(?![\w\"'])")


@dataclass(frozen=True, slots=True)
class Slot:
    """A placeholder for a value that is known when the condition is used."""

    number: int


def moment(number: int) -> dt.datetime:
    """A slot for a moment, as a datetime: date fields accept nothing else."""
    return dt.datetime(1, 1, 1, microsecond=number, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class _Sql:
    """SQL between the places where the record's table is named, and its parameters."""

    pieces: tuple[str, ...]
    params: tuple[Any, ...]


class _Compiled(Expression):
    """A condition with ready SQL on the record at `pk`."""

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
        """The SQL with the record's table as it is called here."""
        table = f"{compiler.quote_name_unless_alias(self.record.alias)}."
        return table.join(self.sql.pieces), tuple(_filled(param, self.values) for param in self.sql.params)


def _filled(param: Any, values: Sequence[Any]) -> Any:
    if isinstance(param, Slot):
        return values[param.number]
    if isinstance(param, dt.datetime) and param.year == 1:
        return values[param.microsecond]
    return param


def _keep(kept: dict[Hashable, T], key: Hashable, compose: Callable[[], T]) -> T:
    """Return the value that is kept under the key, composed if there is none."""
    # Another thread may drop everything in between, so the value is returned from here and not looked up again.
    value: T = kept.get(key, _MISSING)
    if value is _MISSING:
        if len(kept) >= _MAX_KEPT:
            kept.clear()
        value = kept[key] = compose()
    return value


def compiled(key: Hashable, model: type[Model], compose: Callable[[], Q], values: Sequence[Any]) -> Q | None:
    """The condition that `compose` makes with these values, if it can be kept.

    None if not. The same key must always mean the same condition.
    """
    sql = _keep(_conditions, key, lambda: _sql_of(model, compose()))
    return None if sql is None else Q(_Compiled(sql, values))


def rows_composed_once(
    key: Hashable, compose: Callable[[], QuerySet[Any, tuple[Any, ...]]], values: Sequence[Any]
) -> list[tuple[Any, ...]]:
    """Return the rows of the query of columns that `compose` makes, with these values in its slots.

    For columns that psycopg2 reads without Django's help, such as ids, texts and dates. The same key must always mean
    the same query.
    """

    def compose_sql() -> tuple[str, tuple[Any, ...]]:
        return compose().query.sql_with_params()

    sql, params = _keep(_queries, key, compose_sql)
    return rows_of(sql, [_filled(param, values) for param in params])


def _sql_of(model: type[Model], condition: Q) -> _Sql | None:
    """The SQL of a condition; None if it has joins or unnamed subqueries."""
    query = model._base_manager.filter(condition).query
    if sum(1 for used in query.alias_refcount.values() if used) > 1:
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
    # Renamed, so that no subquery hides the record, whatever its table is called where the condition is used.
    return _Sql(tuple(_ALIAS.sub(r"R\1", f"({sql})").split(f"{table}.")), tuple(params))
