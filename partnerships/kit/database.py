"""Run raw SQL on the database connection, with prepared statements and PostgreSQL arrays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import QuerySet
from psycopg2.extensions import AsIs, register_adapter

#: Settings for statements about a few rows of large tables. PostgreSQL then uses indexes whatever the statistics say.
#: It does not start other processes or compile the statement (JIT), because this takes longer than most of them.
BY_INDEX = "SET LOCAL enable_seqscan = off; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off"

#: Settings for statements that read many rows. Without them, PostgreSQL would take longer to compile a statement than
#: to run it, and would write to disk what fits into memory.
_MANY_ROWS = "SET LOCAL jit = off; SET LOCAL work_mem = '64MB'; SET LOCAL hash_mem_multiplier = 40"

#: The number of bytes before the first row in PostgreSQL's binary COPY format, and the mark after the last row.
_COPY_HEADER_BYTES, _COPY_END = 19, b"\xff\xff"


def binary_rows(statement: str, values: Mapping[str, Any]) -> list[list[memoryview]]:
    """Return the rows of a statement in which all columns have the type bytea and are never null.

    This is for results of some megabytes, because PostgreSQL sends two characters for each byte outside of COPY.
    """
    received = BytesIO()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_MANY_ROWS)
        with connection.wrap_database_errors, connection.connection.cursor() as raw_cursor:
            query = raw_cursor.mogrify(statement, values).decode()
            raw_cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT binary)", received)
    return list(_parse_copy(received.getbuffer()))


def _parse_copy(data: memoryview) -> Iterator[list[memoryview]]:
    """Yield the columns of each row of data in PostgreSQL's binary COPY format."""
    position = _COPY_HEADER_BYTES
    while data[position : position + 2] != _COPY_END:
        column_count = int.from_bytes(data[position : position + 2])
        position += 2
        columns = []
        for _ in range(column_count):
            size = int.from_bytes(data[position : position + 4])
            position += 4
            columns.append(data[position : position + size])
            position += size
        yield columns


def subquery(name: str, rows: QuerySet[Any, Any], *, empty: str) -> tuple[str, dict[str, Any]]:
    """Return the SQL of a queryset for use in a larger statement, and the values of its placeholders.

    The values are named `<name>_0`, `<name>_1` and so on. If Django finds that the queryset has no rows, the SQL is
    `empty`.
    """
    try:
        sql, values = rows.query.sql_with_params()
    except EmptyResultSet:
        return empty, {}
    value_names = [f"{name}_{index}" for index in range(len(values))]
    placeholders = tuple(f"%({value_name})s" for value_name in value_names)
    return sql.replace("%%", "%%%%") % placeholders, dict(zip(value_names, values, strict=True))


#: Whether each connection is to its server process itself, and not to a pooler such as PgBouncer.
_is_direct: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


def keeps_statements() -> bool:
    """Return whether a prepared statement can still be used in the next transaction.

    Behind PgBouncer it cannot, because each transaction may get another server process. PgBouncer sends its clients an
    invented process id. So the id of the connection is compared with the id of the process, once for each connection.
    """
    connection.ensure_connection()
    raw_connection = connection.connection
    if raw_connection not in _is_direct:
        with connection.wrap_database_errors, raw_connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            _is_direct[raw_connection] = cursor.fetchone()[0] == raw_connection.get_backend_pid()
    return _is_direct[raw_connection]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """The name of a prepared statement, and the names of its values in the order of $1, $2."""

    name: str
    value_names: list[str]


#: The prepared statements of each connection, by their SQL.
_prepared: WeakKeyDictionary[Any, dict[str, _Prepared]] = WeakKeyDictionary()
_MAX_PREPARED = 100
#: Numbers for the names of prepared statements. Each is used only once, because PostgreSQL refuses an existing name. A
#: name may exist even if PREPARE was interrupted by a time limit.
_name_numbers = count(1)
_PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?s")


def rows_planned_once(
    sql: str, values: Sequence[Any] | Mapping[str, Any], *, generic_plan: bool = False, by_index: bool = False
) -> list[tuple[Any, ...]]:
    """Return all rows of a frequent statement, which each connection plans only once.

    Planning these statements takes longer than running them. With `generic_plan`, PostgreSQL uses one plan for all
    values. Without it, PostgreSQL may plan again for some values. `by_index` plans with the settings `BY_INDEX`. Behind
    PgBouncer, and beyond `_MAX_PREPARED` statements, each call is planned again.
    """
    plan_by_index = f"{BY_INDEX}; " if by_index else ""
    connection.ensure_connection()
    prepared_by_sql = _prepared.setdefault(connection.connection, {})
    if sql not in prepared_by_sql:
        if not keeps_statements() or len(prepared_by_sql) >= _MAX_PREPARED:
            return rows_of(f"{plan_by_index}{sql}", values)
        prepared_by_sql[sql] = _prepare(sql)
    prepared = prepared_by_sql[sql]

    ordered_values = [values[name] for name in prepared.value_names] if isinstance(values, Mapping) else values
    parameters = [as_array(value) for value in ordered_values]
    mode = "force_generic_plan" if generic_plan else "auto"
    # The mode is sent with each statement, because the mode of the previous statement would still apply.
    return rows_of(
        f"{plan_by_index}SET plan_cache_mode = {mode}; {_execute(prepared.name, len(parameters))}", parameters
    )


