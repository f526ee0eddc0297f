"""Write partnerships/kit/boundaries.json, which has the outlines of areas for maps.

The source is a TopoJSON file of the ONS's boundaries.

    python -m tools.boundaries uk_topojson_2014_2025.json

A border that two areas share is simplified once, so that no gap opens between them. Coordinates are those of web maps
(Mercator), in thousandths of a degree of longitude, with y downwards as in SVG.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "partnerships" / "kit" / "boundaries.json"
#: How far a simplified border may be from the true one, in thousandths of a degree. It is about 200 metres.
TOLERANCE = 3.0
#: Islands smaller than this (in the square of that unit) are left out, unless they are all that an area has.
SMALLEST = 30.0
#: Thousandths of a degree.
SCALE = 1000
Point = tuple[float, float]


def main(source: Path) -> None:
    """Write the file of boundaries."""
    topology = json.loads(source.read_text(encoding="utf-8"))
    arcs = [simplified([mercator(*point) for point in arc]) for arc in decoded(topology)]
    districts = shapes(topology["objects"]["ltla"], arcs, ("E06", "E07", "E08", "E09"))
    regions = shapes(topology["objects"]["rgn"], arcs, ("E12",))
    content = {
        "about": "Outlines of the district and unitary councils of England in April 2025, and of its regions, "
        "simplified for small maps. Written by `python -m tools.boundaries`.",
        "source": "Office for National Statistics, super-generalised boundaries, as joined by ONS Data Visualisation",
        "licence": "Open Government Licence v3.0",
        "attribution": "Contains OS data © Crown copyright and database right",
        "as_of": "2025-04",
        "districts": districts,
        "regions": regions,
    }
    lines = ["{"]
    for name, value in content.items():
        if isinstance(value, dict):
            rows = ",\n".join(f"  {json.dumps(code)}: {json.dumps(row)}" for code, row in value.items())
            lines.append(f' "{name}": {{\n{rows}\n }}' + ("," if name != "regions" else ""))
        else:
            lines.append(f' "{name}": {json.dumps(value, ensure_ascii=False)},')
    TARGET.write_text("\n".join([*lines, "}"]) + "\n", encoding="utf-8")
    print(f"{len(districts)} districts and {len(regions)} regions, {TARGET.stat().st_size:,} bytes")  # noqa: T201


def decoded(topology: dict[str, Any]) -> list[list[Point]]:
    """Return the arcs in degrees, which the file stores as differences of whole numbers."""
    if "transform" not in topology:
        return [[(float(x), float(y)) for x, y in arc] for arc in topology["arcs"]]
    (scale_x, scale_y), (left, top) = topology["transform"]["scale"], topology["transform"]["translate"]
    found = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append((x * scale_x + left, y * scale_y + top))
        found.append(points)
    return found


def mercator(longitude: float, latitude: float) -> Point:
    """Return the point on a web map, y downwards."""
    up = math.degrees(math.log(math.tan(math.pi / 4 + math.radians(latitude) / 2)))
    return longitude * SCALE, -up * SCALE


def simplified(points: list[Point]) -> list[Point]:
    """Return the points without those closer than the tolerance to the line of the others (Douglas and Peucker)."""
    if len(points) < 3:
        return points
    keep = {0, len(points) - 1}
    waiting = [(0, len(points) - 1)]
    while waiting:
        first, last = waiting.pop()
        far, at = max(
            ((_distance(points[place], points[first], points[last]), place) for place in range(first + 1, last)),
            default=(0.0, 0),
        )
        if far > TOLERANCE:
            keep.add(at)
            waiting += [(first, at), (at, last)]
    return [points[place] for place in sorted(keep)]


def _distance(point: Point, first: Point, last: Point) -> float:
    (x, y), (ax, ay), (bx, by) = point, first, last
    length = math.hypot(bx - ax, by - ay)
    if length == 0:
        return math.hypot(x - ax, y - ay)
    return abs((bx - ax) * (ay - y) - (ax - x) * (by - ay)) / length


def shapes(collection: dict[str, Any], arcs: list[list[Point]], prefixes: tuple[str, ...]) -> dict[str, list[Any]]:
    """Return name, box, middle and SVG path of each area with one of these prefixes that has not ended."""
    found = {}
    for geometry in collection["geometries"]:
        properties = geometry["properties"]
        code = properties["areacd"]
        if not code.startswith(prefixes) or properties.get("end"):
            continue
        parts = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        rings = [[_whole(point) for point in _ring(ring, arcs)] for polygon in parts for ring in polygon]
        rings = sorted((_without_repeats(ring) for ring in rings), key=lambda ring: -abs(_area(ring)))
        rings = [ring for place, ring in enumerate(rings) if place == 0 or abs(_area(ring)) >= SMALLEST]
        xs = [x for ring in rings for x, _ in ring]
        ys = [y for ring in rings for _, y in ring]
        box = [min(xs), min(ys), max(xs), max(ys)]
        found[code] = [properties["areanm"], box, _middle(rings[0]), "".join(map(_path, rings))]
    return dict(sorted(found.items()))


def _ring(numbers: list[int], arcs: list[list[Point]]) -> list[Point]:
    points: list[Point] = []
    for number in numbers:
        arc = arcs[number] if number >= 0 else arcs[~number][::-1]
        points += arc[1:] if points else arc
    return points


def _whole(point: Point) -> tuple[int, int]:
    return round(point[0]), round(point[1])


def _without_repeats(ring: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [point for place, point in enumerate(ring) if place == 0 or point != ring[place - 1]]


def _area(ring: list[tuple[int, int]]) -> float:
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in zip(ring, [*ring[1:], ring[0]], strict=True)) / 2


def _middle(ring: list[tuple[int, int]]) -> list[int]:
    """Return the centre of gravity of a ring, or of its box if it has no area."""
    area = _area(ring)
    if not area:
        return [ring[0][0], ring[0][1]]
    pairs = list(zip(ring, [*ring[1:], ring[0]], strict=True))
    x = sum((ax + bx) * (ax * by - bx * ay) for (ax, ay), (bx, by) in pairs) / (6 * area)
    y = sum((ay + by) * (ax * by - bx * ay) for (ax, ay), (bx, by) in pairs) / (6 * area)
    return [round(x), round(y)]


def _path(ring: list[tuple[int, int]]) -> str:
    start, *rest = ring[:-1] if ring[0] == ring[-1] else ring
    steps = []
    for (ax, ay), (bx, by) in zip([start, *rest], rest, strict=False):
        steps.append(f"{bx - ax} {by - ay}".replace(" -", "-"))
    return f"M{start[0]} {start[1]}l{' '.join(steps).replace(' -', '-')}z"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
