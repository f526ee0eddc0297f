"""A snapshot in words, and its charts as SVG."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone
from django.utils.safestring import SafeString

from partnerships.kit.charts import Bar, bar_chart, row_chart
from partnerships.kit.dates import long_date, long_time
from partnerships.kit.maps import Map, Shaded, level_of, shaded_map
from partnerships.kit.text import figure, pounds
from partnerships.reports.comparing import Restatement
from partnerships.reports.snapshot import AreaMap, Cell, Chart, Column, Kind, Row, Snapshot, Source, Table

#: What stands in an empty cell.
EMPTY = "–"
#: Groups of bars that fit side by side, and bars that are drawn below each other.
_MAX_GROUPS, _MAX_ROWS = 12, 15
#: A minus is as wide as a plus.
MINUS = "\u2212"


def cell_words(kind: Kind, value: Cell) -> str:
    """A cell as pages and documents show it."""
    if value is None or value == "":
        return EMPTY
    if isinstance(value, dt.date):
        return long_date(value)
    if not isinstance(value, int | Decimal):
        return value
    if kind is Kind.COUNT and value == 0:
        return "none"
    if kind is Kind.MONEY:
        return pounds(value)
    if kind is Kind.SHARE:
        return f"{value:.1f}%"
    if kind is Kind.CHANGE and value > 0:
        return f"+{figure(value)}"
    return figure(value).replace("-", MINUS)


@dataclass(frozen=True, slots=True)
class ShownCell:
    """A cell of a shown row."""

    words: str
    is_figure: bool


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row in words: what names it, its page, and the other cells. A map leads to its `anchor`."""

    name: str
    href: str
    cells: tuple[ShownCell, ...]
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table in words, with the charts that are drawn of it."""

    code: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[ShownRow, ...]
    total: ShownRow | None
    note: str
    empty: str
    charts: tuple[tuple[str, SafeString], ...]
    maps: tuple[tuple[str, Map], ...] = ()


def shown_tables(snapshot: Snapshot) -> list[ShownTable]:
    """The tables of a snapshot in words, with their charts and maps."""
    mapped = {one.table for one in snapshot.maps}
    return [
        ShownTable(
            table.code,
            table.title,
            table.columns,
            tuple(
                _shown(table, row, f"{table.code}-{row.key}" if table.code in mapped and row.key else "")
                for row in table.rows
            ),
            _shown(table, table.total) if table.total else None,
            table.note,
            table.empty,
            tuple((one.title, draw(one, table)) for one in snapshot.charts if one.table == table.code and table.rows),
            tuple((one.title, draw_map(one, table)) for one in snapshot.maps if one.table == table.code),
        )
        for table in snapshot.tables
    ]


def _shown(table: Table, row: Row, anchor: str = "") -> ShownRow:
    pairs = list(zip(table.columns, row.cells, strict=True))
    cells = tuple(ShownCell(cell_words(column.kind, cell), column.is_figure) for column, cell in pairs[1:])
    return ShownRow(cell_words(table.columns[0].kind, row.cells[0]), row.href, cells, anchor)


def words_of(table: Table) -> Iterator[list[str]]:
    """The table as rows of words, headings first and the total last."""
    yield [column.label for column in table.columns]
    for row in table.cells_with_total():
        yield [cell_words(column.kind, cell) for column, cell in zip(table.columns, row.cells, strict=True)]


def draw(chart: Chart, table: Table) -> SafeString:
    """The chart as SVG: bars side by side for two columns, one below the other for one or for many rows."""
    label = f"{chart.title}; the table gives the figures"
    if len(chart.series) == 1 or len(table.rows) > _MAX_GROUPS:
        place = chart.series[-1]
        figures = [(row.name, int(_number(row.cells[place]) or 0)) for row in table.rows]
        if len(figures) > _MAX_ROWS:
            figures = sorted(figures, key=lambda one: -one[1])[:_MAX_ROWS]
            label = f"{label}; here the {_MAX_ROWS} highest"
        return row_chart(label, figures)
    first, second = (table.columns[place].label for place in chart.series)
    groups = [(row.name, (_bar(table, row, chart.series[0]), _bar(table, row, chart.series[1]))) for row in table.rows]
    return bar_chart(label, (first, second), groups)


def draw_map(area_map: AreaMap, table: Table) -> Map:
    """The map as SVG, with what its shades mean."""
    column = table.columns[area_map.column]
    figures = {row.identity: _number(row.cells[area_map.column]) for row in table.rows}
    limits = area_map.limits or _limits([int(value) for value in figures.values() if value])
    areas = [
        Shaded(
            row.identity,
            f"{row.name}: {cell_words(column.kind, row.cells[area_map.column])}",
            level_of(float(figures[row.identity] or 0), limits),
            f"#{table.code}-{row.identity}",
        )
        for row in table.rows
    ]
    return shaded_map(f"{area_map.title}; the table gives the figures", areas, _levels(limits))


def _limits(values: list[int]) -> tuple[int, ...]:
    """Round figures that divide these into four parts of about as many areas."""
    ranked = sorted(values)
    found = [1]
    for part in (1, 2, 3):
        value = ranked[len(ranked) * part // 4] if ranked else 0
        size = 10 ** max(len(str(value)) - 2, 0)
        value = max(round(value / size) * size, 1)
        if value > found[-1]:
            found.append(value)
    return tuple(found)


def _levels(limits: Sequence[int]) -> list[tuple[int, str]]:
    """What each shade means: “none”, “1”, “2 to 3”, “8 or more”."""
    found = [(0, "none")]
    for level, start in enumerate(limits, 1):
        end = limits[level] - 1 if level < len(limits) else None
        words = f"{start:,} or more" if end is None else f"{start:,}" if end == start else f"{start:,} to {end:,}"
        found.append((level, words))
    return found


def _bar(table: Table, row: Row, place: int) -> Bar:
    return _number(row.cells[place]), cell_words(table.columns[place].kind, row.cells[place])


def _number(cell: Cell) -> int | Decimal | None:
    return cell if isinstance(cell, int | Decimal) else None


def made_words(snapshot: Snapshot) -> str:
    """`As at 3 March 2027, 14:05. What Amina Yusuf may read.`"""
    return f"As at {long_time(timezone.localtime(snapshot.made_at))}. {snapshot.made_for}"


def source_words(source: Source) -> str:
    """`Published versions of plans, as at 3 March 2027`."""
    return f"{source.words}, as at {long_date(source.as_of)}" if source.as_of else source.words


@dataclass(frozen=True, slots=True)
class ShownRestatement:
    """A restated cell in words."""

    table: str
    row: str
    column: str
    was: str
    now: str
    difference: str


def shown_restatements(found: Iterable[Restatement]) -> list[ShownRestatement]:
    """Restated cells in words."""
    return [
        ShownRestatement(
            one.table,
            one.row,
            one.column,
            cell_words(one.kind, one.was),
            cell_words(one.kind, one.now),
            cell_words(Kind.CHANGE, one.difference) if one.difference is not None else "",
        )
        for one in found
    ]
