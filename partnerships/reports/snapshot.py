"""A report as figures: tables, charts of their columns, and where the figures come from.

A snapshot is plain data. The page, the files and the email are drawn from it, and a frozen report keeps it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias, overload

#: Rows of one table that a frozen report keeps: some 1 MB. A network of 50,000 links would have 8.
MAX_KEPT = 5_000
#: What a cell holds; None is an empty cell.
Cell: TypeAlias = str | int | Decimal | dt.date | None


class Kind(Enum):
    """What a column holds: how it is shown and exported."""

    TEXT = "text"
    NUMBER = "number"
    #: How many there are: 0 reads as "none".
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


#: Columns whose cells are aligned to the right, and can be drawn.
FIGURES = frozenset({Kind.NUMBER, Kind.COUNT, Kind.MONEY, Kind.SHARE, Kind.PART, Kind.CHANGE})
#: Columns that follow from the other figures of their table: a restated figure changes them in every row.
DERIVED = frozenset({Kind.PART, Kind.CHANGE})


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    label: str
    kind: Kind = Kind.TEXT

    @property
    def is_figure(self) -> bool:
        """Whether it holds figures."""
        return self.kind in FIGURES


@dataclass(frozen=True, slots=True)
class Row:
    """A row: one cell for each column. The first names it.

    `key` finds the same row in another snapshot; by default its first cell. `href` is the page of the record, and
    `record` its kind and number as timelines have them (`plan:12`): see `records_of`.
    """

    cells: tuple[Cell, ...]
    href: str = ""
    key: str = ""
    record: str = ""

    @property
    def name(self) -> str:
        """What names the row."""
        return str(self.cells[0])

    @property
    def identity(self) -> str:
        """What finds the same row in another snapshot."""
        return self.key or self.name


class MadeRows(Sequence[Row]):
    """Rows of a long table that are made when they are read: a page shows 25 of 200,000.

    Each is made from one of the `numbers`.
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

    __hash__ = None  # type: ignore[assignment]  # as of a list

    @overload
    def __getitem__(self, place: int) -> Row: ...

    @overload
    def __getitem__(self, place: slice) -> MadeRows: ...

    def __getitem__(self, place: int | slice) -> Row | MadeRows:
        found = self._numbers[place]
        return self._make(found) if isinstance(found, int) else MadeRows(found, self._make)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a report; `code` finds it in another snapshot.

    `empty` says what no rows mean.

    `left_out` counts rows that it does not have: a long list names the first ones, and what is kept for years is
    `bounded`.
    """

    code: str
    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Row]
    total: Row | None = None
    note: str = ""
    empty: str = "Nothing to show."
    left_out: int = 0

    @property
    def number(self) -> int:
        """How many rows there are, with those that were left out."""
        return len(self.rows) + self.left_out

    def cells_with_total(self) -> Iterator[Row]:
        """Every row, the total last."""
        yield from self.rows
        if self.total is not None:
            yield self.total


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars of some columns of a table, which stands below it.

    A chart has no figures of its own.

    `series` are the places of at most two columns with figures.
    """

    title: str
    table: str
    series: tuple[int, ...]

    def has_bars(self, table: Table) -> bool:
        """Whether there is a bar to draw: bars of nothing but 0 say no more than the table."""
        return any(row.cells[place] for row in table.rows for place in self.series)


