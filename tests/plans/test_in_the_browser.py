"""Two partners, a stranger and the reader of a shared draft use plans in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from partnerships.plans.links import sign_off_token
from partnerships.plans.models import Plan
from tests.plans.access import ROWS, prepare
from tests.plans.drafts import begin
from tests.plans.test_drafting import body_of
from tests.support.access import WHO
from tests.support.browser import NARROW, PATIENCE, WIDE, axe_violations, click_to_next_page, reflows, sign_in
from tests.world import World, make_world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def prepared_world(transactional_db: None) -> World:
    """Return the world of the access table, for a live server."""
    world = make_world()
    prepare(world)
    return world


#: Addresses that are not pages but files, or data for the map.
FILES = {"pdf", "word", "compare-pdf", "draft-pdf", "compare-csv", "map", "draft-map", "document"}


def pages_for(persona: str, world: World) -> list[str]:
    """Return the address of each page of one plan that a persona may open."""
    rows = [row for row in ROWS if row.get and row.get[persona] == 200 and row.name.partition(":")[2] not in FILES]
    rows_of_plan = [row for row in rows if row.on(world)]
    return list(dict.fromkeys(reverse(row.name, kwargs=row.on(world)) + row.query for row in rows_of_plan))


@pytest.mark.parametrize("persona", ["partner", "shared"])  # owners: tests/test_every_page_is_accessible.py
def test_pages_for_partners_and_readers_of_shares_are_accessible(
    page: Any, live_server: Any, prepared_world: World, persona: str
) -> None:
    sign_in(page, live_server.url, getattr(prepared_world, WHO[persona]).email)

    problems = {address: problems_of(page, live_server.url + address) for address in pages_for(persona, prepared_world)}

    assert {address: found for address, found in problems.items() if found} == {}


def problems_of(page: Any, address: str) -> list[Any]:
    """Return what axe finds on a page in a wide and a narrow window, and whether it does not reflow there."""
    page.set_viewport_size(WIDE)
    page.goto(address)
    problems = [*axe_violations(page, is_narrowed=False)]
    if not reflows(page):
        problems.append("does not reflow in a wide window")

    page.set_viewport_size(NARROW)
    problems += axe_violations(page, is_narrowed=True)
    if not reflows(page):
        problems.append("does not reflow in a narrow window")
    return problems


def test_plan_is_written_and_published_and_its_homes_reduced(
    page: Any, live_server: Any, prepared_world: World
) -> None:
    sign_in(page, live_server.url, prepared_world.amina.email)
    page.goto(f"{live_server.url}/plans/new/")

    create_draft(page)
    page.get_by_role("link", name="Add a site").click()
    page.get_by_label("Name", exact=True).fill("North Quay")
    page.get_by_label("Homes, year not given, row 1").fill("120")
    click_to_next_page(page.get_by_role("button", name="Save to the draft"))
    publish_draft(page, "First version, for comment.", "Publish version 1")
    page.get_by_role("link", name="Draft", exact=True).click()
    page.get_by_role("link", name="North Quay", exact=True).click()
    page.get_by_label("Homes, year not given, row 1").fill("100")
    click_to_next_page(page.get_by_role("button", name="Save to the draft"))
    publish_draft(page, "The ground is wet.", "Publish version 2")
    page.get_by_role("link", name="What changed", exact=True).click()

    expect(page.locator("main")).to_contain_text("20 fewer homes in all.")
    assert "The ground is wet." in page.locator("main").inner_text()
    assert Plan.objects.get(title="Harbour reach").current_number == 2


def create_draft(page: Any) -> None:
    """Create the draft of a delivery programme of the partnership."""
    page.get_by_label("Title").fill("Harbour reach")
    page.get_by_label("Delivery programme").check()
    page.get_by_label("Partnership (optional)").select_option(label="Estuary Partnership")
    page.get_by_label("The partnership", exact=True).check()
    click_to_next_page(page.get_by_role("button", name="Create draft"))


def publish_draft(page: Any, note: str, button: str) -> None:
    """Publish the draft with a note, and remove what its sections still have of the template."""
    page.get_by_role("link", name="Publish draft").click()
    page.get_by_label("What changed, and why?").fill(note)
    page.get_by_role("button", name=button).wait_for()
    for remove_button in page.get_by_label("Remove it").all():
        remove_button.check()
    click_to_next_page(page.get_by_role("button", name=button))


@pytest.fixture
def form_of_new_site(page: Any, live_server: Any, prepared_world: World) -> Any:
    """Open the form of a new site as Amina, and enter homes in two rows of the grid by keyboard."""
    plan = prepared_world.things["plan"]
    sign_in(page, live_server.url, prepared_world.amina.email)
    page.goto(live_server.url + reverse("plans:add-item", kwargs={"pk": plan.pk, "code": "sites"}))
    page.get_by_label("Homes, year not given, row 1").fill("120")
    page.keyboard.press("Enter")
    page.keyboard.type("1,030")
    page.get_by_label("Bedrooms, row 2").select_option(label="1")
    return page


def test_grid_of_homes_is_totalled_while_homes_are_typed(form_of_new_site: Any) -> None:
    assert form_of_new_site.locator("[data-homes-total]").inner_text() == "1,150"
    assert form_of_new_site.locator("[data-homes-row]").all_inner_texts() == ["120", "1,030", "0"]
    assert form_of_new_site.locator("[data-homes-column]").last.inner_text() == "1,150"
    assert not form_of_new_site.get_by_role("button", name="Update totals").is_visible()


def test_homes_of_an_emptied_cell_are_taken_off_the_total(form_of_new_site: Any) -> None:
    form_of_new_site.get_by_label("Homes, year not given, row 2").fill("")

    assert form_of_new_site.locator("[data-homes-total]").inner_text() == "120"


def test_further_details_of_a_site_are_folded_at_first(form_of_new_site: Any) -> None:
    assert not form_of_new_site.get_by_label("Landowner").is_visible()


@pytest.fixture
def page_of_conflict(page: Any, live_server: Any, prepared_world: World, browser: Any) -> Any:
    """Return Amina's page after she saved a section that Eddie had saved since she opened it."""
    address = f"{live_server.url}/plans/{prepared_world.things['plan'].pk}/draft/sections/vision/"
    sign_in(page, live_server.url, prepared_world.amina.email)
    page.goto(address)
    eddies_page = browser.new_context().new_page()
    eddies_page.set_default_timeout(PATIENCE)
    sign_in(eddies_page, live_server.url, prepared_world.eddie.email)
    eddies_page.goto(address)

    eddies_page.get_by_label("Text").fill("Eddie's words.")
    eddies_page.get_by_role("button", name="Save to the draft").click()
    expect(eddies_page.locator("main")).to_contain_text("saved in the draft")
    page.get_by_label("Text").fill("Amina's words.")
    page.get_by_role("button", name="Save to the draft").click()
    expect(page.locator("main")).to_contain_text("Eddie Larch saved this while you were editing it")
    return page


