"""Snapshots, which are the tables, charts, maps and sources of a report as plain data.

The page, the files and the email of a report are made from its snapshot, and a frozen report stores it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias, overload

#: A frozen report stores at most this many rows of a table, about 1 MB. A network of 50,000 links would need 8 MB.
MAX_KEPT_ROWS = 5_000
#: The value of a cell. None is an empty cell.
Cell: TypeAlias = str | int | Decimal | dt.date | None


class Kind(Enum):
    """The kind of values in a column, which decides how pages and files show them."""

    TEXT = "text"
    NUMBER = "number"
    #: A number whose 0 is shown as “none”.
    COUNT = "count"
    #: Pounds.
    MONEY = "money"
    #: Per cent, with one decimal.
    SHARE = "share"
    #: A share of the table's own total.
    PART = "part"
    #: A difference, shown with its sign.
    CHANGE = "change"
    DAY = "day"


#: Kinds that are aligned to the right and can be drawn.
FIGURES = frozenset({Kind.NUMBER, Kind.COUNT, Kind.MONEY, Kind.SHARE, Kind.PART, Kind.CHANGE})
#: Kinds that are computed from other figures of the table. A restated figure changes them in every row, so comparisons
#: leave them out.
DERIVED = frozenset({Kind.PART, Kind.CHANGE})


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    label: str
    kind: Kind = Kind.TEXT

    @property
    def is_figure(self) -> bool:
        """Return whether columns of this kind contain figures."""
        return self.kind in FIGURES


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table, with one cell for each column."""

    cells: tuple[Cell, ...]
    _: KW_ONLY
    #: The URL of the record that the row is about.
    href: str = ""
    #: Identifies the same row in another snapshot. By default, the first cell does.
    key: str = ""
    #: The kind and id of the record, such as `plan:12`.
    record: str = ""

    @property
    def name(self) -> str:
        """Return the first cell, which is the heading of the row."""
        return str(self.cells[0])

    @property
    def identity(self) -> str:
        """Return the text that identifies the same row in another snapshot."""
        return self.key or self.name


class LazyRows(Sequence[Row]):
    """Rows of a long table that are built only when they are read.

    A page shows 25 of up to 200,000 rows. `make` builds a row from one of the `numbers`, such as an id or an index.
    """

    __slots__ = ("_make", "_numbers")

    def __init__(self, numbers: Sequence[int], make: Callable[[int], Row]) -> None:
        self._numbers, self._make = numbers, make

    def __len__(self) -> int:
        return len(self._numbers)

    def __repr__(self) -> str:
        return repr(tuple(self))

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # not hashable, like a list

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> LazyRows: ...

    def __getitem__(self, index: int | slice) -> Row | LazyRows:
        selected = self._numbers[index]
        if isinstance(selected, int):
            return self._make(selected)
        return LazyRows(selected, self._make)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a report."""

    #: Identifies the table in another snapshot.
    code: str
    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Row]
    total: Row | None = None
    note: str = ""
    #: The sentence that is shown if there are no rows.
    empty: str = "Nothing to show."
    #: The number of rows that are not in `rows`. Long lists and frozen reports have only their first rows.
    left_out: int = 0

    @property
    def row_count(self) -> int:
        """Return the number of rows, including those that were left out."""
        return len(self.rows) + self.left_out

    def rows_with_total(self) -> Iterator[Row]:
        """Yield all rows, with the total last."""
        yield from self.rows
        if self.total is not None:
            yield self.total


@dataclass(frozen=True, slots=True)
class Chart:
    """A bar chart of one or two columns of a table.

    `table` is the code of the table, and `series` are the indexes of the columns. If the table has too many rows for
    pairs of bars, only the last of these columns is drawn.
    """

    title: str
    table: str
    series: tuple[int, ...]

    def has_bars(self, table: Table) -> bool:
        """Return whether there is a bar to draw, that is, a figure other than 0."""
        return any(row.cells[column] for row in table.rows for column in self.series)


@dataclass(frozen=True, slots=True)
class AreaMap:
    """A map whose areas are shaded by one column of a table.

    The keys of the table's rows are GSS codes, and `column` is the index of the column. `limits` are the smallest
    figures of at most four shades. By default, the shades divide the areas into groups of similar size.
    """

    title: str
    table: str
    column: int
    limits: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class NetworkPicture:
    """A picture of a network, with the organisations of one table and lines for the pairs of another.

    `bodies` and `links` are the codes of these tables. The keys of rows in `bodies` are ids, and those of rows in
    `links` are two ids, such as `3-12`. The last column of `links` is the weight of a line. `centre` is the key of the
    organisation in the middle, or "".
    """

    title: str
    links: str
    bodies: str
    centre: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A source of the figures, and the day of its data."""

    words: str
    as_of: dt.date | None = None
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The figures of a report at a moment, for one reader or audience."""

    #: The slug of the report.
    report: str
    title: str
    made_at: dt.datetime
    #: The sentence which says whose rights the figures depend on, such as “This report counts what Ben West can read.”
    made_for: str
    #: The filters in words.
    filters: tuple[str, ...] = ()
    #: The main results, in sentences.
    answers: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    maps: tuple[AreaMap, ...] = ()
    networks: tuple[NetworkPicture, ...] = ()
    sources: tuple[Source, ...] = ()
    notes: tuple[str, ...] = ()

    def table(self, code: str) -> Table | None:
        """Return the table with this code, or None."""
        return next((table for table in self.tables if table.code == code), None)


def record_ids_by_kind(snapshot: Snapshot) -> dict[str, set[int]]:
    """Return the ids of the records that the rows name, by kind of record."""
    ids_by_kind: dict[str, set[int]] = {}
    for table in snapshot.tables:
        for row in table.rows:
            if row.record:
                kind, _, record_id = row.record.partition(":")
                ids_by_kind.setdefault(kind, set()).add(int(record_id))
    return ids_by_kind


def with_rows_limited(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot with at most `MAX_KEPT_ROWS` rows in each table, for a frozen report."""
    return replace(snapshot, tables=tuple(map(_table_with_rows_limited, snapshot.tables)))


