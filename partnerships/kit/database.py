"""What holds of the connection to the database, and statements that it plans once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection

#: Before statements about a few rows of large tables: whatever the planner last knew of how many there are, each is
#: found by its index, by one process (to start others takes longer than most statements), and nothing is compiled.
BY_INDEX = "SET LOCAL enable_seqscan = off; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off"


#: Whether each connection reaches its server process directly.
_direct: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


def keeps_statements() -> bool:
    """Whether a prepared statement is still there at the next transaction: not behind PgBouncer.

    A pooler gives each transaction another server process. PostgreSQL tells each client the number of its process, for
    cancelling; a pooler tells a number of its own making. Asked once a connection.
    """
    connection.ensure_connection()
    own = connection.connection
    if own not in _direct:
        with connection.wrap_database_errors, own.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            _direct[own] = cursor.fetchone()[0] == own.get_backend_pid()
    return _direct[own]


#: Statements that each connection has planned already, by their text: the name of each, and of its values in order.
_planned: WeakKeyDictionary[Any, dict[str, tuple[str, list[str]]]] = WeakKeyDictionary()
#: No connection keeps more of them than this.
_MAX_PLANNED = 100
_PLACE = re.compile(r"%(?:\((\w+)\))?s")


def rows_planned_once(
    sql: str, values: Sequence[Any] | Mapping[str, Any], *, whatever_is_asked: bool = False
) -> list[tuple[Any, ...]]:
    """All rows of a statement that is asked over and over: a connection plans it once, which takes longer than running.

    PostgreSQL plans anew for values of which it thinks that they deserve it. With `whatever_is_asked` it does not: for
    a statement whose best plan is the same for all values. Behind PgBouncer everything is planned each time.
    """
    connection.ensure_connection()
    planned = _planned.setdefault(connection.connection, {})
    if sql not in planned:
        if not keeps_statements() or len(planned) >= _MAX_PLANNED:
            return rows_of(sql, values)
        name, order = f"planned_{len(planned)}", list(dict.fromkeys(_PLACE.findall(sql)))
        place = count(1)
        numbered = _PLACE.sub(lambda found: f"${order.index(found[1]) + 1 if found[1] else next(place)}", sql)
        with connection.wrap_database_errors, connection.connection.cursor() as cursor:
            cursor.execute(f"PREPARE {name} AS {numbered.replace('%%', '%')}")
        planned[sql] = name, order
    name, order = planned[sql]
    given = [as_array(one) for one in ([values[one] for one in order] if isinstance(values, Mapping) else values)]
    # Said with each statement: what one wants must not hold for the next.
    mode = "force_generic_plan" if whatever_is_asked else "auto"
    said = f"EXECUTE {name} ({', '.join(['%s'] * len(given))})" if given else f"EXECUTE {name}"
    return rows_of(f"SET plan_cache_mode = {mode}; {said}", given)


def as_array(value: Any) -> Any:
    """A list of numbers, of truths or of texts (None among them) as PostgreSQL writes one, where it knows what it gets:
    psycopg2, the parser and the planner would go through them one by one. Anything else as it is."""
    if not isinstance(value, list) or not value:
        return value
    kinds = set(map(type, value))
    if kinds <= {int, bool}:
        return f"{{{','.join(map(str, value))}}}"
    if kinds == {str}:
        return _texts(value)
    if kinds <= {str, type(None)}:
        return f"{{{','.join(['NULL' if one is None else _texts([one])[1:-1] for one in value])}}}"
    return value


def _texts(texts: list[str]) -> str:
    """Escaped all together, parted by what no text of PostgreSQL's may hold."""
    whole = "\0".join(texts)
    if whole.count("\0") >= len(texts):
        raise ValueError("A text cannot hold the character NUL.")
    escaped = whole.replace("\\", "\\\\").replace('"', '\\"').replace("\0", '","')
    return f'{{"{escaped}"}}'


def rows_of(sql: str, values: Sequence[Any] | Mapping[str, Any] | None) -> list[tuple[Any, ...]]:
    """All rows of a statement; none of one that returns nothing."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
    return rows
