"""Maps as SVG, drawn on the server over our own outlines of councils.

`map.js` makes them larger and smaller.

No tiles, no other server. The table beside a map says the same. A page refers to a file with the outlines
(`OUTLINES_FILE`), which browsers keep; paper has the outlines themselves. Coordinates are those of web maps, in
thousandths of a degree of longitude, so that Leaflet lays the drawing over its own positions.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

#: Where the outlines come from: every map says so.
SOURCE = (
    "Boundaries: Office for National Statistics, April 2025, Open Government Licence v3.0. Contains OS data "
    "© Crown copyright and database right."
)
#: The static file with every outline by its GSS code, and the borders of regions; `static/build.mjs` writes it.
OUTLINES_FILE = "img/outlines.svg"
#: Fills from none to most: each darker than the one before, also in grey.
SHADES = ("#FFFFFF", "#CFE3E8", "#8FBCC8", "#3F869B", "#0B4A60")
_SEA, _OUTSIDE, _LINE = "#D9E3E6", "#E9EDEC", "#6B8288"
_INK, _DOT = "#10272E", "#7A1F5C"
#: Thousandths of a degree of longitude: the least width of a map, some 15 km.
_NARROWEST = 200
#: From this width on a map shows the borders of regions.
_WIDE = 2500
#: Height of a map for its width.
_SHAPE = 0.7
#: Columns in which places are put together, so that dots do not cover one another.
_COLUMNS = 28
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Outline:
    """The outline of an area: box, middle and SVG path."""

    code: str
    name: str
    box: Box
    middle: tuple[float, float]
    path: str


@dataclass(frozen=True, slots=True)
class Shaded:
    """An area of a map: how dark, from 0 (none) to 4, and what the table says of it."""

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
    """A drawing for `partials/_map.html`, with what its shades mean and where the outlines come from."""

    drawing: SafeString
    legend: SafeString | str = ""
    source: str = SOURCE


@cache
def outlines() -> Mapping[str, Outline]:
    """The outlines of the district and unitary councils of England, by GSS code."""
    return {code: _outline(code, row) for code, row in _content()["districts"].items()}


@cache
def _regions() -> SafeString:
    paths = "".join(str(row[3]) for row in _content()["regions"].values())
    return format_html('<path d="{}"/>', paths)


@cache
def _content() -> dict[str, dict[str, list[object]]]:
    boundaries: dict[str, dict[str, list[object]]] = json.loads(
        Path(__file__).with_name("boundaries.json").read_text(encoding="utf-8")
    )
    return boundaries


def _outline(code: str, row: list[object]) -> Outline:
    name, box, middle, path = row
    return Outline(code=code, name=str(name), box=tuple(box), middle=tuple(middle), path=str(path))  # type: ignore[arg-type]  # numbers, as written


def project(longitude: float, latitude: float) -> tuple[float, float]:
    """The point on a web map, y downwards."""
    up = math.degrees(math.log(math.tan(math.pi / 4 + math.radians(latitude) / 2)))
    return longitude * 1000, -up * 1000


def shaded_map(label: str, areas: Sequence[Shaded], levels: Sequence[tuple[int, str]], *, file: str = "") -> Map:
    """The areas in shades, with the other councils around them pale.

    Whole England if the areas are all of it. `label` is what a screen reader says, `levels` what each shade means,
    `file` the address of `OUTLINES_FILE` on pages. Areas without an outline are left out: the table has them.
    """
    known = [(area, outlines()[area.code]) for area in areas if area.code in outlines()]
    view = _view([outline.box for _, outline in known] or [outline.box for outline in outlines().values()])
    by_level: dict[int, list[SafeString]] = defaultdict(list)
    for area, outline in known:
        by_level[area.level].append(_shaded(area, outline, file))
    drawn = {outline.code for _, outline in known}
    whole = _thrice(view)  # paper can be wider than the view: sea lies beside it
    drawing = _svg(
        label,
        view,
        whole,
        _around(whole if file else view, drawn, file),
        format_html_join(
            "",
            '<g fill="{}">{}</g>',
            ((SHADES[level], _together(shapes)) for level, shapes in sorted(by_level.items())),
        ),
        _outer_lines(view, file),
        _labels(view, drawn) if len(known) <= 12 else "",
    )
    return Map(drawing, legend(levels))


def place_map(label: str, places: Sequence[Place], *, file: str = "") -> Map:
    """Dots at places, over the councils around them.

    Places close together are one dot with their number. `file` is the address of `OUTLINES_FILE` on pages.
    """
    points = [project(place.longitude, place.latitude) for place in places]
    view = _view([(x, y, x, y) for x, y in points])
    around = _thrice(view)
    drawing = _svg(
        label,
        view,
        around,
        _around(around, (), file),
        _labels(view, outlines().keys()),
        _dots(points, view),
    )
    return Map(drawing)


def _shaded(area: Shaded, outline: Outline, file: str) -> SafeString:
    """An area with what `map.js` shows of it.

    Words, which begin with its name, link and middle.
    """
    shape = "<use href" if file else "<path d"
    return format_html(
        f'{shape}="{{}}" data-words="{{}}" data-href="{{}}" data-x="{{}}" data-y="{{}}"/>',
        f"{file}#{outline.code}" if file else outline.path,
        area.words,
        area.href,
        *outline.middle,
    )


def _together(parts: Iterable[SafeString]) -> SafeString:
    return mark_safe("".join(parts))  # noqa: S308 - each part was escaped when it was made


def legend(levels: Iterable[tuple[int, str]]) -> SafeString:
    """What each shade means."""
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
    """How dark a figure is.

    0 for nothing, and one more for each limit it reaches; `limits` has four at most.
    """
    return 0 if figure <= 0 else max(1, sum(figure >= limit for limit in limits))


def _svg(label: str, view: Box, whole: Box, *parts: SafeString | str) -> SafeString:
    left, top, right, bottom = view
    return format_html(
        '<svg class="cg-map__drawing" viewBox="{} {} {} {}" role="img" aria-label="{}" data-whole="{}">'
        '<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>'
        '<g class="cg-map__lines" stroke="{}" stroke-width="{}">{}</g></svg>',
        *map(round, (left, top, right - left, bottom - top)),
        label,
        " ".join(str(round(side)) for side in whole),
        *map(round, (whole[0], whole[1], whole[2] - whole[0], whole[3] - whole[1])),
        _SEA,
        _LINE,
        _thin(view),
        _together(map(SafeString, parts)),
    )


def _thin(view: Box) -> float:
    """The width of a thin line on paper.

    Pages have lines of one width at every size.
    """
    return round((view[2] - view[0]) / 900, 2)


def _around(view: Box, drawn: Iterable[str], file: str) -> SafeString:
    """The councils in the view that are not drawn otherwise, pale."""
    shown = set(drawn)
    other_outlines = [
        outline for outline in outlines().values() if outline.code not in shown and _meet(outline.box, view)
    ]
    if file:
        shapes = format_html_join("", '<use href="{}#{}"/>', ((file, outline.code) for outline in other_outlines))
        return format_html('<g fill="{}">{}</g>', _OUTSIDE, shapes)
    paths = "".join(outline.path for outline in other_outlines)
    return format_html('<path d="{}" fill="{}"/>', paths, _OUTSIDE) if paths else SafeString("")


def _outer_lines(view: Box, file: str) -> SafeString:
    """The borders of regions, drawn over the areas if the map shows much of England."""
    if view[2] - view[0] <= _WIDE:
        return SafeString("")
    return format_html(
        '<g class="cg-map__regions" fill="none" stroke="{}" stroke-width="{}">{}</g>',
        _INK,
        _thin(view) * 1.5,
        format_html('<use href="{}#regions"/>', file) if file else _regions(),
    )


def _labels(view: Box, codes: Iterable[str]) -> SafeString:
    """The names of areas whose middle lies within the view, about 1/45 of its width high."""
    left, top, right, bottom = view
    size = (right - left) / 45
    named = [outlines()[code] for code in codes]
    return format_html(
        '<g class="cg-map__names" font-size="{}" text-anchor="middle" fill="{}" stroke="none">{}</g>',
        round(size, 1),
        _INK,
        format_html_join(
            "",
            '<text x="{}" y="{}">{}</text>',
            (
                (*outline.middle, outline.name)
                for outline in named
                if left < outline.middle[0] < right and top + size < outline.middle[1] < bottom
            ),
        ),
    )


def _dots(points: Sequence[tuple[float, float]], view: Box) -> SafeString:
    """One dot for each cell of a grid that has points, with their number if there are several."""
    left, top, right, _ = view
    cell = (right - left) / _COLUMNS
    together: dict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
    for x, y in points:
        together[int((x - left) // cell), int((y - top) // cell)].append((x, y))
    rows = [
        (sum(x for x, _ in cells) / len(cells), sum(y for _, y in cells) / len(cells), len(cells))
        for _, cells in sorted(together.items())
    ]
    return format_html(
        '<g class="cg-map__places" stroke="none">{}{}</g>',
        format_html_join(
            "",
            '<circle cx="{}" cy="{}" r="{}" fill="{}" stroke="#FFFFFF" stroke-width="{}"/>',
            (
                (round(x, 1), round(y, 1), round(cell * (0.3 if many == 1 else 0.5), 1), _DOT, round(cell / 16, 1))
                for x, y, many in rows
            ),
        ),
        format_html_join(
            "",
            '<text x="{}" y="{}" font-size="{}" text-anchor="middle" fill="#FFFFFF">{}</text>',
            ((round(x, 1), round(y + cell * 0.16, 1), round(cell * 0.45, 1), many) for x, y, many in rows if many > 1),
        ),
    )


def _view(boxes: Sequence[Box]) -> Box:
    """A box around these, with room at the sides, no narrower than a map can be and of its shape."""
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[2] for box in boxes), max(box[3] for box in boxes)
    width = max((right - left) * 1.15, (bottom - top) * 1.15 / 1.25, _NARROWEST)
    height = max((bottom - top) * 1.15, width * _SHAPE)
    x, y = (left + right) / 2, (top + bottom) / 2
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _thrice(view: Box) -> Box:
    """A box around the view, three times as wide and high: what a page can be moved to."""
    left, top, right, bottom = view
    width, height = right - left, bottom - top
    return left - width, top - height, right + width, bottom + height


def _meet(box: Box, other: Box) -> bool:
    return box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
