"""Charts, maps and networks of a report as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.templatetags.static import static
from django.utils.safestring import SafeString

from partnerships.kit.charts import Bar, bar_chart, row_chart
from partnerships.kit.maps import OUTLINES_FILE, Map, Shaded, level_of, shaded_map
from partnerships.kit.networks import MAX_LINES, MAX_NODES, Node, Picture, lay_out
from partnerships.organisations.models import Kind as OrganisationKind
from partnerships.organisations.presenting import kinds_among
from partnerships.reports.paging import ROWS_A_PAGE, Paging
from partnerships.reports.snapshot import AreaMap, Cell, Chart, NetworkPicture, Row, Snapshot, Table
from partnerships.reports.wording import cell_words

#: Groups of bars that fit side by side, each with room for a year, and bars that are drawn below each other.
_MAX_GROUPS, _MAX_ROWS = 14, 15


def caption_of(chart: Chart, table: Table, *, limit: int = _MAX_ROWS) -> str:
    """The title of a chart. It says so if only the second column, or only the highest bars, are drawn."""
    title = chart.title
    if len(chart.series) > 1 and len(table.rows) > min(_MAX_GROUPS, limit):
        title += f": only “{table.columns[chart.series[-1]].label}”"
    return f"{title}, the {limit} highest" if len(table.rows) > limit else title


def draw(
    chart: Chart, table: Table, *, limit: int = _MAX_ROWS, is_narrow: bool = False, on_screen: bool = False
) -> SafeString:
    """The chart as SVG: bars side by side for two columns, one below the other for one or for many rows.

    Of more than `limit` bars below each other, the highest are drawn. A narrow chart is for a card that leads to the
    report. `on_screen`: bars below each other fit a phone.
    """
    where = "report" if is_narrow else "table"
    label = f"{caption_of(chart, table, limit=limit)}; the {where} gives the figures"
    if len(chart.series) == 1 or len(table.rows) > min(_MAX_GROUPS, limit):
        place = chart.series[-1]
        figures = [(row.name, int(_number(row.cells[place]) or 0)) for row in table.rows]
        if len(figures) > limit:
            figures = sorted(figures, key=lambda one: -one[1])[:limit]
        return row_chart(label, figures, is_narrow=is_narrow or on_screen)
    first, second = (table.columns[place].label for place in chart.series)
    groups = [(row.name, (_bar(table, row, chart.series[0]), _bar(table, row, chart.series[1]))) for row in table.rows]
    return bar_chart(label, (first, second), groups, is_narrow=is_narrow)


def _bar(table: Table, row: Row, place: int) -> Bar:
    return _number(row.cells[place]), cell_words(table.columns[place].kind, row.cells[place])


def _number(cell: Cell) -> int | Decimal | None:
    return cell if isinstance(cell, int | Decimal) else None


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


def _limits(values: list[int]) -> tuple[int, ...]:
    """Round figures that divide these into four parts of about as many areas."""
    ranked = sorted(values)
    limits = [1]
    for part in (1, 2, 3):
        value = ranked[len(ranked) * part // 4] if ranked else 0
        size = 10 ** max(len(str(value)) - 2, 0)
        value = max(round(value / size) * size, 1)
        if value > limits[-1]:
            limits.append(value)
    return tuple(limits)


def _levels(limits: Sequence[int]) -> list[tuple[int, str]]:
    """What each shade means: “none”, “1”, “2 to 3”, “8 or more”."""
    levels = [(0, "none")]
    for level, start in enumerate(limits, 1):
        end = limits[level] - 1 if level < len(limits) else None
        words = f"{start:,} or more" if end is None else f"{start:,}" if end == start else f"{start:,} to {end:,}"
        levels.append((level, words))
    return levels


@dataclass(frozen=True, slots=True)
class ShownNetwork:
    """A picture of a network, and the kinds that its legend explains."""

    picture: Picture
    kinds: list[tuple[str, str]]
    words: str


def draw_network(network: NetworkPicture, snapshot: Snapshot) -> ShownNetwork:
    """The picture of the organisations of one table and the pairs of another, with what its shapes mean."""
    bodies, links = snapshot.table(network.bodies), snapshot.table(network.links)
    assert bodies is not None
    assert links is not None
    codes = {str(kind.label): kind.value for kind in OrganisationKind}
    nodes = [
        Node(
            key=int(row.identity),
            label=row.name,
            kind=codes.get(str(row.cells[1]), ""),
            mine=row.identity == network.centre,
            href=row.href,
        )
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
