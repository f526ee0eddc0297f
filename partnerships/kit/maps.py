"""Maps as SVG, drawn on the server over our own outlines of councils.

A table next to each map has the same facts, for people who cannot see it. Pages refer to a file with the outlines
(`OUTLINES_FILE`), which browsers cache. A drawing for paper contains the outlines itself. `map.js` lets people zoom.

Coordinates are those of web maps (Web Mercator), in thousandths of a degree of longitude, with y downwards.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

#: The source of the outlines, which every map shows.
SOURCE = (
    "Boundaries: Office for National Statistics, April 2025, Open Government Licence v3.0. Contains OS data "
    "© Crown copyright and database right."
)
#: The static file with every outline by its GSS code, and the borders of regions. `static/build.mjs` writes it.
OUTLINES_FILE = "img/outlines.svg"
#: Fill colours from the lowest level to the highest. Each is darker than the previous one, even if printed in grey.
SHADES = ("#FFFFFF", "#CFE3E8", "#8FBCC8", "#3F869B", "#0B4A60")
_SEA, _OUTSIDE, _LINE = "#D9E3E6", "#E9EDEC", "#6B8288"
_INK, _DOT = "#10272E", "#7A1F5C"
#: The minimum width of a map, in thousandths of a degree of longitude. It is about 15 km.
_NARROWEST = 200
#: A map of this width or more shows the borders of regions.
_WIDE = 2500
#: The height of a map, as a fraction of its width.
_SHAPE = 0.7
#: A map of more areas than this has no names, because they would cover one another.
_MAX_NAMED_AREAS = 12
#: The number of columns of the grid that groups places, so that dots do not cover one another.
_COLUMNS = 28
#: The left, top, right and bottom of a rectangle.
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Outline:
    """The outline of an area, with its box, its middle and its SVG path."""

    code: str
    name: str
    box: Box
    middle: tuple[float, float]
    path: str


@dataclass(frozen=True, slots=True)
class Shaded:
    """An area of a map with its shade, and the same words as in the table next to the map.

    `level` is the shade, from 0 for none to 4.
    """

    code: str
    words: str
    level: int
    href: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A place on a map, in degrees."""

    name: str
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class Map:
    """A drawing for `partials/_map.html`, with the meaning of its shades and the source of the outlines."""

    drawing: SafeString
    legend: SafeString | str = ""
    source: str = SOURCE


@cache
def outlines() -> Mapping[str, Outline]:
    """Return the outlines of the district and unitary councils of England, by GSS code."""
    return {
        code: Outline(code, name, (left, top, right, bottom), (x, y), path)
        for code, (name, (left, top, right, bottom), (x, y), path) in _boundaries()["districts"].items()
    }


@cache
def _regions() -> SafeString:
    """Return the borders of all regions as one path."""
    paths = "".join(path for _name, _box, _middle, path in _boundaries()["regions"].values())
    return format_html('<path d="{}"/>', paths)


@cache
def _boundaries() -> dict[str, dict[str, Any]]:
    """Return the areas of the file of boundaries, by their type and GSS code.

    Each area is a list of its name, its box, its middle and its SVG path.
    """
    boundaries: dict[str, dict[str, Any]] = json.loads(
        Path(__file__).with_name("boundaries.json").read_text(encoding="utf-8")
    )
    return boundaries


def project(longitude: float, latitude: float) -> tuple[float, float]:
    """Return the point on a web map, with y downwards."""
    up = math.degrees(math.log(math.tan(math.pi / 4 + math.radians(latitude) / 2)))
    return longitude * 1000, -up * 1000


def shaded_map(
    label: str, areas: Sequence[Shaded], levels: Sequence[tuple[int, str]], *, outlines_url: str = ""
) -> Map:
    """Return a map of areas in shades, with the other councils pale around them.

    Screen readers read out `label`. `levels` are the shades with their meanings. A page passes the URL of
    `OUTLINES_FILE`. Without it, for paper, the map contains the outlines. Areas without an outline are not drawn,
    because the table next to the map has them.
    """
    drawn_areas = [area for area in areas if area.code in outlines()]
    drawn_codes = [area.code for area in drawn_areas]
    view = _view([outlines()[code].box for code in drawn_codes or outlines()])
    box_to_move_in = _three_times_as_large(view)
    # Only a page lets people move the map and see more councils.
    surroundings = box_to_move_in if outlines_url else view
    drawing = _svg(
        label,
        view,
        box_to_move_in,
        _around(surroundings, drawn_codes, outlines_url),
        _shaded_areas(drawn_areas, outlines_url),
        _borders_of_regions(view, outlines_url),
        _labels(view, drawn_codes) if len(drawn_codes) <= _MAX_NAMED_AREAS else "",
    )
    return Map(drawing, legend(levels))


