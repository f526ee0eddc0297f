"""Charts, maps and networks of a report as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from django.templatetags.static import static
from django.utils.safestring import SafeString

from partnerships.kit.charts import Bar, bar_chart, row_chart
from partnerships.kit.maps import OUTLINES_FILE, Map, Shaded, level_of, shaded_map
from partnerships.kit.networks import MAX_LINES, MAX_NODES, Node, Picture, lay_out
from partnerships.organisations.models import Kind as OrganisationKind
from partnerships.organisations.presenting import kind_choices
from partnerships.reports.paging import ROWS_A_PAGE, Paging
from partnerships.reports.snapshot import AreaMap, Cell, Chart, NetworkPicture, Row, Snapshot, Table
from partnerships.reports.wording import cell_in_words

#: Where a chart is shown: on a card that links to its report, on the page of a report, or in a PDF or Word file.
ChartPlace: TypeAlias = Literal["card", "page", "paper"]
#: A chart has at most this many pairs of vertical bars, with room for a year below each.
_MAX_PAIRS = 14
#: A chart has at most this many horizontal bars. A table with more rows has no pairs of bars either.
_MAX_ROWS: Mapping[ChartPlace, int] = {"card": 6, "page": 15, "paper": 15}


def chart_caption(chart: Chart, table: Table, place: ChartPlace) -> str:
    """Return the title of a chart, with a note if only some columns or bars are drawn.

    For example, “Homes by area today, the 15 highest”.
    """
    title = chart.title
    if len(chart.series) > 1 and not _has_pairs(chart, table, place):
        title += f": only “{table.columns[chart.series[-1]].label}”"
    max_rows = _MAX_ROWS[place]
    return f"{title}, the {max_rows} highest" if len(table.rows) > max_rows else title


def draw_chart(chart: Chart, table: Table, place: ChartPlace) -> SafeString:
    """Return the chart as SVG.

    Two columns are drawn as pairs of vertical bars. One column, or a table with many rows, is drawn as horizontal bars.
    """
    figures_are_in = "report" if place == "card" else "table"
    label = f"{chart_caption(chart, table, place)}. The {figures_are_in} gives the figures"
    if not _has_pairs(chart, table, place):
        bars = _highest_bars(table, chart.series[-1], _MAX_ROWS[place])
        return row_chart(label, bars, is_narrow=place != "paper")

    first_column, second_column = chart.series
    series_labels = (table.columns[first_column].label, table.columns[second_column].label)
    pairs = [(row.name, (_bar(table, row, first_column), _bar(table, row, second_column))) for row in table.rows]
    return bar_chart(label, series_labels, pairs, is_narrow=place == "card")


def _has_pairs(chart: Chart, table: Table, place: ChartPlace) -> bool:
    """Return whether the chart has two columns, and room for a pair of bars for each row."""
    return len(chart.series) == 2 and len(table.rows) <= min(_MAX_PAIRS, _MAX_ROWS[place])


def _highest_bars(table: Table, column: int, max_rows: int) -> list[tuple[str, int]]:
    """Return the name and figure of each row in the order of the table, or of the highest rows if there are more."""
    bars = [(row.name, int(_number(row.cells[column]) or 0)) for row in table.rows]
    if len(bars) > max_rows:
        bars = sorted(bars, key=lambda bar: bar[1], reverse=True)[:max_rows]
    return bars


def _bar(table: Table, row: Row, column: int) -> Bar:
    """Return the row's figure in this column, and its words."""
    cell = row.cells[column]
    return _number(cell), cell_in_words(table.columns[column].kind, cell)


def _number(cell: Cell) -> int | Decimal | None:
    """Return the cell if it is a number, else None."""
    return cell if isinstance(cell, int | Decimal) else None


def draw_map(area_map: AreaMap, table: Table, paging: Paging | None = None) -> Map:
    """Return the map as SVG, with a legend. Each area links to its row, on the right page of the table.

    The links have only the page number and the anchor. `map.js` adds the rest of the URL, so that it is not repeated
    for 300 areas. On paper, the map contains the outlines of the areas. A page refers to the file with the outlines.
    """
    is_paged = paging is not None and len(table.rows) > ROWS_A_PAGE
    column_kind = table.columns[area_map.column].kind
    limits = _limits_of(area_map, table)
    areas = []
    for index, row in enumerate(table.rows):
        cell = row.cells[area_map.column]
        page_parameter = f"?page-{table.code}={index // ROWS_A_PAGE + 1}" if is_paged else ""
        areas.append(
            Shaded(
                row.identity,
                f"{row.name}: {cell_in_words(column_kind, cell)}",
                level_of(float(_number(cell) or 0), limits),
                f"{page_parameter}#{table.code}-{row.identity}",
            )
        )
    label = f"{area_map.title}. The table gives the figures"
    outlines_url = static(OUTLINES_FILE) if paging is not None else ""
    return shaded_map(label, areas, _levels(limits), outlines_url=outlines_url)


