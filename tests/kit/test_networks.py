"""Networks fall apart where they should, and their pictures are complete, readable and always the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partnerships.kit.cutting import cut_apart
from partnerships.kit.networks import (
    HEIGHT,
    MAX_NODES,
    SMALL,
    WIDTH,
    Node,
    lay_out,
    overlaps,
)
from tests.support.browser import sign_in
from tests.world import make_world

NAMES = (
    "Larkhaven Homes",
    "Westmarch Borough Council",
    "Estuary Reach LEP",
    "Tidewater Housing Group",
    "Harbour Community Trust",
    "Riverside Design",
    "Saltmarsh District Council",
    "Northquay Combined Authority",
    "Fenway Almshouses",
    "Kingsreach County Council",
)
NODES = tuple(Node(key, name, "council") for key, name in enumerate(NAMES))
TIES = {(key, (key + 1) % len(NAMES)): 1 for key in range(len(NAMES) - 1)} | {(0, 5): 3, (2, 8): 1}


def test_labels_do_not_collide() -> None:
    picture = lay_out(NODES, TIES)

    places = {place.node.key: (place.x, place.y) for place in picture.nodes}
    assert overlaps({node.key: node.label for node in NODES}, places) == 0


def test_everything_is_inside_the_picture() -> None:
    picture = lay_out(NODES, TIES)

    assert len(picture.nodes) == len(NAMES)
    assert all(0 < place.x < WIDTH and 0 < place.label_y < HEIGHT for place in picture.nodes)


def test_same_network_gives_the_same_picture() -> None:
    assert lay_out(NODES, TIES) == lay_out(reversed(NODES), dict(reversed(TIES.items())))


def test_link_to_an_organisation_not_shown_is_left_out() -> None:
    picture = lay_out(NODES[:2], {(0, 1): 2, (0, 7): 1})

    assert [line.weight for line in picture.lines] == [2]


def test_empty_network_gives_an_empty_picture() -> None:
    assert lay_out((), {}).nodes == ()


def test_large_network_names_organisations_where_there_is_room() -> None:
    nodes = [
        Node(key, f"A council with a long name {key}", "council", is_highlighted=key == 7) for key in range(MAX_NODES)
    ]
    ties = {(key // 3, key): 1 for key in range(1, MAX_NODES)}

    picture = lay_out(nodes, ties)

    labels_by_key = {place.node.key: place.node.label for place in picture.nodes if place.is_named}
    places = {place.node.key: (place.x, place.y) for place in picture.nodes if place.is_named}
    assert len(picture.nodes) == MAX_NODES
    assert len(picture.lines) == MAX_NODES - 1
    assert 7 in labels_by_key
    assert len(labels_by_key) > SMALL
    assert overlaps(labels_by_key, places) == 0


_NODES = st.integers(1, 9)


@given(st.sets(st.tuples(_NODES, _NODES).filter(lambda tie: tie[0] < tie[1]), max_size=14))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_pieces_are_the_parts_that_remain_when_each_node_is_removed(ties: set[tuple[int, int]]) -> None:
    expected = {}
    for node in {node for tie in ties for node in tie}:
        part = next(part for part in parts_of(ties) if node in part)
        remaining_parts = parts_of({tie for tie in ties if node not in tie}, part - {node})
        if len(remaining_parts) > 1:
            expected[node] = sorted(map(len, remaining_parts), reverse=True)

    ones, others = np.array(sorted(ties), dtype=np.int64).reshape(-1, 2).T
    assert cut_apart(ones, others) == (sorted(map(len, parts_of(ties)), reverse=True), expected)


def parts_of(ties: set[tuple[int, int]], nodes: set[int] | None = None) -> list[set[int]]:
    """Return the parts that are linked, by joining two at a time."""
    parts = [{node} for node in ({node for tie in ties for node in tie} if nodes is None else nodes)]
    for tie in ties:
        touched_parts = [part for part in parts if part.intersection(tie)]
        parts = [part for part in parts if part not in touched_parts]
        parts += [set().union(*touched_parts)] if touched_parts else []
    return parts


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_focused_organisation_is_marked_by_a_ring_as_well_as_colour(browser: Any, live_server: Any) -> None:
    make_world()
    page = browser.new_page()
    sign_in(page, live_server.url, "ben@westmarch.example")
    page.goto(f"{live_server.url}/network/")
    nodes = page.locator(".cg-network__picture a")

    def ring(node: Any) -> str:
        colour: str = node.locator(".cg-network__ring").evaluate("ring => getComputedStyle(ring).stroke")
        return colour

    ring_before_focus = ring(nodes.first)
    nodes.first.focus()
    underlined = nodes.first.locator("text").evaluate("text => getComputedStyle(text).textDecorationLine")

    assert ring_before_focus == ring(nodes.nth(1)) == "none"
    assert ring(nodes.first) not in ("none", ring_before_focus)
    assert underlined == "underline"
