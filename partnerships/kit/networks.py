"""Lay out pictures of networks of organisations.

The same network always gives the same drawing, and labels do not overlap. The layout is networkx's spring model. A
small network is laid out from several seeds. The layout with the fewest overlapping labels is used, and labels that
still overlap are pushed apart. A large network shows only the labels that have enough room.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from partnerships.kit.late import late

if TYPE_CHECKING:
    import networkx as nx
else:
    nx = late("networkx")

#: The number of partnerships that link two nodes, by the keys of the nodes.
Ties = Mapping[tuple[int, int], int]
#: The size of a small picture in SVG units. A larger picture is higher.
WIDTH, HEIGHT = 1120, 640
#: A picture of at most `SMALL` nodes shows all labels. No picture has more than `MAX_NODES` nodes.
SMALL, MAX_NODES = 24, 300
#: The maximum number of lines of a picture, because more lines would hide one another.
MAX_LINES = 900
#: The number of random layouts to try. Each takes 3 ms for 24 names.
SEEDS = 6
_CHARACTER, _LINE, _GAP = 7.4, 18, 26
_MARGIN_X, _MARGIN_Y = 110, 40


@dataclass(frozen=True, slots=True)
class Node:
    """An organisation in the picture.

    `href` is the page that its name links to. An organisation of the reader, or at the centre of the picture, is
    highlighted.
    """

    key: int
    label: str
    kind: str
    is_highlighted: bool = False
    href: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """An organisation with its position. Its label, if drawn, is centred below its mark."""

    node: Node
    x: float
    y: float
    is_named: bool = True

    @property
    def label_y(self) -> float:
        """Return the label's baseline."""
        return self.y + _GAP


@dataclass(frozen=True, slots=True)
class Line:
    """A line between two organisations. `weight` is how many partnerships they share."""

    x1: float
    y1: float
    x2: float
    y2: float
    weight: int


@dataclass(frozen=True, slots=True)
class Picture:
    """The positions and lines of a network picture."""

    nodes: tuple[Placed, ...]
    lines: tuple[Line, ...]

    @property
    def strokes(self) -> list[tuple[float, str]]:
        """Return the lines as SVG paths, each with its width. Lines for several partnerships are thicker."""
        thin = [line for line in self.lines if line.weight <= 1]
        heavy = [line for line in self.lines if line.weight > 1]
        return [(width, _path(lines)) for width, lines in ((1.5, thin), (3.5, heavy)) if lines]

    @property
    def width(self) -> int:
        """Return the width of the drawing."""
        return WIDTH

    @property
    def top(self) -> float:
        """Return the top of the drawing, without the empty space above it."""
        return min((place.y for place in self.nodes), default=0) - _MARGIN_Y

    @property
    def height(self) -> float:
        """Return the height of the drawing, from `top` to below the lowest label."""
        return max((place.label_y for place in self.nodes), default=0) + _MARGIN_Y / 2 - self.top


def _path(lines: Iterable[Line]) -> str:
    """Return one SVG path for all these lines."""
    return "".join(f"M{line.x1:.1f} {line.y1:.1f}L{line.x2:.1f} {line.y2:.1f}" for line in lines)


def _box(label: str, x: float, y: float) -> tuple[float, float, float, float]:
    """Return the left, top, right and bottom of a node with its label."""
    half_width = max(len(label) * _CHARACTER / 2, 12)
    return (x - half_width, y - 12, x + half_width, y + _GAP + _LINE / 2)


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> tuple[float, float]:
    """Return the width and the height in which two boxes overlap, or zeros if they do not overlap."""
    a_left, a_top, a_right, a_bottom = a
    b_left, b_top, b_right, b_bottom = b
    across = min(a_right, b_right) - max(a_left, b_left)
    down = min(a_bottom, b_bottom) - max(a_top, b_top)
    return (across, down) if across > 0 and down > 0 else (0.0, 0.0)


def overlaps(labels: Mapping[int, str], places: Mapping[int, tuple[float, float]]) -> int:
    """Return the number of pairs of labels that overlap."""
    boxes = [_box(labels[key], *place) for key, place in places.items()]
    return sum(
        1 for index, box in enumerate(boxes) for other in boxes[index + 1 :] if _overlap(box, other) != (0.0, 0.0)
    )


def _push_apart(labels: Mapping[int, str], places: dict[int, tuple[float, float]]) -> None:
    """Move overlapping labels apart, usually vertically, because a line of text is wide and low.

    Moving two labels may push one onto a third label, so this repeats until none moves, at most 120 times.
    """
    keys = sorted(places)
    for _ in range(120):
        has_moved = False
        for index, first in enumerate(keys):
            for second in keys[index + 1 :]:
                (x1, y1), (x2, y2) = places[first], places[second]
                across, down = _overlap(_box(labels[first], x1, y1), _box(labels[second], x2, y2))
                if not across:
                    continue
                has_moved = True
                if down <= across:
                    distance = down / 2 + 1
                    sign = 1 if y2 >= y1 else -1
                    y1, y2 = y1 - sign * distance, y2 + sign * distance
                else:
                    distance = across / 2 + 1
                    sign = 1 if x2 >= x1 else -1
                    x1, x2 = x1 - sign * distance, x2 + sign * distance
                places[first] = _inside(x1, y1, HEIGHT)
                places[second] = _inside(x2, y2, HEIGHT)
        if not has_moved:
            return


