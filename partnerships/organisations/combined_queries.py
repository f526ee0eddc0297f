"""Run several stored statements as one query.

The result contains the rows of all statements. Columns of the same type share positions, so that the result is no wider
than necessary.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeAlias

from django.db import connection

from partnerships.kit.database import planned_once, rows_of
from partnerships.organisations.stored_statements import NumberedSql, ReadyStatement

Row: TypeAlias = tuple[Any, ...]
#: The names of PostgreSQL types by their number (OID).
_types: dict[int, str] = {}
#: Layouts by their statements and wrappers. If there are too many, all are dropped.
_layouts: dict[Hashable, _Layout] = {}
_MAX_LAYOUTS = 500


@dataclass(frozen=True, slots=True)
class _Layout:
    """How statements are combined into one query, and how each one's columns are picked from the result."""

    #: The SQL around each statement. The statement replaces the {}.
    wrappers: tuple[str, ...]
    #: For each statement, the function that picks the statement's columns from a row of the result.
    pick_columns: tuple[Callable[[Row], Row], ...]
    #: Each statement with numbered values, and all statements as one. None if the text of a statement depends on
    #: values.
    numbered: tuple[tuple[NumberedSql, ...], NumberedSql] | None


def rows_in_one_query(statements: Sequence[ReadyStatement]) -> list[list[Row]]:
    """Return the raw rows of each of these statements, in one query.

    Each statement must be able to return rows (`statement.rows`).
    """
    layout = _layout_of(statements)
    rows_by_statement: list[list[Row]] = [[] for _ in statements]
    for row in rows_of(*_sql_and_values(statements, layout)):
        index = row[0]
        rows_by_statement[index].append(layout.pick_columns[index](row))
    return rows_by_statement


def _sql_and_values(statements: Sequence[ReadyStatement], layout: _Layout) -> tuple[str, Sequence[Any]]:
    """Return all statements as one query, and its values; if possible, the SQL calls the prepared query."""
    if layout.numbered is not None:
        numbered_statements, combined = layout.numbered
        call = planned_once(combined.text, combined.types)
        if call is not None:
            return call, [
                value
                for statement, numbered_sql in zip(statements, numbered_statements, strict=True)
                for value in statement.values_of(numbered_sql)
            ]
    wrapped_statements = [
        wrapper.replace("{}", statement.sql) for statement, wrapper in zip(statements, layout.wrappers, strict=True)
    ]
    return " UNION ALL ".join(wrapped_statements), [value for statement in statements for value in statement.values]


def _layout_of(statements: Sequence[ReadyStatement]) -> _Layout:
    key = tuple((ready.statement, ready.wrapper) for ready in statements)
    layout = _layouts.get(key)
    if layout is None:
        if len(_layouts) >= _MAX_LAYOUTS:
            _layouts.clear()
        wrappers, pick_columns = _lay_out([_column_types(ready) for ready in statements])
        layout = _layouts[key] = _Layout(wrappers, pick_columns, _number(statements, wrappers))
    return layout


def _number(
    statements: Sequence[ReadyStatement], wrappers: Sequence[str]
) -> tuple[tuple[NumberedSql, ...], NumberedSql] | None:
    """Number the values of all statements in one sequence; return each statement, and all statements as one."""
    numbered_statements: list[NumberedSql] = []
    types: tuple[str, ...] = ()
    for ready in statements:
        numbered_sql = ready.numbered_from(len(types) + 1)
        if numbered_sql is None:
            return None
        numbered_statements.append(numbered_sql)
        types += numbered_sql.types
    wrapped_statements = [
        wrapper.replace("{}", numbered_sql.text)
        for numbered_sql, wrapper in zip(numbered_statements, wrappers, strict=True)
    ]
    return tuple(numbered_statements), NumberedSql(" UNION ALL ".join(wrapped_statements), types, ())


def _lay_out(
    types_by_statement: Sequence[Sequence[str]],
) -> tuple[tuple[str, ...], tuple[Callable[[Row], Row], ...]]:
    """Return the SQL around each statement, and the functions that pick its columns from a row of the result.

    The first column of the result is the statement's index. Each type then has as many columns as the statement with
    the most columns of this type needs. NULL fills the columns that a statement does not use.
    """
    most_of_type: Counter[str] = Counter()
    for types in types_by_statement:
        most_of_type |= Counter(types)
    result_types = list(most_of_type.elements())
    positions_by_type: defaultdict[str, list[int]] = defaultdict(list)
    for position, sql_type in enumerate(result_types):
        positions_by_type[sql_type].append(position)

    wrappers, pick_columns = [], []
    for index, types in enumerate(types_by_statement):
        free_positions = {sql_type: iter(positions) for sql_type, positions in positions_by_type.items()}
        positions = [next(free_positions[sql_type]) for sql_type in types]
        column_by_position = {position: column for column, position in enumerate(positions)}
        selected = [
            f"own.c{column_by_position[position]}" if position in column_by_position else f"NULL::{sql_type}"
            for position, sql_type in enumerate(result_types)
        ]
        names = ", ".join(f"c{column}" for column in range(len(types)))
        wrappers.append(f"(SELECT {', '.join([str(index), *selected])} FROM ({{}}) own ({names}))")  # noqa: S608  # types and numbers
        # Each position moves by one, because the index of the statement is the first column.
        pick_columns.append(_picker([position + 1 for position in positions]))
    return tuple(wrappers), tuple(pick_columns)


def _picker(positions: Sequence[int]) -> Callable[[Row], Row]:
    """Return a function that picks the values at these positions of a row."""
    if len(positions) > 1:
        return itemgetter(*positions)
    return lambda row: tuple(row[position] for position in positions)


def _column_types(ready: ReadyStatement) -> list[str]:
    """Return the PostgreSQL types of a statement's columns."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({ready.sql}) found LIMIT 0", ready.values)  # noqa: S608  # our SQL
        type_codes = [column.type_code for column in cursor.description or ()]
        unknown_codes = [code for code in type_codes if code not in _types]
        if unknown_codes:
            cursor.execute(
                "SELECT oid::bigint, format_type(oid, NULL) FROM pg_type WHERE oid = ANY(%s)", [unknown_codes]
            )
            _types.update(cursor.fetchall())
    return [_types[code] for code in type_codes]
