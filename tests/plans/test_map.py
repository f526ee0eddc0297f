"""The server draws the map of a plan's sites over council boundaries, and a script enlarges it."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from partnerships.people.models import User
from partnerships.plans.models import Plan
from tests.plans.drafts import published_plan
from tests.support.browser import NARROW, WIDE, axe_violations, reflows, sign_in
from tests.world import World, make_world


def site(key: str, lat: float | None, lng: float | None, **more: Any) -> dict[str, Any]:
    """Return a site at this place, as a plan stores it; its name is its key with a capital letter."""
    return {"key": key, "name": key.title(), "lat": lat, "lng": lng, **more}


QUAY, MILL, DEPOT = site("quay", 50.85, -1.18), site("mill", 50.93, -1.35), site("depot", 50.80, -1.10)
SECRET = site("secret", 50.88, -1.27, confidential=True)


def plan_of(world: World, *sites: dict[str, Any], **more: Any) -> Plan:
    """Return a published plan with these sites."""
    return published_plan(world, content={"about": {"title": "Sites"}, "sites": list(sites)}, **more)


def count_dots(plan: Plan, person: User | None) -> int:
    """Return how many dots the map has that a person sees; 0 without a map. `None` is a visitor without an account."""
    client = Client()
    if person is not None:
        client.force_login(person)
    html = client.get(reverse("plans:detail", args=[plan.pk])).content.decode()
    return len(re.findall(r"<circle[^>]* fill=\"#7A1F5C\"", html))


@pytest.mark.django_db
def test_confidential_site_is_on_the_map_of_insiders_only(world: World) -> None:
    plan = plan_of(world, QUAY, MILL, SECRET, audience="public")

    assert count_dots(plan, world.amina) == 3
    assert count_dots(plan, None) == 2


@pytest.mark.django_db
def test_map_of_a_single_site_is_left_out(world: World) -> None:
    plan = plan_of(world, QUAY, SECRET, site("nowhere", None, None), audience="public")

    assert count_dots(plan, world.amina) == 2
    assert count_dots(plan, None) == 0


class OpenedMap(NamedTuple):
    """A page with the map of three sites, in a browser, and what the page asked for since it was opened."""

    page: Any
    interactive_map: Any
    console_errors: list[str]
    foreign_requests: list[str]


@pytest.fixture
def opened_map(page: Any, live_server: Any, transactional_db: None) -> OpenedMap:
    """Open the page of a plan with three sites as Amina, on a wide screen, and wait for the dots of its map."""
    world = make_world()
    plan = plan_of(world, QUAY, MILL, DEPOT)
    sign_in(page, live_server.url, world.amina.email)
    console_errors: list[str] = []
    foreign_requests: list[str] = []
    page.on("console", lambda message: console_errors.append(message.text) if message.type == "error" else None)
    page.on(
        "request",
        lambda request: None if request.url.startswith(live_server.url) else foreign_requests.append(request.url),
    )
    page.set_viewport_size(WIDE)
    page.goto(live_server.url + reverse("plans:detail", args=[plan.pk]))
    interactive_map = page.locator(".cg-map__moving")
    expect(interactive_map.locator(".cg-map__dot")).to_have_count(3)
    return OpenedMap(page, interactive_map, console_errors, foreign_requests)


@pytest.mark.django_db(transaction=True)
@pytest.mark.browser
def test_script_replaces_the_servers_map_by_one_with_names_of_areas(opened_map: OpenedMap) -> None:
    expect(opened_map.interactive_map.locator(".cg-map__name", has_text="Fareham")).to_have_count(1)
    expect(opened_map.page.locator(".cg-map__frame > svg")).not_to_be_visible()


@pytest.mark.django_db(transaction=True)
@pytest.mark.browser
def test_map_is_used_by_keyboard_without_errors_or_foreign_requests(opened_map: OpenedMap) -> None:
    page, interactive_map = opened_map.page, opened_map.interactive_map
    width_before = interactive_map.locator("svg.leaflet-image-layer").bounding_box()["width"]

    interactive_map.focus()
    page.keyboard.press("+")
    page.wait_for_function(
        "width => document.querySelector('svg.leaflet-image-layer').getBoundingClientRect().width > width",
        arg=width_before * 1.5,
    )
    interactive_map.get_by_role("button", name="Quay, 0 homes").first.press("Enter")

    expect(interactive_map.locator(".leaflet-popup-content")).to_have_text("Quay, 0 homes")
    assert axe_violations(page) == []
    assert opened_map.console_errors == []
    assert opened_map.foreign_requests == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.browser
def test_map_fits_a_narrow_screen(opened_map: OpenedMap) -> None:
    opened_map.page.set_viewport_size(NARROW)

    assert reflows(opened_map.page)
    assert opened_map.console_errors == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.browser
def test_print_has_the_map_that_the_server_drew(opened_map: OpenedMap) -> None:
    opened_map.page.emulate_media(media="print")

    expect(opened_map.page.locator(".cg-map__frame > svg")).to_be_visible()
    expect(opened_map.interactive_map).not_to_be_visible()
