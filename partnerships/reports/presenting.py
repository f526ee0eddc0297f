"""A snapshot in words, and its charts as SVG."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from django.http import QueryDict
from django.templatetags.static import static
from django.utils import timezone
from django.utils.safestring import SafeString

from partnerships.kit.charts import Bar, bar_chart, row_chart
from partnerships.kit.dates import long_date, long_time
from partnerships.kit.maps import OUTLINES_FILE, Map, Shaded, level_of, shaded_map
from partnerships.kit.networks import MAX_LINES, MAX_NODES, Node, Picture, lay_out
from partnerships.kit.text import figure, pounds
from partnerships.organisations.models import Kind as OrganisationKind
from partnerships.organisations.presenting import kinds_among
from partnerships.reports.comparing import Restatement
from partnerships.reports.snapshot import (
    AreaMap,
    Cell,
    Chart,
    Column,
    Kind,
    NetworkPicture,
    Row,
    Snapshot,
    Source,
    Table,
)

#: What stands in an empty cell.
EMPTY = "–"
#: Rows of a long table on one page, and on paper.
ROWS_A_PAGE, MAX_PRINTED = 25, 1_000
#: Cells of one table, and of all, on paper that is made while somebody waits: a cell of a PDF takes 1 ms.
MAX_CELLS, MAX_CELLS_IN_ALL = 1_000, 1_500
#: Groups of bars that fit side by side, each with room for a year, and bars that are drawn below each other.
_MAX_GROUPS, _MAX_ROWS = 14, 15
#: More columns than these are written small on paper; a table of so few rows stays on one sheet.
_MANY, _FEW = 10, 8
#: A minus is as wide as a plus.
MINUS = "\u2212"
#: A space at which no line ends.
NO_BREAK = "\u00a0"


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
    """A cell of a shown row, and the classes that it has on pages and in PDFs."""

    words: str
    look: str


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row in words: what names it, its page, and the other cells. A map leads to its `anchor`."""

    name: str
    href: str
    cells: tuple[ShownCell, ...]
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class ShownNetwork:
    """A picture of a network, and the kinds that its legend explains."""

    picture: Picture
    kinds: list[tuple[str, str]]
    words: str


@dataclass(frozen=True, slots=True)
class Pages:
    """Which rows of a long table are shown, and the addresses of those before and after."""

    words: str
    previous: str = ""
    next: str = ""


@dataclass(frozen=True, slots=True)
class Paging:
    """How a page shows long tables: the parameters of its address. `page-areas=3` is the third page of a table."""

    parameters: QueryDict

    def number(self, code: str) -> int:
        """The page of a table, from 1."""
        asked = self.parameters.get(f"page-{code}", "1")
        return max(int(asked), 1) if asked.isdecimal() and len(asked) < 6 else 1

    def address(self, code: str, number: int) -> str:
        """The address with another page of a table."""
        changed = self.parameters.copy()
        changed.pop(f"page-{code}", None)
        if number > 1:
            changed[f"page-{code}"] = str(number)
        return f"?{changed.urlencode()}"


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


