"""Where a network falls apart: its parts, and the nodes that hold pieces of them together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from partnerships.kit.late import late

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    #: Numbers of nodes or links.
    Numbers: TypeAlias = NDArray[np.int64]
else:
    np = late("numpy")


def cut_apart(ones: Numbers, others: Numbers) -> tuple[list[int], dict[int, list[int]]]:
    """The sizes of the parts that are not linked with each other, and the single points of failure.

    Links are pairs of small numbers, the smaller one first: `ones[0]` with `others[0]`. A single point of failure is a
    node without which its part falls into pieces: for each the sizes of the pieces. All sizes come largest first.
    Tarjan's walk in depth finds them: what was reached through a node, and leads to nothing that was reached before
    that node, is a piece of its own.
    """
    neighbours: defaultdict[int, list[int]] = defaultdict(list)
    kept = _links_that_matter(ones, others)
    for one, other in zip(ones[kept].tolist(), others[kept].tolist(), strict=True):
        neighbours[one].append(other)
        neighbours[other].append(one)
    parts: list[int] = []
    pieces: dict[int, list[int]] = {}
    order: dict[int, int] = {}
    for root in neighbours:
        if root not in order:
            size, pieces_without = _walk_in_depth(root, neighbours, order)
            parts.append(size)
            pieces |= pieces_without
    return sorted(parts, reverse=True), {node: sorted(sizes, reverse=True) for node, sizes in pieces.items()}


def _links_that_matter(ones: Numbers, others: Numbers) -> Numbers:
    """Links that fall apart into the same pieces as all of them without any one node; at most two for each node.

    In the part with the most linked node these are the links by which a search in breadth reaches each node first, and
    those of a second search without these (Cheriyan, Kao and Thurimella, 1993). Other parts keep all their links.
    """
    everything = np.arange(len(ones))
    first, reached = _search(ones, others, everything)
    in_part = reached[ones]
    rest = np.setdiff1d(everything[in_part], first, assume_unique=True)
    second, reached = _search(ones, others, rest)
    return np.concatenate([everything[~in_part], first, second, rest[~reached[ones[rest]]]])


def _search(ones: Numbers, others: Numbers, links: Numbers) -> tuple[Numbers, NDArray[np.bool_]]:
    """The links by which a search in breadth reaches each node first, and which nodes it reaches.

    It follows only these `links`, from the node that has most of them.
    """
    sources = np.concatenate([ones[links], others[links]])
    count = np.bincount(sources, minlength=int(others.max(initial=0)) + 1)
    ends = np.cumsum(count)
    by_source = np.argsort(sources, kind="stable")
    targets = np.concatenate([others[links], ones[links]])[by_source]
    via = np.concatenate([links, links])[by_source]
    ring, used = np.array([count.argmax()]), [links[:0]]
    reached = np.zeros(len(count), dtype=bool)
    reached[ring] = True
    while len(ring):
        places = _ranges(ends[ring] - count[ring], count[ring])
        places = places[~reached[targets[places]]]
        ring, firsts = np.unique(targets[places], return_index=True)
        reached[ring] = True
        used.append(via[places[firsts]])
    return np.concatenate(used), reached


def _ranges(starts: Numbers, sizes: Numbers) -> Numbers:
    """This many numbers from each start, one range after another."""
    before = np.cumsum(sizes) - sizes
    return np.repeat(starts - before, sizes) + np.arange(int(sizes.sum()))


def _walk_in_depth(
    root: int, neighbours: Mapping[int, Sequence[int]], order: dict[int, int]
) -> tuple[int, dict[int, list[int]]]:
    """The size of the root's part, and the pieces of it without each node that holds pieces together.

    `order` gets the place of each node in the walk.
    """
    above, reached = {root: root}, [root]
    order[root] = len(order)
    earliest = {root: order[root]}
    open_nodes = [(root, iter(neighbours[root]))]
    while open_nodes:
        node, others = open_nodes[-1]
        for other in others:
            place = order.get(other)
            if place is None:
                order[other] = earliest[other] = len(order)
                above[other] = node
                reached.append(other)
                open_nodes.append((other, iter(neighbours[other])))
                break
            if place < earliest[node]:
                earliest[node] = place
        else:
            open_nodes.pop()
    sizes = dict.fromkeys(reached, 1)
    below: dict[int, list[int]] = {}
    for node in reversed(reached[1:]):  # the last reached first: what lies below a node is known before it
        parent = above[node]
        sizes[parent] += sizes[node]
        earliest[parent] = min(earliest[parent], earliest[node])
        if earliest[node] >= order[parent]:
            below.setdefault(parent, []).append(sizes[node])
    whole = len(reached)
    pieces = {node: [*piece_sizes, whole - 1 - sum(piece_sizes)] for node, piece_sizes in below.items() if node != root}
    if len(below.get(root, ())) > 1:
        pieces[root] = below[root]
    return whole, pieces