def _table_with_rows_limited(table: Table) -> Table:
    """Return the table with at most `MAX_KEPT_ROWS` rows, and with a note if that leaves rows out."""
    left_out = len(table.rows) - MAX_KEPT_ROWS
    if left_out <= 0:
        return table
    note = f"{table.note} We kept the first {MAX_KEPT_ROWS:,} rows, and left out {left_out:,}.".strip()
    return replace(table, rows=table.rows[:MAX_KEPT_ROWS], note=note, left_out=table.left_out + left_out)


def to_json(snapshot: Snapshot) -> dict[str, Any]:
    """Return the snapshot as JSON values."""
    return {
        "report": snapshot.report,
        "title": snapshot.title,
        "made_at": snapshot.made_at.isoformat(),
        "made_for": snapshot.made_for,
        "filters": list(snapshot.filters),
        "answers": list(snapshot.answers),
        "tables": [_table_to_json(table) for table in snapshot.tables],
        "charts": [
            {"title": chart.title, "table": chart.table, "series": list(chart.series)} for chart in snapshot.charts
        ],
        "maps": [
            [drawn_map.title, drawn_map.table, drawn_map.column, list(drawn_map.limits)] for drawn_map in snapshot.maps
        ],
        "networks": [[network.title, network.links, network.bodies, network.centre] for network in snapshot.networks],
        "sources": [
            {"words": source.words, "as_of": source.as_of and source.as_of.isoformat(), "href": source.href}
            for source in snapshot.sources
        ],
        "notes": list(snapshot.notes),
    }


def _table_to_json(table: Table) -> dict[str, Any]:
    return {
        "code": table.code,
        "title": table.title,
        "columns": [[column.label, column.kind.value] for column in table.columns],
        "rows": [_row_to_json(row) for row in table.rows],
        "total": _row_to_json(table.total) if table.total else None,
        "note": table.note,
        "empty": table.empty,
        "left_out": table.left_out,
    }


def _row_to_json(row: Row) -> dict[str, Any]:
    return {
        "cells": [_cell_to_json(cell) for cell in row.cells],
        "href": row.href,
        "key": row.key,
        "record": row.record,
    }


def _cell_to_json(cell: Cell) -> Any:
    if isinstance(cell, dt.date):
        return cell.isoformat()
    return str(cell) if isinstance(cell, Decimal) else cell


def from_json(data: dict[str, Any]) -> Snapshot:
    """Return the snapshot from the JSON values of `to_json`."""
    return Snapshot(
        report=data["report"],
        title=data["title"],
        made_at=dt.datetime.fromisoformat(data["made_at"]),
        made_for=data["made_for"],
        filters=tuple(data["filters"]),
        answers=tuple(data["answers"]),
        tables=tuple(_table_from_json(table) for table in data["tables"]),
        charts=tuple(Chart(chart["title"], chart["table"], tuple(chart["series"])) for chart in data["charts"]),
        maps=tuple(
            AreaMap(title, table, column, tuple(limits)) for title, table, column, limits in data.get("maps", [])
        ),
        networks=tuple(NetworkPicture(*network) for network in data.get("networks", [])),
        sources=tuple(
            Source(source["words"], dt.date.fromisoformat(source["as_of"]) if source["as_of"] else None, source["href"])
            for source in data["sources"]
        ),
        notes=tuple(data["notes"]),
    )


def _table_from_json(data: dict[str, Any]) -> Table:
    columns = tuple(Column(label, Kind(kind)) for label, kind in data["columns"])
    return Table(
        code=data["code"],
        title=data["title"],
        columns=columns,
        rows=tuple(_row_from_json(columns, row) for row in data["rows"]),
        total=_row_from_json(columns, data["total"]) if data["total"] else None,
        note=data["note"],
        empty=data["empty"],
        left_out=data.get("left_out", 0),
    )


def _row_from_json(columns: Sequence[Column], data: dict[str, Any]) -> Row:
    cells = tuple(_cell_from_json(column, value) for column, value in zip(columns, data["cells"], strict=True))
    return Row(cells=cells, href=data["href"], key=data["key"], record=data.get("record", ""))


def _cell_from_json(column: Column, value: Any) -> Cell:
    """Return the value of a cell. Dates and decimals are strings in JSON."""
    if not isinstance(value, str):
        return value if value is None else int(value)
    if column.kind is Kind.DAY:
        return dt.date.fromisoformat(value)
    return Decimal(value) if column.is_figure else value
