"""Prepare the tables of a snapshot for templates of pages and paper, with their charts and maps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from partnerships.kit.maps import Map
from partnerships.reports.paging import ROWS_A_PAGE, Pages, Paging, rows_of_page
from partnerships.reports.pictures import ChartPlace, ShownNetwork, chart_caption, draw_chart, draw_map, draw_network
from partnerships.reports.snapshot import Cell, Column, Kind, Row, Snapshot, Table
from partnerships.reports.wording import cell_in_words

#: A table on paper has at most this many rows.
MAX_PRINTED = 1_000
#: Limits of the cells of one table, and of all tables, on paper that is written during a request. A cell of a PDF takes
#: 1 ms.
MAX_CELLS, MAX_CELLS_IN_ALL = 1_000, 1_500
#: A table with more columns than this is printed small.
_MAX_NORMAL_COLUMNS = 10
#: A table with at most this many rows is printed on one sheet.
_MAX_SHORT_ROWS = 8
#: A no-break space.
NO_BREAK = "\u00a0"


@dataclass(frozen=True, slots=True)
class ShownCell:
    """A cell in words, with its CSS classes and the heading of its column."""

    words: str
    classes: str
    label: str


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row in words, with its heading, the page of its record and the other cells. Maps link to its `anchor`."""

    name: str
    href: str
    cells: tuple[ShownCell, ...]
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table in words, with the charts, maps and networks that are drawn from it."""

    code: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[ShownRow, ...]
    total: ShownRow | None
    note: str
    empty: str
    charts: tuple[tuple[str, SafeString], ...]
    maps: tuple[tuple[str, Map], ...] = ()
    networks: tuple[tuple[str, ShownNetwork], ...] = ()
    pages: Pages | None = None

    @property
    def classes(self) -> str:
        """Return the CSS classes for paper, by which a wide table is printed small and a short table on one sheet."""
        is_wide = len(self.columns) > _MAX_NORMAL_COLUMNS
        is_even = is_wide and all(column.is_figure for column in self.columns[1:])
        is_short = len(self.rows) <= _MAX_SHORT_ROWS and not is_wide
        classes = []
        if is_wide:
            classes.append("cg-report-table--wide")
        if is_even:
            classes.append("cg-report-table--even")
        if is_short:
            classes.append("cg-report-table--short")
        return " ".join(classes)

    @property
    def is_stacked(self) -> bool:
        """Return whether a phone shows the cells of a row below each other, because fewer than half are figures."""
        figure_columns = sum(column.is_figure for column in self.columns)
        return 2 * figure_columns < len(self.columns)


def row_limits_on_paper(snapshot: Snapshot, *, at_once: bool) -> dict[str, int]:
    """Return the maximum number of rows of each table on paper, by the table's code.

    With `at_once`, the paper is written during a request, and all its tables share a limited number of cells. Each
    table uses as many as it needs, and later tables get what remains, but at least the rows of one page.
    """
    if not at_once:
        return {table.code: MAX_PRINTED for table in snapshot.tables}
    row_limits: dict[str, int] = {}
    remaining_cells = MAX_CELLS_IN_ALL
    for table in snapshot.tables:
        column_count = len(table.columns)
        affordable_rows = min(MAX_CELLS, remaining_cells) // column_count
        row_limit = min(max(affordable_rows, ROWS_A_PAGE), MAX_PRINTED)
        row_limits[table.code] = row_limit
        remaining_cells = max(remaining_cells - min(row_limit, len(table.rows)) * column_count, 0)
    return row_limits


def tables_on_page(snapshot: Snapshot, paging: Paging) -> list[ShownTable]:
    """Return the tables of a snapshot in words for its page, which shows 25 rows of a long table."""
    shown_tables = []
    for table in snapshot.tables:
        rows, pages = rows_of_page(table, paging)
        shown_tables.append(_shown_table(snapshot, table, rows, note=table.note, paging=paging, pages=pages))
    return shown_tables


def tables_on_paper(snapshot: Snapshot, row_limits: Mapping[str, int]) -> list[ShownTable]:
    """Return the tables of a snapshot in words for paper, with the first rows of a long table.

    `row_limits` are the numbers of rows by the table's code (`row_limits_on_paper`).
    """
    shown_tables = []
    for table in snapshot.tables:
        row_limit = row_limits[table.code]
        note = note_on_paper(table, row_limit)
        shown_tables.append(_shown_table(snapshot, table, table.rows[:row_limit], note=note, paging=None, pages=None))
    return shown_tables


def _shown_table(
    snapshot: Snapshot, table: Table, rows: Sequence[Row], *, note: str, paging: Paging | None, pages: Pages | None
) -> ShownTable:
    """Return one table with these of its rows, and with its charts, maps and networks. On paper, `paging` is None."""
    place: ChartPlace = "paper" if paging is None else "page"
    charts = [
        (chart_caption(chart, table, place), draw_chart(chart, table, place))
        for chart in snapshot.charts
        if chart.table == table.code and chart.has_bars(table)
    ]
    maps = [
        (area_map.title, draw_map(area_map, table, paging))
        for area_map in snapshot.maps
        if area_map.table == table.code
    ]
    networks = [
        (network.title, draw_network(network, snapshot))
        for network in snapshot.networks
        if network.bodies == table.code
    ]

    shown_rows = []
    for row in rows:
        # The areas of a map link to their rows.
        anchor = f"{table.code}-{row.key}" if maps and row.key else ""
        shown_rows.append(_shown_row(table, row, anchor=anchor))
    return ShownTable(
        code=table.code,
        title=table.title,
        columns=table.columns,
        rows=tuple(shown_rows),
        total=_shown_row(table, table.total) if table.total else None,
        note=note,
        empty=table.empty,
        charts=tuple(charts),
        maps=tuple(maps),
        networks=tuple(networks),
        pages=pages,
    )


def note_on_paper(table: Table, row_limit: int = MAX_PRINTED) -> str:
    """Return the note below the title of a table on paper, with a sentence if some rows are not printed."""
    omitted_count = len(table.rows) - row_limit
    if omitted_count <= 0:
        return table.note
    return (
        f"{table.note} This table has the first {row_limit:,} rows. The Excel file has {omitted_count:,} more.".strip()
    )


def _shown_row(table: Table, row: Row, *, anchor: str = "") -> ShownRow:
    """Return a row in words. The first cell is its heading."""
    heading, *other_cells = zip(table.columns, row.cells, strict=True)
    heading_column, heading_cell = heading
    cells = tuple(
        ShownCell(
            words=cell_in_words(column.kind, cell),
            classes=_cell_classes(column, is_empty=cell is None),
            label=column.label,
        )
        for column, cell in other_cells
    )
    return ShownRow(name=cell_in_words(heading_column.kind, heading_cell), href=row.href, cells=cells, anchor=anchor)


def _cell_classes(column: Column, *, is_empty: bool) -> str:
    """Return CSS classes that align figures right, prevent a line break in dates and hide empty stacked cells."""
    classes = ["govuk-table__cell"]
    if column.is_figure:
        classes.append("govuk-table__cell--numeric")
    elif column.kind is Kind.DAY:
        classes.append("cg-nowrap")
    if is_empty:
        classes.append("cg-stack__empty")
    return " ".join(classes)


def rows_of_text(table: Table, row_limit: int = MAX_PRINTED) -> Iterator[list[str]]:
    """Yield the headings, the rows and the total of a table as text for Word and emails."""
    yield [column.label for column in table.columns]
    total = () if table.total is None else (table.total,)
    for row in (*table.rows[:row_limit], *total):
        yield [_unbroken_words(column, cell) for column, cell in zip(table.columns, row.cells, strict=True)]


def _unbroken_words(column: Column, cell: Cell) -> str:
    """Return the words of a cell. A date has no-break spaces, so that it is not split between lines."""
    text = cell_in_words(column.kind, cell)
    return text.replace(" ", NO_BREAK) if column.kind is Kind.DAY else text
