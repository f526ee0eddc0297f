"""The network picture: complete, readable and the same each time."""

from __future__ import annotations

from typing import Any

import pytest

from partnerships.web.network import HEIGHT, WIDTH, Node, lay_out, overlaps
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


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_focused_organisation_is_marked_by_a_ring_as_well_as_colour(browser: Any, live_server: Any) -> None:
    make_world()
    page = browser.new_page()
    sign_in(page, live_server.url, "ben@westmarch.example")
    page.goto(f"{live_server.url}/network/")
    nodes = page.locator(".cg-network__picture a")

    def ring(node: Any) -> str:
        found: str = node.locator(".cg-network__ring").evaluate("ring => getComputedStyle(ring).stroke")
        return found

    before = ring(nodes.first)
    nodes.first.focus()
    underlined = nodes.first.locator("text").evaluate("text => getComputedStyle(text).textDecorationLine")

    assert before == ring(nodes.nth(1)) == "none"
    assert ring(nodes.first) not in ("none", before)
    assert underlined == "underline"