def place_map(label: str, places: Sequence[Place], *, outlines_url: str = "") -> Map:
    """Return a map with a dot at each place, over the councils around the places.

    Places close together become one dot with the number of places. `outlines_url` is as for `shaded_map`.
    """
    points = [project(place.longitude, place.latitude) for place in places]
    view = _view([(x, y, x, y) for x, y in points])
    box_to_move_in = _three_times_as_large(view)
    drawing = _svg(
        label,
        view,
        box_to_move_in,
        _around(box_to_move_in, (), outlines_url),
        _labels(view, outlines()),
        _dots(points, view),
    )
    return Map(drawing)


def _shaded_areas(areas: Iterable[Shaded], outlines_url: str) -> SafeString:
    """Draw the areas, grouped by their shade."""
    shapes_by_level: dict[int, list[SafeString]] = defaultdict(list)
    for area in areas:
        shapes_by_level[area.level].append(_shaded_area(area, outlines_url))
    return format_html_join(
        "",
        '<g fill="{}">{}</g>',
        ((SHADES[level], _together(shapes)) for level, shapes in sorted(shapes_by_level.items())),
    )


def _shaded_area(area: Shaded, outlines_url: str) -> SafeString:
    """Draw one area, with its words, its link and its middle, which `map.js` uses when somebody chooses the area."""
    outline = outlines()[area.code]
    shape = "<use href" if outlines_url else "<path d"
    return format_html(
        f'{shape}="{{}}" data-words="{{}}" data-href="{{}}" data-x="{{}}" data-y="{{}}"/>',
        f"{outlines_url}#{outline.code}" if outlines_url else outline.path,
        area.words,
        area.href,
        *outline.middle,
    )


def _together(parts: Iterable[SafeString]) -> SafeString:
    """Return the parts as one text that is safe as HTML."""
    return mark_safe("".join(parts))  # noqa: S308 - each part is already escaped


def legend(levels: Iterable[tuple[int, str]]) -> SafeString:
    """Return the legend, with each shade and its meaning."""
    return format_html(
        '<ul class="cg-legend">{}</ul>',
        format_html_join(
            "",
            '<li><svg viewBox="0 0 20 20" aria-hidden="true"><rect x="1" y="1" width="18" height="18" fill="{}" '
            'stroke="{}"/></svg>{}</li>',
            ((SHADES[level], _LINE, words) for level, words in levels),
        ),
    )


def level_of(figure: float, limits: Sequence[float]) -> int:
    """Return the shade of a figure, from 0 for nothing to 4.

    `limits` has at most four numbers, ascending. For example, with the limits 1, 10 and 100, the figure 10 has shade 2.
    """
    return 0 if figure <= 0 else max(1, sum(figure >= limit for limit in limits))


def _svg(label: str, view: Box, box_to_move_in: Box, *parts: SafeString | str) -> SafeString:
    """Return the drawing of the sea, with the parts over it.

    `data-whole` is the box in which `map.js` lets people move the map. The sea fills this box on paper too, where the
    picture may be wider than the view.
    """
    left, top, right, bottom = view
    far_left, far_top, far_right, far_bottom = box_to_move_in
    return format_html(
        '<svg class="cg-map__drawing" viewBox="{} {} {} {}" role="img" aria-label="{}" data-whole="{}">'
        '<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>'
        '<g class="cg-map__lines" stroke="{}" stroke-width="{}">{}</g></svg>',
        *map(round, (left, top, right - left, bottom - top)),
        label,
        " ".join(str(round(side)) for side in box_to_move_in),
        *map(round, (far_left, far_top, far_right - far_left, far_bottom - far_top)),
        _SEA,
        _LINE,
        _thin(view),
        _together(map(SafeString, parts)),
    )


def _thin(view: Box) -> float:
    """Return the width of a thin line on paper. On pages, the stylesheet keeps lines the same width at every zoom."""
    left, _top, right, _bottom = view
    return round((right - left) / 900, 2)


