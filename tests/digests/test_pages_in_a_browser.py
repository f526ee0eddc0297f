"""Readers of digests read, manage and follow in a real browser."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.models import Subscription
from partnerships.plans.models import Plan
from tests.digests.conftest import PostOffice, play, publish, text_of
from tests.support.browser import NARROW, WIDE, axe_violations, reflows, sign_in
from tests.world import World

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_digest_and_its_links_open_in_a_browser(
    world: World, plan: Plan, office: PostOffice, live_server: Any, page: Any, size: Any
) -> None:
    services.add_confirmed_subscription(
        person=world.sol, target=plan, author=world.amina, organisation=world.larkhaven, now=timezone.now()
    )
    publish(plan, 96, author=world.amina, start="2027-09", summary="Homes by the river.")
    play(office)
    links = re.findall(r"http://[^/\s]+(/digests/\S+)", text_of(office.to(world.sol)[0]))
    page.set_viewport_size(size)

    for link in links:  # to the plan, the preferences, the digest, and to stop
        page.goto(f"{live_server.url}{link}")
        assert axe_violations(page) == []
        assert reflows(page)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_somebody_with_an_account_stops_all_digests_and_follows_again(
    world: World, plan: Plan, live_server: Any, page: Any, size: Any
) -> None:
    services.add_confirmed_subscription(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    services.add_confirmed_subscription(person=world.ben, target=world.larkhaven, author=world.ben, now=timezone.now())
    page.set_viewport_size(size)
    sign_in(page, live_server.url, world.ben.email)
    page.goto(f"{live_server.url}{reverse('digests:manage')}")

    def is_accessible() -> bool:
        return axe_violations(page) == [] and reflows(page)

    page.get_by_role("link", name="Stop all digests").click()
    page.get_by_role("button", name="Stop all digests").wait_for()
    is_question_accessible = is_accessible()
    page.get_by_role("button", name="Stop all digests").click()
    page.get_by_role("heading", name="You have stopped your digests").wait_for()
    is_result_accessible = is_accessible()
    page.get_by_role("link", name="start them again").click()
    follow_button = page.get_by_role("button", name="Follow Harbour Quarter again")
    follow_button.wait_for()
    is_list_accessible = is_accessible()
    follow_button.click()
    page.get_by_role("button", name="Stop following").wait_for()

    assert is_question_accessible
    assert is_result_accessible
    assert is_list_accessible
    assert set(Subscription.objects.values_list("status", flat=True)) == {"confirmed", "ended"}


def test_a_partner_follows_and_stops_a_plan_on_its_page(world: World, plan: Plan, live_server: Any, page: Any) -> None:
    sign_in(page, live_server.url, world.ben.email)
    page.goto(f"{live_server.url}{reverse('plans:detail', kwargs={'pk': plan.pk})}")

    page.get_by_role("button", name="Follow this plan").click()
    page.get_by_role("button", name="Stop following").wait_for()
    status_when_following = Subscription.objects.get(person=world.ben).status
    assert axe_violations(page) == []
    page.get_by_role("link", name="Change how often you get digests, or pause them").click()
    page.get_by_role("heading", name="When you get digests").wait_for()
    assert axe_violations(page) == []
    page.go_back()
    page.get_by_role("button", name="Stop following").click()
    page.get_by_role("button", name="Follow this plan").wait_for()

    assert status_when_following == "confirmed"
    assert Subscription.objects.get(person=world.ben).status == "ended"


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_lead_finds_a_stakeholder_and_stops_their_digests_with_the_keyboard(
    world: World, plan: Plan, live_server: Any, page: Any, size: Any
) -> None:
    now = timezone.now()
    services.add_confirmed_subscription(
        person=world.sol, target=plan, author=world.amina, organisation=world.larkhaven, now=now
    )
    services.add_stakeholder(
        email="chair@panel.example", name="", target=plan, author=world.amina, organisation=world.larkhaven, now=now
    )
    page.set_viewport_size(size)
    sign_in(page, live_server.url, world.amina.email)
    page.goto(f"{live_server.url}{reverse('digests:stakeholders')}")
    assert axe_violations(page) == []
    assert reflows(page)

    if size is NARROW:
        page.locator("summary", has_text="Filter").press("Enter")
    page.get_by_label("Name or address").fill(world.sol.name)
    page.get_by_label("Name or address").press("Enter")
    page.get_by_role("rowheader", name="chair@panel.example").wait_for(state="detached")
    page.get_by_role("link", name=world.sol.name, exact=True).press("Enter")
    page.get_by_role("link", name="Stop these digests").press("Enter")
    page.get_by_role("heading", name="Stop digests for").wait_for()
    assert axe_violations(page) == []
    assert reflows(page)
    page.get_by_label("Why are you stopping these digests?").fill("He has left the panel.")
    page.get_by_label("Why are you stopping these digests?").press("Enter")
    page.get_by_text("He has left the panel.").wait_for()

    assert Subscription.objects.get(person=world.sol).is_ended
