"""Everyone can read developer agreements, but only people of the authority can read their promises."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.developer_agreements.models import DeveloperAgreement
from tests.developer_agreements.register import save_agreements, save_promise
from tests.support.pages import collapse
from tests.world import World

pytestmark = pytest.mark.django_db


def page_text(client: Client, address: str) -> str:
    """Open a page, and return its HTML with single spaces."""
    response = client.get(address)
    assert response.status_code == 200
    return collapse(response.content.decode())


def list_url(world: World) -> str:
    """Return the URL of the list of Westmarch's agreements."""
    return reverse("developer_agreements:of-organisation", args=[world.westmarch.pk])


def admin_url(agreement: DeveloperAgreement) -> str:
    """Return the URL of an agreement in Django admin."""
    return reverse("admin:developer_agreements_developeragreement_change", args=[agreement.pk])


def test_pages_keep_their_addresses(world: World) -> None:
    (agreement,) = save_agreements(world, "W/1-da")

    assert list_url(world) == f"/organisations/{world.westmarch.pk}/developer-agreements/"
    assert agreement.get_absolute_url() == f"/developer-agreements/{agreement.pk}/"


@pytest.mark.parametrize("name", ["ben", "chidi"])
def test_list_shows_agreements_with_their_number(client: Client, world: World, name: str) -> None:
    save_agreements(world, "W/1-da")
    client.force_login(getattr(world, name))

    page = page_text(client, list_url(world))

    assert "W/1-da" in page
    assert "1 agreement with" in page


def test_people_of_the_council_read_the_promises_in_an_agreement(client: Client, world: World) -> None:
    (agreement,) = save_agreements(world, "W/1-da")
    save_promise(world, agreement)
    client.force_login(world.ben)

    page = page_text(client, agreement.get_absolute_url())

    assert "Education contribution" in page
    assert "£250,000" in page


def test_others_read_only_how_many_promises_an_agreement_has(client: Client, world: World) -> None:
    (agreement,) = save_agreements(world, "W/1-da")
    save_promise(world, agreement)
    client.force_login(world.chidi)

    page = page_text(client, agreement.get_absolute_url())

    assert "This agreement has 1 promise that only people at" in page
    assert "£250,000" not in page


def test_page_of_a_promise_links_to_its_agreement(client: Client, world: World) -> None:
    (agreement,) = save_agreements(world, "W/1-da")
    commitment = save_promise(world, agreement)
    client.force_login(world.ben)

    page = page_text(client, commitment.get_absolute_url())

    assert agreement.get_absolute_url() in page
    assert "section 106 agreement W/1-da" in page


def test_promise_is_in_the_list_of_imported_commitments(client: Client, world: World) -> None:
    (agreement,) = save_agreements(world, "W/1-da")
    commitment = save_promise(world, agreement)
    client.force_login(world.ben)

    page = page_text(client, f"{reverse('commitments:list')}?register=read")

    assert commitment.reference in page


def test_others_cannot_open_the_page_of_a_promise(client: Client, world: World) -> None:
    (agreement,) = save_agreements(world, "W/1-da")
    commitment = save_promise(world, agreement)
    client.force_login(world.chidi)

    assert client.get(commitment.get_absolute_url()).status_code == 404


def test_page_of_a_council_links_to_its_agreements(client: Client, world: World) -> None:
    save_agreements(world, "W/1-da", "W/2-da")
    client.force_login(world.chidi)

    page = page_text(client, world.westmarch.get_absolute_url())

    assert list_url(world) in page
    assert "View 2 agreements" in page


def test_page_of_an_organisation_without_agreements_does_not_mention_them(client: Client, world: World) -> None:
    save_agreements(world, "W/1-da")
    client.force_login(world.chidi)

    page = page_text(client, world.larkhaven.get_absolute_url())

    assert "Developer agreements" not in page


@pytest.mark.parametrize(
    ("name", "may_add"),
    [
        pytest.param("ben", True, id="lead of the planning authority"),
        pytest.param("dee", True, id="administrator"),
        pytest.param("chidi", False, id="lead of another organisation"),
        pytest.param("amina", False, id="lead of a provider"),
    ],
)
def test_only_leads_of_the_authority_and_administrators_are_offered_to_add(
    client: Client, world: World, name: str, may_add: bool
) -> None:
    (agreement,) = save_agreements(world, "W/1-da")
    client.force_login(getattr(world, name))

    list_page = page_text(client, list_url(world))
    agreement_page = page_text(client, agreement.get_absolute_url())

    assert ("/new/" in list_page) is may_add
    assert ("/new/" in agreement_page) is may_add


@pytest.mark.parametrize("name", ["ben", "dee", "chidi", "amina"])
def test_nobody_adds_agreements_of_an_organisation_that_is_no_planning_authority(
    client: Client, world: World, name: str
) -> None:
    client.force_login(getattr(world, name))

    page = page_text(client, reverse("developer_agreements:of-organisation", args=[world.larkhaven.pk]))

    assert "/new/" not in page


def test_list_shows_fifty_agreements_on_a_page_newest_first(client: Client, world: World) -> None:
    save_agreements(world, *(f"old-{position}" for position in range(50)))
    save_agreements(world, "newest", agreed_on=dt.date(2024, 5, 1))
    client.force_login(world.chidi)

    first_page = client.get(list_url(world)).context["page"]
    second_page = client.get(list_url(world) + first_page.next).context["page"]

    assert [agreement.reference for agreement in first_page.rows][:2] == ["newest", "old-49"]
    assert len(first_page.rows) == 50
    assert [agreement.reference for agreement in second_page.rows] == ["old-0"]


def test_saving_the_same_agreement_twice_changes_nothing(world: World) -> None:
    (first_agreement,) = save_agreements(world, "W/1-da", agreed_on=dt.date(2024, 5, 1))

    (second_agreement,) = save_agreements(world, "W/1-da", agreed_on=dt.date(2025, 6, 2))

    assert second_agreement == first_agreement
    assert DeveloperAgreement.objects.get().agreed_on == dt.date(2024, 5, 1)


def test_administrator_sees_the_import_of_an_agreement_in_django_admin(client: Client, world: World) -> None:
    (agreement,) = save_agreements(world, "W/1-da")
    client.force_login(world.dee)

    page = page_text(client, admin_url(agreement))

    assert "Import 1" in page


def test_administrator_cannot_change_an_agreement_in_django_admin(client: Client, world: World) -> None:
    (agreement,) = save_agreements(world, "W/1-da")
    client.force_login(world.dee)

    response = client.post(admin_url(agreement), {"reference": "another"})

    assert response.status_code == 403