def _inside(x: float, y: float, height: float) -> tuple[float, float]:
    """Return the position, moved to the nearest one within the margins."""
    return (
        min(max(x, _MARGIN_X), WIDTH - _MARGIN_X),
        min(max(y, _MARGIN_Y), height - _MARGIN_Y),
    )


def lay_out(nodes: Iterable[Node], ties: Ties) -> Picture:
    """Return a picture of the nodes and of the ties between them. There may be at most `MAX_NODES` nodes."""
    return _cached_picture(tuple(sorted(nodes, key=lambda node: node.key)), tuple(sorted(ties.items())))


@lru_cache(maxsize=128)  # a picture of 24 names takes 20 ms, and a reader's picture seldom changes
def _cached_picture(nodes: tuple[Node, ...], ties: tuple[tuple[tuple[int, int], int], ...]) -> Picture:
    """Return the picture of these nodes and of the ties between them. A tie has the keys of two nodes, and a weight.

    Small networks have all labels, large ones only labels that do not overlap.
    """
    assert len(nodes) <= MAX_NODES
    nodes_by_key = {node.key: node for node in nodes}
    edges = [(start, end, weight) for (start, end), weight in ties if start in nodes_by_key and end in nodes_by_key]
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(nodes_by_key)
    graph.add_weighted_edges_from(edges)

    labels = {key: node.label for key, node in nodes_by_key.items()}
    if len(nodes) <= SMALL:
        places, labelled_keys = _small_layout(graph, labels), set(nodes_by_key)
    else:
        positions = _spring_layout(graph, 0, HEIGHT * min(len(nodes) / SMALL, 3))
        places = {key: (round(x, 1), round(y, 1)) for key, (x, y) in positions.items()}
        labelled_keys = _keys_with_room(graph, nodes_by_key, places)
    rounded_places = {key: (round(x, 1), round(y, 1)) for key, (x, y) in places.items()}

    placed_nodes = []
    for key, (x, y) in rounded_places.items():
        placed_nodes.append(Placed(nodes_by_key[key], x, y, key in labelled_keys))
    lines = []
    for start, end, weight in edges:
        (x1, y1), (x2, y2) = rounded_places[start], rounded_places[end]
        lines.append(Line(x1=x1, y1=y1, x2=x2, y2=y2, weight=weight))
    return Picture(nodes=tuple(placed_nodes), lines=tuple(lines))


def _spring_layout(graph: nx.Graph[int], seed: int, height: float) -> dict[int, tuple[float, float]]:
    """Return a position within the margins for each node, by networkx's spring model from this seed."""
    positions = nx.spring_layout(graph, seed=seed, k=1.6 / max(len(graph), 1) ** 0.5, iterations=60)
    return {
        key: _inside(
            WIDTH / 2 + float(place[0]) * (WIDTH / 2 - _MARGIN_X),
            height / 2 + float(place[1]) * (height / 2 - _MARGIN_Y),
            height,
        )
        for key, place in positions.items()
    }


def _small_layout(graph: nx.Graph[int], labels: Mapping[int, str]) -> dict[int, tuple[float, float]]:
    """Return, of several seeds, the layout with the fewest overlapping labels, with these labels pushed apart."""
    best_places: dict[int, tuple[float, float]] = {}
    fewest_collisions = -1
    for seed in range(SEEDS):
        places = _spring_layout(graph, seed, HEIGHT)
        collisions = overlaps(labels, places)
        if fewest_collisions < 0 or collisions < fewest_collisions:
            best_places, fewest_collisions = places, collisions
        if not collisions:
            break
    _push_apart(labels, best_places)
    return best_places


def _keys_with_room(
    graph: nx.Graph[int], nodes: Mapping[int, Node], places: Mapping[int, tuple[float, float]]
) -> set[int]:
    """Return the keys of the nodes whose labels do not cover another label.

    The reader's own organisations are labelled first, then those with the most links.
    """
    boxes: list[tuple[float, float, float, float]] = []
    labelled_keys: set[int] = set()
    for key in sorted(nodes, key=lambda node: (not nodes[node].is_highlighted, -graph.degree(node), node)):
        box = _box(nodes[key].label, *places[key])
        if all(_overlap(box, other) == (0.0, 0.0) for other in boxes):
            boxes.append(box)
            labelled_keys.add(key)
    return labelled_keys