def _around(box: Box, shaded_codes: Iterable[str], outlines_url: str) -> SafeString:
    """Draw the other councils in the box, pale."""
    drawn_codes = set(shaded_codes)
    other_outlines = [
        outline for outline in outlines().values() if outline.code not in drawn_codes and _overlap(outline.box, box)
    ]
    if outlines_url:
        shapes = format_html_join(
            "", '<use href="{}#{}"/>', ((outlines_url, outline.code) for outline in other_outlines)
        )
        return format_html('<g fill="{}">{}</g>', _OUTSIDE, shapes)
    paths = "".join(outline.path for outline in other_outlines)
    return format_html('<path d="{}" fill="{}"/>', paths, _OUTSIDE) if paths else SafeString("")


def _borders_of_regions(view: Box, outlines_url: str) -> SafeString:
    """Draw the borders of regions over the areas if the map shows much of England, or return ""."""
    if view[2] - view[0] <= _WIDE:
        return SafeString("")
    return format_html(
        '<g class="cg-map__regions" fill="none" stroke="{}" stroke-width="{}">{}</g>',
        _INK,
        _thin(view) * 1.5,
        format_html('<use href="{}#regions"/>', outlines_url) if outlines_url else _regions(),
    )


def _labels(view: Box, codes: Iterable[str]) -> SafeString:
    """Draw the names of areas whose middle is within the view, about 1/45 of its width high."""
    left, top, right, bottom = view
    size = (right - left) / 45
    labels = []
    for code in codes:
        outline = outlines()[code]
        x, y = outline.middle
        if left < x < right and top + size < y < bottom:
            labels.append((x, y, outline.name))
    return format_html(
        '<g class="cg-map__names" font-size="{}" text-anchor="middle" fill="{}" stroke="none">{}</g>',
        round(size, 1),
        _INK,
        format_html_join("", '<text x="{}" y="{}">{}</text>', labels),
    )


class _Dot(NamedTuple):
    """The mean position of some points, and how many they are."""

    x: float
    y: float
    point_count: int


def _dots(points: Sequence[tuple[float, float]], view: Box) -> SafeString:
    """Draw one dot for each cell of a grid that has points, with their number if there are several."""
    left, top, right, _ = view
    cell = (right - left) / _COLUMNS
    points_by_cell: dict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
    for x, y in points:
        points_by_cell[int((x - left) // cell), int((y - top) // cell)].append((x, y))

    dots = []
    for _cell, cell_points in sorted(points_by_cell.items()):
        point_count = len(cell_points)
        mean_x = sum(x for x, _ in cell_points) / point_count
        mean_y = sum(y for _, y in cell_points) / point_count
        dots.append(_Dot(mean_x, mean_y, point_count))

    small_radius, large_radius, stroke = round(cell * 0.3, 1), round(cell * 0.5, 1), round(cell / 16, 1)
    circles = format_html_join(
        "",
        '<circle cx="{}" cy="{}" r="{}" fill="{}" stroke="#FFFFFF" stroke-width="{}"/>',
        (
            (round(dot.x, 1), round(dot.y, 1), small_radius if dot.point_count == 1 else large_radius, _DOT, stroke)
            for dot in dots
        ),
    )
    numbers = format_html_join(
        "",
        '<text x="{}" y="{}" font-size="{}" text-anchor="middle" fill="#FFFFFF">{}</text>',
        (
            (round(dot.x, 1), round(dot.y + cell * 0.16, 1), round(cell * 0.45, 1), dot.point_count)
            for dot in dots
            if dot.point_count > 1
        ),
    )
    return format_html('<g class="cg-map__places" stroke="none">{}{}</g>', circles, numbers)


def _view(boxes: Sequence[Box]) -> Box:
    """Return a box around these boxes, with a margin, at least `_NARROWEST` wide and of the shape `_SHAPE`."""
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[2] for box in boxes), max(box[3] for box in boxes)
    width = max((right - left) * 1.15, (bottom - top) * 1.15 / 1.25, _NARROWEST)
    height = max((bottom - top) * 1.15, width * _SHAPE)
    x, y = (left + right) / 2, (top + bottom) / 2
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _three_times_as_large(view: Box) -> Box:
    """Return a box around the view, three times as wide and high, in which people can move the map on a page."""
    left, top, right, bottom = view
    width, height = right - left, bottom - top
    return left - width, top - height, right + width, bottom + height


def _overlap(box: Box, other_box: Box) -> bool:
    """Return whether two boxes have a common area."""
    left, top, right, bottom = box
    other_left, other_top, other_right, other_bottom = other_box
    return left < other_right and other_left < right and top < other_bottom and other_top < bottom