def _prepare(sql: str) -> _Prepared:
    """Prepare a statement, with $1, $2 instead of `%(name)s` or `%s`, and return its name and value names."""
    value_names = list(dict.fromkeys(_PLACEHOLDER.findall(sql)))
    positions = count(1)

    def numbered_parameter(placeholder: re.Match[str]) -> str:
        name = placeholder[1]
        return f"${value_names.index(name) + 1 if name else next(positions)}"

    prepared = _Prepared(name=f"planned_{next(_name_numbers)}", value_names=value_names)
    _run(f"PREPARE {prepared.name} AS {_PLACEHOLDER.sub(numbered_parameter, sql).replace('%%', '%')}")
    return prepared


def _execute(name: str, value_count: int) -> str:
    """Return SQL that runs a prepared statement, with a placeholder for each value."""
    return f"EXECUTE {name} ({', '.join(['%s'] * value_count)})" if value_count else f"EXECUTE {name}"


def _run(sql: str) -> None:
    """Run SQL without values outside Django's cursor, so that it is not recorded as a query of the page."""
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        cursor.execute(sql)


#: The names of the prepared statements of pages by their SQL, for each connection. The most recently used is last.
_page_statements: WeakKeyDictionary[Any, dict[str, str]] = WeakKeyDictionary()
#: Each statement takes about 100 KB of memory in the connection's server process.
MAX_PAGE_STATEMENTS = 200
#: This is a SELECT and not a SET, because pghistory would take a statement that begins with SET for one that writes.
_USE_GENERIC_PLAN = "SELECT set_config('plan_cache_mode', 'force_generic_plan', false)"


def planned_once(text: str, types: Sequence[str]) -> str | None:
    """Return SQL that runs a statement of a page, with a placeholder for each value.

    Returns None behind PgBouncer, which cannot keep prepared statements.
    `text` calls its values $1, $2, and `types` are their PostgreSQL types. Each connection plans the statement once,
    for all values. Beyond `MAX_PAGE_STATEMENTS`, the least recently used statement is dropped.
    """
    connection.ensure_connection()
    if not keeps_statements():
        return None
    names_by_text = _page_statements.setdefault(connection.connection, {})
    name = names_by_text.pop(text, None)
    if name is None:
        name = f"kept_{next(_name_numbers)}"
        _run(f"PREPARE {name} ({', '.join(types)}) AS {text}" if types else f"PREPARE {name} AS {text}")
        if len(names_by_text) >= MAX_PAGE_STATEMENTS:
            least_recently_used = next(iter(names_by_text))
            _run(f"DEALLOCATE {names_by_text.pop(least_recently_used)}")
    names_by_text[text] = name
    return f"{_USE_GENERIC_PLAN}; {_execute(name, len(types))}"


def numbered(position: int) -> AsIs:
    """Return a value that `with_values` writes as $1 or $2, for a value that differs between uses of a statement."""
    return AsIs(f"${position}")


def with_values(sql: str, values: Sequence[Any]) -> str:
    """Return the SQL with its placeholders replaced by the values."""
    connection.ensure_connection()
    with connection.connection.cursor() as cursor:
        text: bytes = cursor.mogrify(sql, values)
    return text.decode()


class IdArray(list[int]):
    """Ids that are sent as one quoted array, `'{1,2}'`. PostgreSQL would parse each item of a list separately.

    Do not change an array after it was first sent, because its SQL is composed only once.
    """

    _sql: AsIs | None = None

    def to_literal(self) -> AsIs:
        """Return the literal that psycopg2 writes into a statement.

        The method is not called `as_sql`, because Django would treat a value with such a method as an expression.
        """
        if self._sql is None:
            self._sql = AsIs(f"'{{{','.join(map(str, map(int, self)))}}}'")
        return self._sql

    @classmethod
    def of(cls, ids: Iterable[int]) -> IdArray:
        """Return an array of these ids. An existing array is returned itself."""
        return ids if isinstance(ids, cls) else cls(ids)


register_adapter(IdArray, IdArray.to_literal)


def as_array(value: Any) -> Any:
    """Return a list of numbers, booleans or texts as the text of one PostgreSQL array, such as `{1,2}`.

    The statement must cast the parameter to the type of the array. One array is faster than a list, because psycopg2,
    the parser and the planner process the items of a list one by one. A list of texts may contain None. Other values
    are returned unchanged.
    """
    if not isinstance(value, list) or not value:
        return value
    item_types = set(map(type, value))
    if item_types <= {int, bool}:
        return f"{{{','.join(map(str, value))}}}"
    if item_types == {str}:
        return _texts(value)
    if item_types <= {str, type(None)}:
        items = ["NULL" if item is None else _texts([item])[1:-1] for item in value]
        return f"{{{','.join(items)}}}"
    return value


def _texts(texts: list[str]) -> str:
    """Return the texts as the text of a PostgreSQL array, each in quotes.

    To escape them all at once, they are joined by NUL, which no text in PostgreSQL can contain. Raises `ValueError` if
    one of the texts contains NUL.
    """
    joined = "\0".join(texts)
    if joined.count("\0") >= len(texts):
        raise ValueError("A text cannot contain the character NUL.")
    escaped = joined.replace("\\", "\\\\").replace('"', '\\"').replace("\0", '","')
    return f'{{"{escaped}"}}'


def rows_of(sql: str, values: Sequence[Any] | Mapping[str, Any] | None) -> list[tuple[Any, ...]]:
    """Return all rows of a statement. The list is empty for a statement without rows, such as an UPDATE."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
    return rows