def map_shades_in_words(area_map: AreaMap, table: Table) -> str:
    """Return the meaning of a map's shades as a sentence, for paper, which has no legend."""
    labels = ", ".join(label for _, label in _levels(_limits_of(area_map, table)))
    return f"From white to the darkest shade: {labels}."


def _limits_of(area_map: AreaMap, table: Table) -> tuple[int, ...]:
    """Return the smallest figure of each shade. A map without its own limits gets limits close to the quartiles."""
    if area_map.limits:
        return area_map.limits
    figures = [_number(row.cells[area_map.column]) for row in table.rows]
    return _quartile_limits([int(figure) for figure in figures if figure])


def _quartile_limits(values: list[int]) -> tuple[int, ...]:
    """Return 1 and the quartiles of the values that are higher, rounded to two digits, such as `(1, 12, 35, 120)`."""
    sorted_values = sorted(values)
    limits = [1]
    for quarter in (1, 2, 3):
        quartile = sorted_values[len(sorted_values) * quarter // 4] if sorted_values else 0
        rounding_unit = 10 ** max(len(str(quartile)) - 2, 0)
        limit = round(quartile / rounding_unit) * rounding_unit
        if limit > limits[-1]:
            limits.append(limit)
    return tuple(limits)


def _levels(limits: Sequence[int]) -> list[tuple[int, str]]:
    """Return each shade with its label, such as “none”, “1”, “2 to 3” or “8 or more”."""
    levels = [(0, "none")]
    for level, start in enumerate(limits, start=1):
        end = limits[level] - 1 if level < len(limits) else None
        if end is None:
            label = f"{start:,} or more"
        elif end == start:
            label = f"{start:,}"
        else:
            label = f"{start:,} to {end:,}"
        levels.append((level, label))
    return levels


@dataclass(frozen=True, slots=True)
class ShownNetwork:
    """A picture of a network, the kinds of organisation in its legend, and a text about it."""

    picture: Picture
    kinds: list[tuple[str, str]]
    words: str


def draw_network(network: NetworkPicture, snapshot: Snapshot) -> ShownNetwork:
    """Return the picture of a network, drawn from the tables of its organisations and of its links."""
    bodies, links = snapshot.table(network.bodies), snapshot.table(network.links)
    assert bodies is not None
    assert links is not None
    kind_by_label = {str(kind.label): kind.value for kind in OrganisationKind}
    nodes = [
        Node(
            key=int(row.identity),
            label=row.name,
            kind=kind_by_label.get(str(row.cells[1]), ""),
            is_highlighted=row.identity == network.centre,
            href=row.href,
        )
        for row in bodies.rows[:MAX_NODES]
    ]
    # The rows are sorted by weight, so the strongest lines are drawn. Lines of the centre are always drawn.
    weight_by_pair: dict[tuple[int, int], int] = {}
    for row in links.rows:
        first_key, _, second_key = row.identity.partition("-")
        if len(weight_by_pair) < MAX_LINES or network.centre in (first_key, second_key):
            weight_by_pair[int(first_key), int(second_key)] = int(_number(row.cells[-1]) or 0)
    return ShownNetwork(
        picture=lay_out(nodes, weight_by_pair),
        kinds=kind_choices(node.kind for node in nodes),
        words=_network_in_words(nodes, drawn_lines=len(weight_by_pair), all_lines=links.row_count),
    )


def _network_in_words(nodes: Sequence[Node], *, drawn_lines: int, all_lines: int) -> str:
    """Return the meaning of the network's shapes and lines, and whether all lines are drawn."""
    centre_name = next((node.label for node in nodes if node.is_highlighted), "")
    sentences = [f"The large shape is {centre_name}."] if centre_name else []
    sentences.append("A heavier line means more than one partnership.")
    if drawn_lines < all_lines:
        drawn_links = f"the strongest, and those of {centre_name}" if centre_name else "the strongest"
        sentences.append(f"Of {all_lines:,} links {drawn_lines:,} are drawn: {drawn_links}.")
    return " ".join(sentences)
