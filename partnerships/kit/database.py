"""The database connection: prepared statements and raw rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import QuerySet
from psycopg2.extensions import AsIs, register_adapter

#: For statements about a few rows of large tables: use indexes, one process (starting others takes longer than most
#: statements) and no JIT, whatever the statistics say.
BY_INDEX = "SET LOCAL enable_seqscan = off; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off"


#: For statements that read many rows. PostgreSQL would take longer to compile them than to run them, and would write to
#: disk what fits into memory.
_WITH_ROOM = "SET LOCAL jit = off; SET LOCAL work_mem = '64MB'; SET LOCAL hash_mem_multiplier = 40"


def add_up(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement that adds up many rows.

    PostgreSQL expects far more groups than there are: without room for tables of that many it would sort all rows, once
    for each way of adding them up.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_WITH_ROOM)
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


#: What comes before the first row and after the last one in PostgreSQL's binary format (COPY).
_BEFORE, _AFTER = 19, b"\xff\xff"


def binary_rows(statement: str, values: Mapping[str, Any]) -> list[list[memoryview]]:
    """The rows of a statement whose columns are bytes, none of them empty.

    For some megabytes: an ordinary answer has two characters for each byte.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_WITH_ROOM)
        received = BytesIO()
        with connection.wrap_database_errors, connection.connection.cursor() as plain:
            plain.copy_expert(f"COPY ({plain.mogrify(statement, values).decode()}) TO STDOUT (FORMAT binary)", received)
    rows: list[list[memoryview]] = []
    data, place = received.getbuffer(), _BEFORE
    while data[place : place + 2] != _AFTER:
        fields, place = int.from_bytes(data[place : place + 2]), place + 2
        row = []
        for _ in range(fields):
            size, place = int.from_bytes(data[place : place + 4]), place + 4
            row.append(data[place : place + size])
            place += size
        rows.append(row)
    return rows


def subquery(name: str, rows: QuerySet[Any, Any], *, empty: str) -> tuple[str, dict[str, Any]]:
    """Django's SQL of a queryset with named values, to stand in a larger statement.

    `empty` is the SQL instead where Django knows that there are no rows.
    """
    try:
        sql, values = rows.query.sql_with_params()
    except EmptyResultSet:
        return empty, {}
    names = [f"{name}_{place}" for place in range(len(values))]
    return sql.replace("%%", "%%%%") % tuple(f"%({name})s" for name in names), dict(zip(names, values, strict=True))


#: Whether each connection reaches its server process directly.
_direct: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


def keeps_statements() -> bool:
    """Whether prepared statements last until the next transaction.

    Not behind PgBouncer, which gives each transaction another server process. PostgreSQL tells clients the id of their
    process, for cancelling; a pooler makes up an id. Checked once a connection.
    """
    connection.ensure_connection()
    own = connection.connection
    if own not in _direct:
        with connection.wrap_database_errors, own.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            _direct[own] = cursor.fetchone()[0] == own.get_backend_pid()
    return _direct[own]


#: Prepared statements of each connection: by text, its name and the order of its values.
_planned: WeakKeyDictionary[Any, dict[str, tuple[str, list[str]]]] = WeakKeyDictionary()
#: Maximum prepared statements of a connection.
_MAX_PLANNED = 100
#: Numbers in names of prepared statements, each used once: PostgreSQL refuses a name that is still taken, also by a
#: statement whose preparing was cut off by a time limit.
_numbers = count(1)
_PLACE = re.compile(r"%(?:\((\w+)\))?s")


def rows_planned_once(
    sql: str, values: Sequence[Any] | Mapping[str, Any], *, generic_plan: bool = False, by_index: bool = False
) -> list[tuple[Any, ...]]:
    """All rows of a frequent statement, which each connection plans once.

    Planning takes longer than running. With `generic_plan`, PostgreSQL uses one plan for all values; without it, it may
    plan again for some of them. `by_index` plans with the settings `BY_INDEX`. Behind PgBouncer each call is planned.
    """
    plan_by_index = f"{BY_INDEX}; " * by_index
    connection.ensure_connection()
    planned = _planned.setdefault(connection.connection, {})
    if sql not in planned:
        if not keeps_statements() or len(planned) >= _MAX_PLANNED:
            return rows_of(f"{plan_by_index}{sql}", values)
        name, order = f"planned_{next(_numbers)}", list(dict.fromkeys(_PLACE.findall(sql)))
        place = count(1)
        numbered = _PLACE.sub(lambda found: f"${order.index(found[1]) + 1 if found[1] else next(place)}", sql)
        _run(f"PREPARE {name} AS {numbered.replace('%%', '%')}")
        planned[sql] = name, order
    name, order = planned[sql]
    given = [as_array(value) for value in ([values[one] for one in order] if isinstance(values, Mapping) else values)]
    mode = "force_generic_plan" if generic_plan else "auto"
    # Sent with each statement: settings of one must not apply to the next.
    return rows_of(f"{plan_by_index}SET plan_cache_mode = {mode}; {_execute(name, len(given))}", given)