def test_second_person_to_save_a_section_sees_both_texts(page_of_conflict: Any) -> None:
    assert "Eddie's words." in page_of_conflict.locator("main").inner_text()
    assert page_of_conflict.get_by_label("Text").input_value() == "Amina's words."


def test_second_person_to_save_a_section_may_keep_their_text(page_of_conflict: Any, prepared_world: World) -> None:
    page_of_conflict.get_by_role("button", name="Keep my version").click()

    expect(page_of_conflict.locator("main")).to_contain_text("saved in the draft")
    assert body_of(prepared_world.things["plan"]) == "Amina's words."


def test_shared_draft_opens_for_the_person_with_whom_it_is_shared(
    page: Any, live_server: Any, prepared_world: World
) -> None:
    plan = prepared_world.things["plan"]
    sign_in(page, live_server.url, prepared_world.nadia.email)

    page.goto(f"{live_server.url}/plans/{plan.pk}/")
    text = page.locator("main").inner_text()

    assert "DRAFT" in text
    assert "Amina Larch shared this draft with you" in text


def test_shared_draft_is_not_found_by_a_stranger(page: Any, live_server: Any, prepared_world: World) -> None:
    plan = prepared_world.things["plan"]
    sign_in(page, live_server.url, prepared_world.chidi.email)

    response = page.goto(f"{live_server.url}/plans/{plan.pk}/draft/")

    assert response.status == 404


def test_partner_signs_from_the_link_in_the_email(page: Any, live_server: Any, prepared_world: World) -> None:
    token = sign_off_token(prepared_world.things["signatory"], prepared_world.ben, 2)
    page.goto(f"{live_server.url}/plans/sign/{token}/")

    page.get_by_label("Approved", exact=True).check()
    page.get_by_role("button", name="Sign version 2").click()

    expect(page.get_by_role("button", name="Sign version 2")).to_have_count(0)
    expect(page.locator("main")).to_contain_text("Ben West")
    assert prepared_world.things["plan"].sign_offs.get(organisation=prepared_world.westmarch).decision == "approved"


def test_homes_are_saved_in_an_added_row_without_javascript(
    browser: Any, live_server: Any, prepared_world: World
) -> None:
    plan = begin(prepared_world, title="Plain pages")
    page = browser.new_context(java_script_enabled=False).new_page()
    page.set_default_timeout(PATIENCE)
    sign_in(page, live_server.url, prepared_world.amina.email)

    page.goto(f"{live_server.url}/plans/{plan.pk}/draft/sites/north-quay/")
    page.get_by_role("button", name="Add rows").click()
    page.get_by_label("Homes, year not given, row 7").fill("7")
    page.get_by_role("button", name="Save to the draft").click()

    expect(page.locator("#sites-north-quay")).to_contain_text("127 homes")
