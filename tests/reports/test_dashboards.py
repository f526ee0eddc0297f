"""Dashboards show the same sentences as the reports behind them."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from partnerships.organisations.models import Organisation
from tests.reports.conftest import figures_for
from tests.reports.test_asks_and_promises import overdue
from tests.reports.test_homes_pipeline import QUAY, plan_with
from tests.support.browser import PATIENCE, sign_in
from tests.support.pages import collapse
from tests.support.signing_in import signed_in
from tests.world import World, make_world

#: The parameter that the page sends without JavaScript.
WHOLE = {"whole": "1"}


def test_a_dashboard_opens_at_once_and_fetches_each_report_separately(world: World) -> None:
    plan_with(world, QUAY)
    client = signed_in(world.ben)
    address = reverse("reports:partnership-dashboard", args=[world.partnership.pk])

    page = client.get(address).content.decode()
    tile = collapse(client.get(address, {"tile": "homes-pipeline"}).content.decode())

    assert page.count("Calculating the figures") == 4
    assert 'hx-get="?tile=homes-pipeline"' in page
    assert 'content="0;url=?whole=1"' in page
    assert figures_for(world.ben, "homes-pipeline", f"partnership={world.partnership.pk}").answers[0] in tile
    assert "<html" not in tile
    assert client.get(address, {"tile": "network"}).status_code == 404


@pytest.fixture
def dashboard_text(world: World) -> str:
    """Return the dashboard of the partnership, which has a plan and a commitment that is overdue, as Ben sees it."""
    plan_with(world, QUAY)
    overdue(world, 5)
    dashboard_url = reverse("reports:partnership-dashboard", args=[world.partnership.pk])
    return collapse(signed_in(world.ben).get(dashboard_url, WHOLE).content.decode())


@pytest.mark.parametrize("slug", ["homes-pipeline", "promises-kept", "unanswered-asks", "contact"])
def test_dashboard_of_a_partnership_has_the_first_sentences_of_its_reports(
    world: World, dashboard_text: str, slug: str
) -> None:
    report = figures_for(world.ben, slug, f"partnership={world.partnership.pk}")

    assert [sentence for sentence in report.answers[:2] if sentence not in dashboard_text] == []


@pytest.mark.parametrize("slug", ["homes-pipeline", "promises-kept", "unanswered-asks", "contact"])
def test_dashboard_of_a_partnership_links_to_its_reports(world: World, dashboard_text: str, slug: str) -> None:
    report_url = reverse("reports:report", args=[slug])

    assert f'href="{report_url}?partnership={world.partnership.pk}"' in dashboard_text


def test_chart_of_a_dashboard_refers_to_the_report_because_it_has_no_table(dashboard_text: str) -> None:
    assert 'aria-label="Homes by year of completion. The report gives the figures"' in dashboard_text


def test_the_dashboards_of_an_organisation_and_the_network_are_those_of_their_reader(world: World) -> None:
    plan_with(world, QUAY)

    own = collapse(
        signed_in(world.ben)
        .get(reverse("reports:organisation-dashboard", args=[world.westmarch.pk]), WHOLE)
        .content.decode()
    )
    network = collapse(signed_in(world.chidi).get(reverse("reports:dashboard"), WHOLE).content.decode())

    assert figures_for(world.ben, "reciprocity", f"organisation={world.westmarch.pk}").answers == ()
    assert f"If {world.westmarch.name} leaves, 1 of its 1 partnership ends" in own
    assert f"around={world.westmarch.pk}" in own
    assert figures_for(world.chidi, "network").answers[0] in network
    assert world.westmarch.name not in network


def test_the_dashboard_of_an_organisation_opens_however_long_its_name_is(world: World) -> None:
    name = f"Larkhaven Homes with {'and '.join(['Estuary '] * 20)}".strip()
    Organisation.objects.filter(pk=world.larkhaven.pk).update(name=name)

    page = signed_in(world.amina).get(reverse("reports:organisation-dashboard", args=[world.larkhaven.pk]), WHOLE)

    assert len(name) > 200
    assert f"If {name} leaves, 1 of its 1 partnership ends" in collapse(page.content.decode())


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_tile_that_cannot_be_fetched_says_so_or_asks_to_sign_in(page: Page, live_server: Any) -> None:
    world = make_world()
    address = live_server.url + reverse("reports:partnership-dashboard", args=[world.partnership.pk])
    page.set_default_timeout(PATIENCE)
    sign_in(page, live_server.url, world.ben.email)
    page.route("**/*tile=contact", lambda route: route.abort())

    page.goto(address)

    expect(page.get_by_text("The figures could not be calculated.")).to_have_count(1)
    expect(page.get_by_text("Calculating the figures")).to_have_count(0)

    def sign_out(route: Route) -> None:
        page.context.clear_cookies()
        route.continue_(headers={name: text for name, text in route.request.headers.items() if name != "cookie"})

    page.route("**/*tile=contact", sign_out)
    page.goto(address)

    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    expect(page.locator(".cg-card form")).to_have_count(0)
