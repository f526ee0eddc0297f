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


def test_a_dashboard_opens_before_its_figures_are_calculated(world: World) -> None:
    address = reverse("reports:partnership-dashboard", args=[world.partnership.pk])

    page = signed_in(world.ben).get(address).content.decode()

    assert page.count("Calculating the figures") == 4
    assert 'hx-get="?tile=homes-pipeline"' in page
    assert 'content="0;url=?whole=1"' in page


def test_a_dashboard_fetches_the_first_sentence_of_each_report(world: World) -> None:
    plan_with(world, QUAY)
    address = reverse("reports:partnership-dashboard", args=[world.partnership.pk])

    tile = collapse(signed_in(world.ben).get(address, {"tile": "homes-pipeline"}).content.decode())

    assert figures_for(world.ben, "homes-pipeline", f"partnership={world.partnership.pk}").answers[0] in tile
    assert "<html" not in tile


def test_a_dashboard_does_not_find_reports_of_other_dashboards(world: World) -> None:
    address = reverse("reports:partnership-dashboard", args=[world.partnership.pk])

    response = signed_in(world.ben).get(address, {"tile": "network"})

    assert response.status_code == 404


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


def test_the_dashboard_of_an_organisation_says_what_ends_if_it_leaves(world: World) -> None:
    address = reverse("reports:organisation-dashboard", args=[world.westmarch.pk])

    text = collapse(signed_in(world.ben).get(address, WHOLE).content.decode())

    assert f"If {world.westmarch.name} leaves, 1 of its 1 partnership ends" in text
    assert f"around={world.westmarch.pk}" in text


def test_reciprocity_of_an_organisation_without_asks_says_nothing(world: World) -> None:
    report = figures_for(world.ben, "reciprocity", f"organisation={world.westmarch.pk}")

    assert report.answers == ()


def test_the_dashboard_of_the_network_has_what_its_reader_may_read(world: World) -> None:
    plan_with(world, QUAY)

    text = collapse(signed_in(world.chidi).get(reverse("reports:dashboard"), WHOLE).content.decode())

    assert figures_for(world.chidi, "network").answers[0] in text
    assert world.westmarch.name not in text


def test_the_dashboard_of_an_organisation_opens_however_long_its_name_is(world: World) -> None:
    name = f"Larkhaven Homes with {'and '.join(['Estuary '] * 20)}".strip()
    Organisation.objects.filter(pk=world.larkhaven.pk).update(name=name)

    page = signed_in(world.amina).get(reverse("reports:organisation-dashboard", args=[world.larkhaven.pk]), WHOLE)

    assert len(name) > 200
    assert f"If {name} leaves, 1 of its 1 partnership ends" in collapse(page.content.decode())


@pytest.fixture
def dashboard_url(page: Page, live_server: Any, transactional_db: None) -> str:
    """Sign Ben in, and return the address of the dashboard of his partnership."""
    world = make_world()
    page.set_default_timeout(PATIENCE)
    sign_in(page, live_server.url, world.ben.email)
    return f"{live_server.url}{reverse('reports:partnership-dashboard', args=[world.partnership.pk])}"


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_report_that_cannot_be_fetched_says_so_on_the_dashboard(page: Page, dashboard_url: str) -> None:
    page.route("**/*tile=contact", lambda route: route.abort())

    page.goto(dashboard_url)

    expect(page.get_by_text("The figures could not be calculated.")).to_have_count(1)
    expect(page.get_by_text("Calculating the figures")).to_have_count(0)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_dashboard_asks_somebody_whose_session_has_ended_to_sign_in(page: Page, dashboard_url: str) -> None:
    def sign_out(route: Route) -> None:
        page.context.clear_cookies()
        route.continue_(headers={name: text for name, text in route.request.headers.items() if name != "cookie"})

    page.route("**/*tile=contact", sign_out)

    page.goto(dashboard_url)

    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    expect(page.locator(".cg-card form")).to_have_count(0)
