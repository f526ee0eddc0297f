"""The server draws the map of a plan's sites over council boundaries, and a script enlarges it."""

from __future__ import annotations

import re
from typing import Any

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
    return {"key": key, "name": key.title(), "lat": lat, "lng": lng, **more}


QUAY, MILL, DEPOT = site("quay", 50.85, -1.18), site("mill", 50.93, -1.35), site("depot", 50.80, -1.10)
SECRET = site("secret", 50.88, -1.27, confidential=True)


def plan_of(world: World, *sites: dict[str, Any], **more: Any) -> Plan:
    return published_plan(world, content={"about": {"title": "Sites"}, "sites": list(sites)}, **more)


def count_dots(plan: Plan, person: User | None) -> int:
    """Return how many dots the map has that a person sees; 0 without a map."""
    client = Client()
    if person is not None:
        client.force_login(person)
    page = client.get(reverse("plans:detail", args=[plan.pk])).content.decode()
    return len(re.findall(r"<circle[^>]* fill=\"#7A1F5C\"", page))


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


@pytest.mark.django_db(transaction=True)
@pytest.mark.browser
def test_map_moves_by_keyboard_and_is_accessible(page: Any, live_server: Any, transactional_db: None) -> None:
    world = make_world()
    plan = plan_of(world, QUAY, MILL, DEPOT)
    sign_in(page, live_server.url, world.amina.email)
    console_errors: list[str] = []
    foreign_requests: list[str] = []
    page.on("console", lambda said: console_errors.append(said.text) if said.type == "error" else None)
    page.on(
        "request", lambda asked: None if asked.url.startswith(live_server.url) else foreign_requests.append(asked.url)
    )
    page.set_viewport_size(WIDE)

    page.goto(live_server.url + reverse("plans:detail", args=[plan.pk]))

    interactive_map = page.locator(".cg-map__moving")
    expect(interactive_map.locator(".cg-map__dot")).to_have_count(3)
    expect(interactive_map.locator(".cg-map__name", has_text="Fareham")).to_have_count(1)
    expect(page.locator(".cg-map__frame > svg")).not_to_be_visible()
    box_before = interactive_map.locator("svg.leaflet-image-layer").bounding_box()
    interactive_map.focus()
    page.keyboard.press("+")
    page.wait_for_function(
        "before => document.querySelector('svg.leaflet-image-layer').getBoundingClientRect().width > before",
        arg=box_before["width"] * 1.5,
    )
    interactive_map.get_by_role("button", name="Quay, 0 homes").first.press("Enter")
    expect(interactive_map.locator(".leaflet-popup-content")).to_have_text("Quay, 0 homes")
    assert axe_violations(page) == []
    page.set_viewport_size(NARROW)
    assert reflows(page)
    assert console_errors == []
    assert foreign_requests == []

    page.emulate_media(media="print")
    expect(page.locator(".cg-map__frame > svg")).to_be_visible()
    expect(interactive_map).not_to_be_visible()
