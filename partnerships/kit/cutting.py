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
    the left one. A single point of failure is a node without which its part would fall into pieces. The sizes of these
    pieces are returned by node. All sizes are in order, the largest first.

    For example, in the chain 0–1–2–3, the nodes 1 and 2 are single points of failure, each with pieces of 2 and 1. The
    search is Tarjan's. It walks depth first from a root, and finds that the nodes below a node are a separate piece if
    none of them has a link to a node visited earlier.
    """
    neighbours: defaultdict[int, list[int]] = defaultdict(list)
    links = _relevant_links(left, right)
    for node, neighbour in zip(left[links].tolist(), right[links].tolist(), strict=True):
        neighbours[node].append(neighbour)
        neighbours[neighbour].append(node)
    part_sizes: list[int] = []
    pieces_by_node: dict[int, list[int]] = {}
    visit_order: dict[int, int] = {}
    for root in neighbours:
        if root not in visit_order:
            part_size, pieces_of_part = _walk_in_depth(root, neighbours, visit_order)
            part_sizes.append(part_size)
            pieces_by_node |= pieces_of_part
    sorted_pieces = {node: sorted(sizes, reverse=True) for node, sizes in pieces_by_node.items()}
    return sorted(part_sizes, reverse=True), sorted_pieces


def _relevant_links(left: Numbers, right: Numbers) -> Numbers:
    """Return fewer links that have the same single points of failure and the same pieces.

    Two breadth-first searches choose the links in the part with the most linked node. The first keeps a link to each
    node that it visits. The second does the same without these links. So at most two links remain for each node
    (Cheriyan, Kao and Thurimella, 1993). In other parts, all links remain.
    """
    all_links = np.arange(len(left))
    first_links, is_visited = _search_in_breadth(left, right, all_links)
    in_part = is_visited[left]
    other_links = np.setdiff1d(all_links[in_part], first_links, assume_unique=True)
    second_links, is_visited = _search_in_breadth(left, right, other_links)
    unvisited_links = other_links[~is_visited[left[other_links]]]
    return np.concatenate([all_links[~in_part], first_links, second_links, unvisited_links])


def _search_in_breadth(left: Numbers, right: Numbers, links: Numbers) -> tuple[Numbers, NDArray[np.bool_]]:
    """Search breadth first along these links, from the node that has most of them.

    Returns the links by which the search came to each node for the first time, and whether it visited each node.
    """
    sources = np.concatenate([left[links], right[links]])
    link_counts = np.bincount(sources, minlength=int(right.max(initial=0)) + 1)
    ends = np.cumsum(link_counts)
    by_source = np.argsort(sources, kind="stable")
    targets = np.concatenate([right[links], left[links]])[by_source]
    link_of_target = np.concatenate([links, links])[by_source]
    frontier, used_links = np.array([link_counts.argmax()]), [links[:0]]
    is_visited = np.zeros(len(link_counts), dtype=bool)
    is_visited[frontier] = True
    while len(frontier):
        positions = _ranges(ends[frontier] - link_counts[frontier], link_counts[frontier])
        positions = positions[~is_visited[targets[positions]]]
        frontier, first_positions = np.unique(targets[positions], return_index=True)
        is_visited[frontier] = True
        used_links.append(link_of_target[positions[first_positions]])
    return np.concatenate(used_links), is_visited


def _ranges(starts: Numbers, sizes: Numbers) -> Numbers:
    """Return the integers of several ranges in one array.

    For example, the starts 5 and 20 with the sizes 3 and 2 give 5, 6, 7, 20 and 21.
    """
    offsets = np.cumsum(sizes) - sizes
    return np.repeat(starts - offsets, sizes) + np.arange(int(sizes.sum()))


def _walk_in_depth(
    root: int, neighbours: Mapping[int, Sequence[int]], order: dict[int, int]
) -> tuple[int, dict[int, list[int]]]:
    """Return the size of the root's part, and the sizes of its pieces by single point of failure.

    Adds to `order` the position of each node in the walk.
    """
    parent_of, earliest = _depth_first_tree(root, neighbours, order)
    nodes = list(parent_of)
    sizes = dict.fromkeys(nodes, 1)
    pieces_below: dict[int, list[int]] = {}
    for node in reversed(nodes[1:]):  # the last visited first, so that all nodes below a node come before it
        parent = parent_of[node]
        sizes[parent] += sizes[node]
        earliest[parent] = min(earliest[parent], earliest[node])
        if earliest[node] >= order[parent]:
            pieces_below.setdefault(parent, []).append(sizes[node])

    # Without the root, only the pieces below it remain. Without any other node, the rest of the part is a piece too.
    part_size = len(nodes)
    root_pieces = pieces_below.pop(root, [])
    pieces_by_node = {
        node: [*piece_sizes, part_size - 1 - sum(piece_sizes)] for node, piece_sizes in pieces_below.items()
    }
    if len(root_pieces) > 1:
        pieces_by_node[root] = root_pieces
    return part_size, pieces_by_node


def _depth_first_tree(
    root: int, neighbours: Mapping[int, Sequence[int]], order: dict[int, int]
) -> tuple[dict[int, int], dict[int, int]]:
    """Walk through the root's part, depth first, and add each node's position in the walk to `order`.

    Returns the parent of each node, from which the walk came to it, in the order of the walk. The parent of the root is
    the root itself. Also returns the earliest position of each node's neighbours.
    """
    order[root] = len(order)
    parent_of = {root: root}
    earliest = {root: order[root]}
    # A stack is used instead of recursion, because a part may be deeper than Python's limit.
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
