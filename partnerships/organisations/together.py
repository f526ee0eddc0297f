"""Several kept statements as one query.

The rows of all come in one result. Columns of one type share places in it, so that it is no wider than it needs to be.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeAlias

from django.db import connection

from partnerships.kit.database import planned_once, rows_of
from partnerships.organisations.filling import Planned, Ready

Row: TypeAlias = tuple[Any, ...]
#: Names of PostgreSQL's types by number.
_types: dict[int, str] = {}
#: Layouts by their statements and what is asked of each; dropped when there are too many.
_layouts: dict[Hashable, _Layout] = {}
_MAX_LAYOUTS = 500


@dataclass(frozen=True, slots=True)
class _Layout:
    """SQL around each statement, in place of {}, and how to find its own columns in a row of all.

    `planned` are the statements with numbered values, and all of them as one; None where the text depends on values.
    """

    around: tuple[str, ...]
    own: tuple[Callable[[Row], Row], ...]
    planned: tuple[tuple[Planned, ...], Planned] | None


def rows_together(many: Sequence[Ready]) -> list[list[Row]]:
    """The rows of each of these statements, as the database gives them, in one query.

    Each must have rows to read (`statement.rows`).
    """
    layout = _layout_of(many)
    rows_by_lookup: list[list[Row]] = [[] for _ in many]
    for row in rows_of(*_asked(many, layout)):
        place = row[0]
        rows_by_lookup[place].append(layout.own[place](row))
    return rows_by_lookup


def _asked(many: Sequence[Ready], layout: _Layout) -> tuple[str, Sequence[Any]]:
    """All statements as one, planned once where that is possible, and its values."""
    if layout.planned is not None:
        each, whole = layout.planned
        said = planned_once(whole.text, whole.types)
        if said is not None:
            return said, [value for one, planned in zip(many, each, strict=True) for value in one.open_values(planned)]
    parts = [around.replace("{}", one.sql) for one, around in zip(many, layout.around, strict=True)]
    return " UNION ALL ".join(parts), [value for statement in many for value in statement.values]


def _layout_of(many: Sequence[Ready]) -> _Layout:
    key = tuple((statement.statement, statement.around) for statement in many)
    layout = _layouts.get(key)
    if layout is None:
        if len(_layouts) >= _MAX_LAYOUTS:
            _layouts.clear()
        around, own = _laid_out([_columns(statement) for statement in many])
        layout = _layouts[key] = _Layout(around, own, _numbered(many, around))
    return layout


def _numbered(many: Sequence[Ready], around: Sequence[str]) -> tuple[tuple[Planned, ...], Planned] | None:
    """The statements with values numbered through, and all of them as one."""
    each: list[Planned] = []
    types: tuple[str, ...] = ()
    for statement in many:
        planned = statement.numbered_from(len(types) + 1)
        if planned is None:
            return None
        each.append(planned)
        types += planned.types
    text = " UNION ALL ".join(about.replace("{}", one.text) for one, about in zip(each, around, strict=True))
    return tuple(each), Planned(text, types, ())


def _laid_out(columns: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], tuple[Callable[[Row], Row], ...]]:
    """SQL around each statement with columns of these types, and how to find its own columns."""
    width: Counter[str] = Counter()
    for own in columns:
        width |= Counter(own)
    places: defaultdict[str, list[int]] = defaultdict(list)
    all_types = [kind for kind in width for _ in range(width[kind])]
    for place, kind in enumerate(all_types):
        places[kind].append(place)
    arounds, getters = [], []
    for number, own in enumerate(columns):
        used: Counter[str] = Counter()
        at: dict[int, int] = {}
        for column, kind in enumerate(own):
            at[places[kind][used[kind]]] = column
            used[kind] += 1
        shown = [f"found.c{at[place]}" if place in at else f"NULL::{kind}" for place, kind in enumerate(all_types)]
        named = ", ".join(f"c{column}" for column in range(len(own)))
        arounds.append(f"(SELECT {', '.join([str(number), *shown])} FROM ({{}}) found ({named}))")  # noqa: S608  # types and numbers
        getters.append(_getter([place + 1 for place in sorted(at, key=lambda place: at[place])]))
    return tuple(arounds), tuple(getters)


def _getter(places: Sequence[int]) -> Callable[[Row], Row]:
    """Finds the values at these places of a row."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda row: tuple(row[place] for place in places)


def _columns(ready: Ready) -> list[str]:
    """The types of a statement's columns."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({ready.sql}) found LIMIT 0", ready.values)  # noqa: S608  # our SQL
        numbers = [column.type_code for column in cursor.description or ()]
        unknown = [number for number in numbers if number not in _types]
        if unknown:
            cursor.execute("SELECT oid::bigint, format_type(oid, NULL) FROM pg_type WHERE oid = ANY(%s)", [unknown])
            _types.update(cursor.fetchall())
    return [_types[number] for number in numbers]