def _execute(name: str, values: int) -> str:
    """SQL that runs a prepared statement."""
    return f"EXECUTE {name} ({', '.join(['%s'] * values)})" if values else f"EXECUTE {name}"


def _run(sql: str) -> None:
    """Run finished SQL on the connection, unseen by what counts queries."""
    with connection.wrap_database_errors, connection.connection.cursor() as cursor:
        cursor.execute(sql)


#: Prepared statements of pages on each connection: names by text, the one that was used last at the end.
_kept: WeakKeyDictionary[Any, dict[str, str]] = WeakKeyDictionary()
#: Maximum prepared statements of pages of a connection. Each needs some 100 KB of its server process.
_MAX_KEPT = 200
#: Begins with SELECT, so that row history does not take the statement for one that writes.
_PLAN_ONCE = "SELECT set_config('plan_cache_mode', 'force_generic_plan', false)"


def planned_once(text: str, types: Sequence[str]) -> str | None:
    """SQL with places for values, to run a statement of a page that the connection plans once.

    `text` names its values $1, $2, of these PostgreSQL types. Its plan is the same for all values. None behind
    PgBouncer.
    """
    connection.ensure_connection()
    if not keeps_statements():
        return None
    kept = _kept.setdefault(connection.connection, {})
    name = kept.pop(text, None)
    if name is None:
        name = f"kept_{next(_numbers)}"
        _run(f"PREPARE {name} ({', '.join(types)}) AS {text}" if types else f"PREPARE {name} AS {text}")
        if len(kept) >= _MAX_KEPT:
            _run(f"DEALLOCATE {kept.pop(next(iter(kept)))}")
    kept[text] = name
    return f"{_PLAN_ONCE}; {_execute(name, len(types))}"


def numbered(number: int) -> AsIs:
    """A value of `with_values` that stays open: $1, $2."""
    return AsIs(f"${number}")


def with_values(sql: str, values: Sequence[Any]) -> str:
    """The SQL with these values in their places."""
    connection.ensure_connection()
    with connection.connection.cursor() as cursor:
        text: bytes = cursor.mogrify(sql, values)
    return text.decode()


class IdArray(list[int]):
    """Ids that are sent as one array in quotes, `'{1,2}'`, because PostgreSQL parses each item of a list.

    They do not change once they are sent.
    """

    _sent: AsIs | None = None

    def as_sent(self) -> AsIs:
        """The array as psycopg2 puts it into a statement.

        Written once, however many statements it is in.
        """
        if self._sent is None:
            self._sent = AsIs(f"'{{{','.join(map(str, map(int, self)))}}}'")
        return self._sent

    @classmethod
    def of(cls, ids: Iterable[int]) -> IdArray:
        """These ids; not copied where they are an array already."""
        return ids if isinstance(ids, cls) else cls(ids)


register_adapter(IdArray, IdArray.as_sent)


def as_array(value: Any) -> Any:
    """A list of numbers, booleans or texts (or None) as a PostgreSQL array.

    For parameters of a known type: psycopg2, the parser and the planner would process the items one by one. Other
    values are returned unchanged.
    """
    if not isinstance(value, list) or not value:
        return value
    kinds = set(map(type, value))
    if kinds <= {int, bool}:
        return f"{{{','.join(map(str, value))}}}"
    if kinds == {str}:
        return _texts(value)
    if kinds <= {str, type(None)}:
        return f"{{{','.join(['NULL' if item is None else _texts([item])[1:-1] for item in value])}}}"
    return value


def _texts(texts: list[str]) -> str:
    """Escape all texts at once, joined by a character PostgreSQL forbids."""
    whole = "\0".join(texts)
    if whole.count("\0") >= len(texts):
        raise ValueError("A text cannot hold the character NUL.")
    escaped = whole.replace("\\", "\\\\").replace('"', '\\"').replace("\0", '","')
    return f'{{"{escaped}"}}'


def rows_of(sql: str, values: Sequence[Any] | Mapping[str, Any] | None) -> list[tuple[Any, ...]]:
    """All rows of a statement; empty if it returns none."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
    return rows
