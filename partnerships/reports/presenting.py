"""The tables of a snapshot as pages and paper show them, with their pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from django.utils.safestring import SafeString

from partnerships.kit.maps import Map
from partnerships.reports.paging import ROWS_A_PAGE, Pages, Paging, paged
from partnerships.reports.pictures import ShownNetwork, caption_of, draw, draw_map, draw_network
from partnerships.reports.snapshot import Column, Kind, Row, Snapshot, Table
from partnerships.reports.wording import cell_words

#: Rows of a long table on paper.
MAX_PRINTED = 1_000
#: Cells of one table, and of all, on paper that is made while somebody waits: a cell of a PDF takes 1 ms.
MAX_CELLS, MAX_CELLS_IN_ALL = 1_000, 1_500
#: More columns than these are written small on paper; a table of so few rows stays on one sheet.
_MANY, _FEW = 10, 8
#: A space at which no line ends.
NO_BREAK = "\u00a0"


@dataclass(frozen=True, slots=True)
class ShownCell:
    """A cell of a shown row, the classes that it has on pages and in PDFs, and its heading."""

    words: str
    look: str
    label: str


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
    networks: tuple[tuple[str, ShownNetwork], ...] = ()
    pages: Pages | None = None

    @property
    def look(self) -> str:
        """Its classes on paper: how wide it is, whether its columns are alike, and whether it fits beside its chart."""
        is_wide = len(self.columns) > _MANY
        is_even = is_wide and all(column.is_figure for column in self.columns[1:])
        is_short = len(self.rows) <= _FEW and not is_wide
        marks = (("wide", is_wide), ("even", is_even), ("short", is_short))
        return " ".join(f"cg-report-table--{name}" for name, holds in marks if holds)

    @property
    def is_stacked(self) -> bool:
        """Whether a phone shows each row below the other: with more words than figures there is nothing to compare."""
        return 2 * sum(column.is_figure for column in self.columns) < len(self.columns)


def printed_rows(snapshot: Snapshot, *, at_once: bool) -> dict[str, int]:
    """How many rows of each table paper has; `at_once`: somebody waits for it. The first tables come first."""
    if not at_once:
        return {table.code: MAX_PRINTED for table in snapshot.tables}
    rows_by_table, left = {}, MAX_CELLS_IN_ALL
    for table in snapshot.tables:
        across = len(table.columns)
        rows_by_table[table.code] = min(max(min(MAX_CELLS, left) // across, ROWS_A_PAGE), MAX_PRINTED)
        left = max(left - min(rows_by_table[table.code], len(table.rows)) * across, 0)
    return rows_by_table


def shown_tables(
    snapshot: Snapshot, paging: Paging | None = None, *, printed: Mapping[str, int] = MappingProxyType({})
) -> list[ShownTable]:
    """The tables of a snapshot in words, with their charts, maps and networks.

    On pages long tables are cut into pages. Paper has as many rows of each as are `printed`, at most `MAX_PRINTED`.
    """
    return [_shown_table(snapshot, table, paging, printed.get(table.code, MAX_PRINTED)) for table in snapshot.tables]


def _shown_table(snapshot: Snapshot, table: Table, paging: Paging | None, printed: int) -> ShownTable:
    """A table as the page or paper shows it, with its charts, maps and pictures."""
    is_mapped = any(picture.table == table.code for picture in snapshot.maps)
    rows, pages = paged(table, paging) if paging is not None else (table.rows[:printed], None)
    return ShownTable(
        code=table.code,
        title=table.title,
        columns=table.columns,
        rows=tuple(_shown(table, row, f"{table.code}-{row.key}" if is_mapped and row.key else "") for row in rows),
        total=_shown(table, table.total) if table.total else None,
        note=note_of(table, printed) if paging is None else table.note,
        empty=table.empty,
        charts=tuple(
            (caption_of(picture, table), draw(picture, table, on_screen=paging is not None))
            for picture in snapshot.charts
            if picture.table == table.code and picture.has_bars(table)
        ),
        maps=tuple(
            (picture.title, draw_map(picture, table, paging))
            for picture in snapshot.maps
            if picture.table == table.code
        ),
        networks=tuple(
            (picture.title, draw_network(picture, snapshot))
            for picture in snapshot.networks
            if picture.bodies == table.code
        ),
        pages=pages,
    )


def note_of(table: Table, printed: int = MAX_PRINTED) -> str:
    """What paper says below the title of a table."""
    left = len(table.rows) - printed
    cut = f"The first {printed:,} rows; the Excel file has {left:,} more." if left > 0 else ""
    return " ".join(filter(None, (table.note, cut)))


def _shown(table: Table, row: Row, anchor: str = "") -> ShownRow:
    pairs = list(zip(table.columns, row.cells, strict=True))
    cells = tuple(
        ShownCell(cell_words(column.kind, cell), _look(column, is_empty=cell is None), column.label)
        for column, cell in pairs[1:]
    )
    return ShownRow(cell_words(table.columns[0].kind, row.cells[0]), row.href, cells, anchor)


def _look(column: Column, *, is_empty: bool) -> str:
    """Figures stand at the right, and a day stays on one line. Stacked rows leave out an empty cell."""
    more = " govuk-table__cell--numeric" if column.is_figure else " cg-nowrap" if column.kind is Kind.DAY else ""
    return f"govuk-table__cell{more}{' cg-stack__empty' if is_empty else ''}"


def words_of(table: Table, printed: int = MAX_PRINTED) -> Iterator[list[str]]:
    """The table as rows of words for Word, headings first and the total last. A day stays on one line."""
    yield [column.label for column in table.columns]
    total = () if table.total is None else (table.total,)
    for row in (*table.rows[:printed], *total):
        pairs = zip(table.columns, row.cells, strict=True)
        yield [
            words.replace(" ", NO_BREAK) if column.kind is Kind.DAY else words
            for column, words in ((column, cell_words(column.kind, cell)) for column, cell in pairs)
        ]