@dataclass(frozen=True, slots=True)
class AreaMap:
    """The areas of a table in shades of one of its columns.

    Like a chart, it has no figures of its own.

    The keys of the rows are GSS codes. `limits` are the figures from which a shade begins, four at most; without them
    they divide the table's own figures.
    """

    title: str
    table: str
    column: int
    limits: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class NetworkPicture:
    """The organisations of one table, and as lines the pairs of another.

    Like a chart, it has no figures of its own.

    The keys of `bodies` are numbers, those of `links` two of them (`3-12`); the last column of `links` says how strong
    a line is. `centre` is the key of the organisation in the middle, if one was chosen.
    """

    title: str
    links: str
    bodies: str
    centre: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where figures come from, and as of when."""

    words: str
    as_of: dt.date | None = None
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A report at a moment, for one reader or audience.

    `answers` are the sentences that most readers come for. `filters` are the filters in use, in words.
    `made_for` says whose figures these are: "what Amina Yusuf may read".
    """

    report: str
    title: str
    made_at: dt.datetime
    made_for: str
    filters: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    maps: tuple[AreaMap, ...] = ()
    networks: tuple[NetworkPicture, ...] = ()
    sources: tuple[Source, ...] = ()
    notes: tuple[str, ...] = ()

    def table(self, code: str) -> Table | None:
        """The table with this code."""
        return next((table for table in self.tables if table.code == code), None)


def records_of(snapshot: Snapshot) -> dict[str, set[int]]:
    """The records that rows name, by kind."""
    records: dict[str, set[int]] = {}
    for table in snapshot.tables:
        for row in table.rows:
            if row.record:
                kind, _, number = row.record.partition(":")
                records.setdefault(kind, set()).add(int(number))
    return records


def bounded(snapshot: Snapshot) -> Snapshot:
    """The snapshot with at most `MAX_KEPT` rows of each table, for what is kept for years."""
    return replace(snapshot, tables=tuple(map(_bounded, snapshot.tables)))


def _bounded(table: Table) -> Table:
    left_out = len(table.rows) - MAX_KEPT
    if left_out <= 0:
        return table
    note = f"{table.note} The first {MAX_KEPT:,} rows were kept, {left_out:,} were not.".strip()
    return replace(table, rows=table.rows[:MAX_KEPT], note=note, left_out=table.left_out + left_out)


def to_json(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot as values of JSON."""
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
    return cell.isoformat() if isinstance(cell, dt.date) else str(cell) if isinstance(cell, Decimal) else cell


def from_json(kept: dict[str, Any]) -> Snapshot:
    """The snapshot that `to_json` wrote."""
    return Snapshot(
        report=kept["report"],
        title=kept["title"],
        made_at=dt.datetime.fromisoformat(kept["made_at"]),
        made_for=kept["made_for"],
        filters=tuple(kept["filters"]),
        answers=tuple(kept["answers"]),
        tables=tuple(_table_from_json(table) for table in kept["tables"]),
        charts=tuple(Chart(chart["title"], chart["table"], tuple(chart["series"])) for chart in kept["charts"]),
        maps=tuple(
            AreaMap(title, table, column, tuple(limits)) for title, table, column, limits in kept.get("maps", [])
        ),
        networks=tuple(NetworkPicture(*network) for network in kept.get("networks", [])),
        sources=tuple(
            Source(source["words"], dt.date.fromisoformat(source["as_of"]) if source["as_of"] else None, source["href"])
            for source in kept["sources"]
        ),
        notes=tuple(kept["notes"]),
    )


def _table_from_json(kept: dict[str, Any]) -> Table:
    columns = tuple(Column(label, Kind(kind)) for label, kind in kept["columns"])
    return Table(
        code=kept["code"],
        title=kept["title"],
        columns=columns,
        rows=tuple(_row_from_json(columns, row) for row in kept["rows"]),
        total=_row_from_json(columns, kept["total"]) if kept["total"] else None,
        note=kept["note"],
        empty=kept["empty"],
        left_out=kept.get("left_out", 0),
    )


def _row_from_json(columns: Sequence[Column], kept: dict[str, Any]) -> Row:
    cells = zip(columns, kept["cells"], strict=True)
    words = tuple(_cell_from_json(column, cell) for column, cell in cells)
    return Row(words, kept["href"], kept["key"], kept.get("record", ""))


def _cell_from_json(column: Column, value: Any) -> Cell:
    """The cell: days and decimals are texts in JSON."""
    if not isinstance(value, str):
        return value if value is None else int(value)
    if column.kind is Kind.DAY:
        return dt.date.fromisoformat(value)
    return Decimal(value) if column.is_figure else value