def printed_rows(snapshot: Snapshot, *, at_once: bool) -> dict[str, int]:
    """How many rows of each table paper has; `at_once`: somebody waits for it. The first tables come first."""
    if not at_once:
        return {table.code: MAX_PRINTED for table in snapshot.tables}
    found, left = {}, MAX_CELLS_IN_ALL
    for table in snapshot.tables:
        across = len(table.columns)
        found[table.code] = min(max(min(MAX_CELLS, left) // across, ROWS_A_PAGE), MAX_PRINTED)
        left = max(left - min(found[table.code], len(table.rows)) * across, 0)
    return found


def shown_tables(
    snapshot: Snapshot, paging: Paging | None = None, *, printed: Mapping[str, int] = MappingProxyType({})
) -> list[ShownTable]:
    """The tables of a snapshot in words, with their charts, maps and networks.

    On pages long tables are cut into pages. Paper has as many rows of each as are `printed`, at most `MAX_PRINTED`.
    """
    return [_shown_table(snapshot, table, paging, printed.get(table.code, MAX_PRINTED)) for table in snapshot.tables]


def _shown_table(snapshot: Snapshot, table: Table, paging: Paging | None, printed: int) -> ShownTable:
    """A table as the page or paper shows it, with its charts, maps and pictures."""
    is_mapped = any(one.table == table.code for one in snapshot.maps)
    rows, pages = _paged(table, paging) if paging is not None else (table.rows[:printed], None)
    return ShownTable(
        table.code,
        table.title,
        table.columns,
        tuple(_shown(table, row, f"{table.code}-{row.key}" if is_mapped and row.key else "") for row in rows),
        _shown(table, table.total) if table.total else None,
        note_of(table, printed) if paging is None else table.note,
        table.empty,
        tuple(
            (caption_of(one, table), draw(one, table))
            for one in snapshot.charts
            if one.table == table.code and table.rows
        ),
        tuple((one.title, draw_map(one, table, paging)) for one in snapshot.maps if one.table == table.code),
        tuple((one.title, draw_network(one, snapshot)) for one in snapshot.networks if one.bodies == table.code),
        pages,
    )


def _paged(table: Table, paging: Paging) -> tuple[Sequence[Row], Pages | None]:
    """The rows of the page that is asked for; beyond the last one, those of the last."""
    if len(table.rows) <= ROWS_A_PAGE:
        return table.rows, None
    last = -(-len(table.rows) // ROWS_A_PAGE)
    number = min(paging.number(table.code), last)
    first = (number - 1) * ROWS_A_PAGE
    rows = table.rows[first : first + ROWS_A_PAGE]
    words = f"Rows {first + 1:,} to {first + len(rows):,} of {len(table.rows):,}"
    place = f"#table-{table.code}"
    return rows, Pages(
        words,
        paging.address(table.code, number - 1) + place if number > 1 else "",
        paging.address(table.code, number + 1) + place if number < last else "",
    )


def note_of(table: Table, printed: int = MAX_PRINTED) -> str:
    """What paper says below the title of a table."""
    left = len(table.rows) - printed
    cut = f"The first {printed:,} rows; the Excel file has {left:,} more." if left > 0 else ""
    return " ".join(filter(None, (table.note, cut)))


def _shown(table: Table, row: Row, anchor: str = "") -> ShownRow:
    pairs = list(zip(table.columns, row.cells, strict=True))
    cells = tuple(ShownCell(cell_words(column.kind, cell), _look(column)) for column, cell in pairs[1:])
    return ShownRow(cell_words(table.columns[0].kind, row.cells[0]), row.href, cells, anchor)


def _look(column: Column) -> str:
    """Figures stand at the right, and a day stays on one line."""
    more = " govuk-table__cell--numeric" if column.is_figure else " cg-nowrap" if column.kind is Kind.DAY else ""
    return f"govuk-table__cell{more}"


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


def caption_of(chart: Chart, table: Table, *, limit: int = _MAX_ROWS) -> str:
    """The title of a chart. It says so if only the second column, or only the highest bars, are drawn."""
    title = chart.title
    if len(chart.series) > 1 and len(table.rows) > min(_MAX_GROUPS, limit):
        title += f": only “{table.columns[chart.series[-1]].label}”"
    return f"{title}, the {limit} highest" if len(table.rows) > limit else title


def draw(
    chart: Chart, table: Table, *, limit: int = _MAX_ROWS, where: str = "table", is_narrow: bool = False
) -> SafeString:
    """The chart as SVG: bars side by side for two columns, one below the other for one or for many rows.

    Of more than `limit` bars below each other, the highest are drawn. `where` is what a screen reader is told to read
    the figures in. A narrow chart is for a card beside others.
    """
    label = f"{caption_of(chart, table, limit=limit)}; the {where} gives the figures"
    if len(chart.series) == 1 or len(table.rows) > min(_MAX_GROUPS, limit):
        place = chart.series[-1]
        figures = [(row.name, int(_number(row.cells[place]) or 0)) for row in table.rows]
        if len(figures) > limit:
            figures = sorted(figures, key=lambda one: -one[1])[:limit]
        return row_chart(label, figures, is_narrow=is_narrow)
    first, second = (table.columns[place].label for place in chart.series)
    groups = [(row.name, (_bar(table, row, chart.series[0]), _bar(table, row, chart.series[1]))) for row in table.rows]
    return bar_chart(label, (first, second), groups, is_narrow=is_narrow)


def draw_map(area_map: AreaMap, table: Table, paging: Paging | None = None) -> Map:
    """The map as SVG, with what its shades mean. Its areas lead to their rows, on whatever page these are.

    `map.js` adds the rest of the page's address, which would be there 300 times. On paper the map has the outlines; a
    page refers to the file with them.
    """
    pages = {row.identity: number // ROWS_A_PAGE + 1 for number, row in enumerate(table.rows)}
    is_long = paging is not None and len(table.rows) > ROWS_A_PAGE
    column = table.columns[area_map.column]
    figures = {row.identity: _number(row.cells[area_map.column]) for row in table.rows}
    limits = _limits_of(area_map, table)
    areas = [
        Shaded(
            row.identity,
            f"{row.name}: {cell_words(column.kind, row.cells[area_map.column])}",
            level_of(float(figures[row.identity] or 0), limits),
            (f"?page-{table.code}={pages[row.identity]}" if is_long else "") + f"#{table.code}-{row.identity}",
        )
        for row in table.rows
    ]
    file = "" if paging is None else static(OUTLINES_FILE)
    return shaded_map(f"{area_map.title}; the table gives the figures", areas, _levels(limits), file=file)


def shades_in_words(area_map: AreaMap, table: Table) -> str:
    """What the shades of a map mean, for paper that has no legend."""
    words = ", ".join(words for _, words in _levels(_limits_of(area_map, table)))
    return f"From white to the darkest shade: {words}."


def _limits_of(area_map: AreaMap, table: Table) -> tuple[int, ...]:
    figures = [_number(row.cells[area_map.column]) for row in table.rows]
    return area_map.limits or _limits([int(value) for value in figures if value])


def draw_network(network: NetworkPicture, snapshot: Snapshot) -> ShownNetwork:
    """The picture of the organisations of one table and the pairs of another, with what its shapes mean."""
    bodies, links = snapshot.table(network.bodies), snapshot.table(network.links)
    assert bodies is not None
    assert links is not None
    codes = {str(kind.label): kind.value for kind in OrganisationKind}
    nodes = [
        Node(int(row.identity), row.name, codes.get(str(row.cells[1]), ""), row.identity == network.centre, row.href)
        for row in bodies.rows[:MAX_NODES]
    ]
    ties: dict[tuple[int, int], int] = {}
    for row in links.rows:  # the strongest first
        one, _, other = row.identity.partition("-")
        if len(ties) < MAX_LINES or network.centre in (one, other):
            ties[int(one), int(other)] = int(_number(row.cells[-1]) or 0)
    middle = next((node.label for node in nodes if node.mine), "")
    words = (f"The large shape is {middle}. " if middle else "") + "A heavier line means more than one partnership."
    if len(ties) < links.number:
        which = f"the strongest, and those of {middle}" if middle else "the strongest"
        words += f" Of {links.number:,} links {len(ties):,} are drawn: {which}."
    return ShownNetwork(lay_out(nodes, ties), kinds_among(node.kind for node in nodes), words)


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
