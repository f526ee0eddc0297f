"""Networks of organisations: where they fall apart, and how they are drawn.

Drawings have labels that do not collide, and the same network gives the same drawing. The layout is networkx's spring
model. A small network is laid out from several seeds; the one with the fewest overlaps of labels wins, and labels that
still overlap are pushed apart. In a large one only those labels are drawn for which there is room.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from partnerships.kit.late import late

if TYPE_CHECKING:
    import networkx as nx
else:
    nx = late("networkx")

#: Links between pairs of nodes, with how many partnerships each stands for.
Ties = Mapping[tuple[int, int], int]


def thinned(ties: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """At most two ties for each node, in which the network has the same parts and falls into the same pieces.

    They are a forest found breadth first, and another one in the ties that the first left over. Between two parts of
    what is left without a node there is no tie of either forest, and then no tie at all: the node's own ties outside
    the first forest lead only to nodes that were found before it (Cheriyan, Kao and Thurimella, 1993).
    """
    neighbours: dict[int, list[int]] = {}
    for one, other in ties:
        neighbours.setdefault(one, []).append(other)
        neighbours.setdefault(other, []).append(one)
    first = _forest(neighbours, {})
    second = _forest(neighbours, first)
    return {(node, above) for forest in (first, second) for node, above in forest.items() if node != above}


def _forest(neighbours: Mapping[int, Sequence[int]], used: Mapping[int, int]) -> dict[int, int]:
    """For each node the one from which a walk breadth first found it; a root for itself.

    It does not use the ties of another forest.
    """
    found: dict[int, int] = {}
    for root in neighbours:
        if root in found:
            continue
        found[root] = root
        ring = [root]
        for node in ring:  # grows while it is walked
            above = used.get(node)
            for other in neighbours[node]:
                if other not in found and other != above and used.get(other) != node:
                    found[other] = node
                    ring.append(other)
    return found


def connected(ties: Iterable[tuple[int, int]]) -> list[set[int]]:
    """The parts of a network that are not linked with each other, the largest first."""
    return sorted(nx.connected_components(nx.Graph(list(ties))), key=lambda part: (-len(part), min(part)))


def pieces_without(ties: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    """The single points of failure: nodes without which their part of the network falls into pieces.

    For each the sizes of the pieces, the largest first. A part is a tree of blocks that hold together and of the nodes
    between them, so that one walk gives the pieces of all nodes.
    """
    # The stubs of networkx know neither what blocks nor what predecessors are.
    blocks: list[Any] = list(nx.biconnected_components(nx.Graph(list(ties))))
    seen: dict[int, int] = {}
    for block in blocks:
        for node in block:
            seen[node] = seen.get(node, 0) + 1
    cuts = {node for node, times in seen.items() if times > 1}
    # A block has a negative number here, a node between blocks its own.
    tree: nx.Graph[int] = nx.Graph()
    tree.add_edges_from((-number, node) for number, block in enumerate(blocks, 1) for node in block & cuts)
    found: dict[int, list[int]] = {node: [] for node in cuts}
    size = {-number: len(block - cuts) for number, block in enumerate(blocks, 1)} | dict.fromkeys(cuts, 1)
    for part in nx.connected_components(tree):
        root = min(part)  # a block: its number is negative
        above: Any = nx.predecessor(tree, root)
        whole = sum(size[one] for one in part)
        for one in reversed(above):  # the farthest first
            parent = above[one][0] if above[one] else None
            if parent is not None:
                size[parent] += size[one]
                if parent > 0:
                    found[parent].append(size[one])
            if one > 0:
                found[one].append(whole - size[one])
    return {node: sorted(sizes, reverse=True) for node, sizes in found.items()}


#: Size of a small picture in SVG units; a larger one is higher.
WIDTH, HEIGHT = 1120, 640
#: Nodes of a small picture, whose labels are all drawn; nodes of the largest one.
SMALL, MAX_NODES = 24, 300
#: Random layouts to try: 3 ms each for 24 names, and what still overlaps is pushed apart.
SEEDS = 6
_CHARACTER, _LINE, _GAP = 7.4, 18, 26
_MARGIN_X, _MARGIN_Y = 110, 40


@dataclass(frozen=True, slots=True)
class Node:
    """An organisation in the picture, and where its name leads."""

    key: int
    label: str
    kind: str
    mine: bool = False
    href: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """An organisation with its position; the label, if there is room for it, is centred below the mark."""

    node: Node
    x: float
    y: float
    is_named: bool = True

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
    def width(self) -> int:
        """The width of the drawing."""
        return WIDTH

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
                places[one] = _inside(x1, y1, HEIGHT)
                places[other] = _inside(x2, y2, HEIGHT)
        if not moved:
            return


def _inside(x: float, y: float, height: float) -> tuple[float, float]:
    return (
        min(max(x, _MARGIN_X), WIDTH - _MARGIN_X),
        min(max(y, _MARGIN_Y), height - _MARGIN_Y),
    )


def lay_out(nodes: Iterable[Node], ties: Ties) -> Picture:
    """A picture of the nodes and of the ties between them; at most `MAX_NODES` nodes."""
    return _laid_out(tuple(sorted(nodes, key=lambda node: node.key)), tuple(sorted(ties.items())))


@lru_cache(maxsize=128)  # 20 ms for 24 names, and a reader's picture seldom changes
def _laid_out(nodes: tuple[Node, ...], ties: tuple[tuple[tuple[int, int], int], ...]) -> Picture:
    """Places for the nodes. Small networks name all; in large ones names must not overlap."""
    assert len(nodes) <= MAX_NODES
    known = {node.key: node for node in nodes}
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(known)
    graph.add_weighted_edges_from((a, b, weight) for (a, b), weight in ties if a in known and b in known)
    labels = {key: node.label for key, node in known.items()}
    if len(nodes) <= SMALL:
        places, named = _small(graph, labels), set(known)
    else:
        spread = _spread(graph, 0, HEIGHT * min(len(nodes) / SMALL, 3))
        places = {key: (round(x, 1), round(y, 1)) for key, (x, y) in spread.items()}
        named = _with_room(graph, known, places)
    return Picture(
        nodes=tuple(Placed(known[key], round(x, 1), round(y, 1), key in named) for key, (x, y) in places.items()),
        lines=tuple(
            Line(round(places[a][0], 1), round(places[a][1], 1), round(places[b][0], 1), round(places[b][1], 1), weight)
            for (a, b), weight in ties
            if a in places and b in places
        ),
    )


def _spread(graph: nx.Graph[int], seed: int, height: float) -> dict[int, tuple[float, float]]:
    found = nx.spring_layout(graph, seed=seed, k=1.6 / max(len(graph), 1) ** 0.5, iterations=60)
    return {
        key: _inside(
            WIDTH / 2 + float(place[0]) * (WIDTH / 2 - _MARGIN_X),
            height / 2 + float(place[1]) * (height / 2 - _MARGIN_Y),
            height,
        )
        for key, place in found.items()
    }


def _small(graph: nx.Graph[int], labels: Mapping[int, str]) -> dict[int, tuple[float, float]]:
    """The layout of several seeds whose labels collide least, pushed apart."""
    best: dict[int, tuple[float, float]] = {}
    fewest = -1
    for seed in range(SEEDS):
        places = _spread(graph, seed, HEIGHT)
        collisions = overlaps(labels, places)
        if fewest < 0 or collisions < fewest:
            best, fewest = places, collisions
        if not collisions:
            break
    _push_apart(labels, best)
    return best


def _with_room(graph: nx.Graph[int], known: Mapping[int, Node], places: Mapping[int, tuple[float, float]]) -> set[int]:
    """The nodes whose labels cover no other label: the reader's own first, then those with most links."""
    boxes: list[tuple[float, float, float, float]] = []
    named: set[int] = set()
    for key in sorted(known, key=lambda one: (not known[one].mine, -graph.degree(one), one)):
        box = _box(known[key].label, *places[key])
        if all(_overlap(box, other) == (0.0, 0.0) for other in boxes):
            boxes.append(box)
            named.add(key)
    return named
