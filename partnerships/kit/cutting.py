"""The separate parts of a network, and its single points of failure."""

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


def cut_apart(left: Numbers, right: Numbers) -> tuple[list[int], dict[int, list[int]]]:
    """Return the sizes of the network's separate parts, and its single points of failure.

    Link `n` connects the nodes `left[n]` and `right[n]`. Nodes are small numbers, and the smaller node of a link is
    the left one. A single point of failure is a node without which its part falls into pieces; the sizes of these
    pieces are returned by node. All sizes are in order, the largest first.

    The search is Tarjan's depth-first search: the nodes reached through a node are a separate piece if no link leads
    from them to a node that was reached earlier.
    """
    neighbours: defaultdict[int, list[int]] = defaultdict(list)
    links = _relevant_links(left, right)
    for node, neighbour in zip(left[links].tolist(), right[links].tolist(), strict=True):
        neighbours[node].append(neighbour)
        neighbours[neighbour].append(node)
    parts: list[int] = []
    pieces_by_node: dict[int, list[int]] = {}
    order_reached: dict[int, int] = {}
    for root in neighbours:
        if root not in order_reached:
            size, pieces_without = _walk_in_depth(root, neighbours, order_reached)
            parts.append(size)
            pieces_by_node |= pieces_without
    return sorted(parts, reverse=True), {node: sorted(sizes, reverse=True) for node, sizes in pieces_by_node.items()}


def _relevant_links(left: Numbers, right: Numbers) -> Numbers:
    """Return fewer links that have the same single points of failure and the same pieces.

    In the part with the most linked node, these are the links by which a breadth-first search first reaches each
    node, and those of a second search without the first links (Cheriyan, Kao and Thurimella, 1993): at most two links
    for each node. Other parts keep all their links.
    """
    all_links = np.arange(len(left))
    first_links, reached = _search_in_breadth(left, right, all_links)
    in_part = reached[left]
    other_links = np.setdiff1d(all_links[in_part], first_links, assume_unique=True)
    second_links, reached = _search_in_breadth(left, right, other_links)
    unreached_links = other_links[~reached[left[other_links]]]
    return np.concatenate([all_links[~in_part], first_links, second_links, unreached_links])


def _search_in_breadth(left: Numbers, right: Numbers, links: Numbers) -> tuple[Numbers, NDArray[np.bool_]]:
    """Return the links by which a breadth-first search first reaches each node, and whether it reaches each node.

    The search follows only these `links`, and starts at the node that has most of them.
    """
    sources = np.concatenate([left[links], right[links]])
    link_counts = np.bincount(sources, minlength=int(right.max(initial=0)) + 1)
    ends = np.cumsum(link_counts)
    by_source = np.argsort(sources, kind="stable")
    targets = np.concatenate([right[links], left[links]])[by_source]
    link_of_target = np.concatenate([links, links])[by_source]
    frontier, used_links = np.array([link_counts.argmax()]), [links[:0]]
    reached = np.zeros(len(link_counts), dtype=bool)
    reached[frontier] = True
    while len(frontier):
        positions = _ranges(ends[frontier] - link_counts[frontier], link_counts[frontier])
        positions = positions[~reached[targets[positions]]]
        frontier, first_positions = np.unique(targets[positions], return_index=True)
        reached[frontier] = True
        used_links.append(link_of_target[positions[first_positions]])
    return np.concatenate(used_links), reached


def _ranges(starts: Numbers, sizes: Numbers) -> Numbers:
    """Return, in one array, as many consecutive numbers from each start as its size."""
    offsets = np.cumsum(sizes) - sizes
    return np.repeat(starts - offsets, sizes) + np.arange(int(sizes.sum()))


def _walk_in_depth(
    root: int, neighbours: Mapping[int, Sequence[int]], order: dict[int, int]
) -> tuple[int, dict[int, list[int]]]:
    """Return the size of the root's part, and the sizes of its pieces without each single point of failure.

    Adds to `order` the position at which the walk reached each node.
    """
    parent_of, earliest = _depth_first_tree(root, neighbours, order)
    nodes = list(parent_of)
    sizes = dict.fromkeys(nodes, 1)
    pieces_below: dict[int, list[int]] = {}
    for node in reversed(nodes[1:]):  # the last reached first, so that all nodes below a node come before it
        parent = parent_of[node]
        sizes[parent] += sizes[node]
        earliest[parent] = min(earliest[parent], earliest[node])
        if earliest[node] >= order[parent]:
            pieces_below.setdefault(parent, []).append(sizes[node])

    # Without the root, only the pieces below it remain. Without any other node, the rest of the part is a piece too.
    part_size = len(nodes)
    root_pieces = pieces_below.pop(root, [])
    pieces = {node: [*piece_sizes, part_size - 1 - sum(piece_sizes)] for node, piece_sizes in pieces_below.items()}
    if len(root_pieces) > 1:
        pieces[root] = root_pieces
    return part_size, pieces


def _depth_first_tree(
    root: int, neighbours: Mapping[int, Sequence[int]], order: dict[int, int]
) -> tuple[dict[int, int], dict[int, int]]:
    """Walk through the root's part, depth first.

    Returns the node from which each node was reached, in the order of reaching, and the earliest position in `order` of
    a node's neighbours. Adds each node's own position to `order`. The root is its own parent.
    """
    order[root] = len(order)
    parent_of = {root: root}
    earliest = {root: order[root]}
    # A stack instead of recursion: a part may be deeper than Python's limit.
    open_nodes = [(root, iter(neighbours[root]))]
    while open_nodes:
        node, remaining_neighbours = open_nodes[-1]
        for neighbour in remaining_neighbours:
            if neighbour not in order:
                order[neighbour] = earliest[neighbour] = len(order)
                parent_of[neighbour] = node
                open_nodes.append((neighbour, iter(neighbours[neighbour])))
                break
            earliest[node] = min(earliest[node], order[neighbour])
        else:
            open_nodes.pop()
    return parent_of, earliest
