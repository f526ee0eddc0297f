"""The layout of a picture of organisations: labels do not collide, and the same network gives the same picture.

The layout is networkx's spring model from several seeds; the one with the fewest label overlaps wins, then labels that
still overlap are pushed apart.
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

#: Size of the picture in SVG units.
WIDTH, HEIGHT = 1120, 640
#: Random layouts to try: 3 ms each for 24 names, and what still overlaps is pushed apart.
SEEDS = 6
_CHARACTER, _LINE, _GAP = 7.4, 18, 26
_MARGIN_X, _MARGIN_Y = 110, 40


@dataclass(frozen=True, slots=True)
class Node:
    """An organisation in the picture."""

    key: int
    label: str
    kind: str
    mine: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """An organisation with its position; the label is centred below the mark."""

    node: Node
    x: float
    y: float

    @property
    def label_y(self) -> float:
        """The label's baseline."""
        return self.y + _GAP


@dataclass(frozen=True, slots=True)
class Line:
    """A line between two organisations; its weight is the number of partnerships."""

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
    def top(self) -> float:
        """The top of the drawing; empty space above it is cut off."""
        return min((place.y for place in self.nodes), default=0) - _MARGIN_Y

    @property
    def height(self) -> float:
        """The height of the drawing, from `top` to below the lowest label."""
        return max((place.label_y for place in self.nodes), default=0) + _MARGIN_Y / 2 - self.top


def _box(label: str, x: float, y: float) -> tuple[float, float, float, float]:
    half = max(len(label) * _CHARACTER / 2, 12)
    return (x - half, y - 12, x + half, y + _GAP + _LINE / 2)


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> tuple[float, float]:
    """The overlap of two boxes, across and down; zero if they do not overlap."""
    across = min(a[2], b[2]) - max(a[0], b[0])
    down = min(a[3], b[3]) - max(a[1], b[1])
    return (across, down) if across > 0 and down > 0 else (0.0, 0.0)


def overlaps(labels: Mapping[int, str], places: Mapping[int, tuple[float, float]]) -> int:
    """The number of pairs of labels that overlap."""
    boxes = [_box(labels[key], *place) for key, place in places.items()]
    return sum(
        1 for index, box in enumerate(boxes) for other in boxes[index + 1 :] if _overlap(box, other) != (0.0, 0.0)
    )


def _push_apart(labels: Mapping[int, str], places: dict[int, tuple[float, float]]) -> None:
    """Move overlapping labels apart, vertically first: a line of text is low."""
    keys = sorted(places)
    for _ in range(120):
        moved = False
        for index, one in enumerate(keys):
            for other in keys[index + 1 :]:
                (x1, y1), (x2, y2) = places[one], places[other]
                across, down = _overlap(_box(labels[one], x1, y1), _box(labels[other], x2, y2))
                if not across:
                    continue
                moved = True
                if down <= across:
                    step = down / 2 + 1
                    sign = 1 if y2 >= y1 else -1
                    y1, y2 = y1 - sign * step, y2 + sign * step
                else:
                    step = across / 2 + 1
                    sign = 1 if x2 >= x1 else -1
                    x1, x2 = x1 - sign * step, x2 + sign * step
                places[one] = _inside(x1, y1)
                places[other] = _inside(x2, y2)
        if not moved:
            return


def _inside(x: float, y: float) -> tuple[float, float]:
    return (
        min(max(x, _MARGIN_X), WIDTH - _MARGIN_X),
        min(max(y, _MARGIN_Y), HEIGHT - _MARGIN_Y),
    )


def lay_out(nodes: Iterable[Node], ties: Mapping[tuple[int, int], int]) -> Picture:
    """A picture of the nodes and the ties between them (pairs of keys, with how many partnerships each stands for)."""
    return _laid_out(tuple(sorted(nodes, key=lambda node: node.key)), tuple(sorted(ties.items())))


@lru_cache(maxsize=128)  # 20 ms for 24 names, and a reader's picture seldom changes
def _laid_out(nodes: tuple[Node, ...], ties: tuple[tuple[tuple[int, int], int], ...]) -> Picture:
    known = {node.key: node for node in nodes}
    labels = {key: node.label for key, node in known.items()}
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(known)
    graph.add_weighted_edges_from((a, b, weight) for (a, b), weight in ties if a in known and b in known)
    best: dict[int, tuple[float, float]] = {}
    fewest = -1
    for seed in range(SEEDS):
        spread = nx.spring_layout(graph, seed=seed, k=1.6 / max(len(known), 1) ** 0.5, iterations=60)
        places = {
            key: _inside(
                WIDTH / 2 + float(place[0]) * (WIDTH / 2 - _MARGIN_X),
                HEIGHT / 2 + float(place[1]) * (HEIGHT / 2 - _MARGIN_Y),
            )
            for key, place in spread.items()
        }
        collisions = overlaps(labels, places)
        if fewest < 0 or collisions < fewest:
            best, fewest = places, collisions
        if not collisions:
            break
    _push_apart(labels, best)
    return Picture(
        nodes=tuple(Placed(known[key], round(x, 1), round(y, 1)) for key, (x, y) in best.items()),
        lines=tuple(
            Line(round(best[a][0], 1), round(best[a][1], 1), round(best[b][0], 1), round(best[b][1], 1), weight)
            for (a, b), weight in ties
            if a in best and b in best
        ),
    )
