"""Everyone reads developer agreements; only the people concerned read commitments."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.developer_agreements.models import DeveloperAgreement
from tests.developer_agreements.register import save_agreements, save_promise
from tests.world import World

pytestmark = pytest.mark.django_db


def content(client: Client, address: str) -> str:
    """Return the HTML of a page that opens."""
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def list_of(world: World) -> str:
    """Return the address of Westmarch's agreements."""
    return reverse("developer_agreements:of-organisation", args=[world.westmarch.pk])


def test_pages_keep_their_addresses(world: World) -> None:
    (agreement,) = save_agreements(world, "W/1-da")

    assert list_of(world) == f"/organisations/{world.westmarch.pk}/developer-agreements/"
    assert agreement.get_absolute_url() == f"/developer-agreements/{agreement.pk}/"


def test_people_of_the_council_read_its_agreements_and_promises(client: Client, world: World) -> None:
    (agreement,) = save_agreements(world, "W/1-da")
    commitment = save_promise(world, agreement)
    client.force_login(world.ben)

    listed = content(client, list_of(world))
    page = content(client, agreement.get_absolute_url())
    promise = content(client, commitment.get_absolute_url())
    promises = content(client, f"{reverse('commitments:list')}?register=read")

    assert "W/1-da" in listed
    assert "1 agreement with" in " ".join(listed.split())
    assert "Education contribution" in page
    assert "£250,000" in page
    assert agreement.get_absolute_url() in promise
    assert "section 106 agreement W/1-da" in promise
    assert commitment.reference in promises


def test_others_read_how_many_promises_there_are_and_not_what_they_say(client: Client, world: World) -> None:
    (agreement,) = save_agreements(world, "W/1-da")
    commitment = save_promise(world, agreement)
    client.force_login(world.chidi)

    listed = content(client, list_of(world))
    page = content(client, agreement.get_absolute_url())

    assert "W/1-da" in listed
    assert "This agreement has 1 promise that only people at" in " ".join(page.split())
    assert "£250,000" not in page
    assert client.get(commitment.get_absolute_url()).status_code == 404


def test_the_page_of_a_council_links_to_its_agreements(client: Client, world: World) -> None:
    save_agreements(world, "W/1-da", "W/2-da")
    client.force_login(world.chidi)

    page = content(client, world.westmarch.get_absolute_url())

    assert list_of(world) in page
    assert "View 2 agreements" in " ".join(page.split())
    assert "Developer agreements" not in content(client, world.larkhaven.get_absolute_url())


def test_adding_is_offered_to_leads_of_a_planning_authority_and_administrators(client: Client, world: World) -> None:
    (agreement,) = save_agreements(world, "W/1-da")
    landlord = reverse("developer_agreements:of-organisation", args=[world.larkhaven.pk])
    offered = {}

    for reader in (world.ben, world.chidi, world.dee, world.amina):
        client.force_login(reader)
        pages = (list_of(world), agreement.get_absolute_url(), landlord)
        offered[reader] = ["/new/" in content(client, page) for page in pages]

    assert offered == {
        world.ben: [True, True, False],
        world.chidi: [False, False, False],
        world.dee: [True, True, False],
        world.amina: [False, False, False],
    }


def test_the_list_shows_fifty_agreements_a_page_newest_first(client: Client, world: World) -> None:
    save_agreements(world, *(f"old-{number}" for number in range(50)))
    save_agreements(world, "newest", agreed_on=dt.date(2024, 5, 1))
    client.force_login(world.chidi)

    answer = client.get(list_of(world))
    rest = client.get(list_of(world) + answer.context["page"].next)

    assert [row.reference for row in answer.context["page"].rows][:2] == ["newest", "old-49"]
    assert len(answer.context["page"].rows) == 50
    assert [row.reference for row in rest.context["page"].rows] == ["old-0"]


def test_saving_the_same_agreement_twice_changes_nothing(world: World) -> None:
    (first,) = save_agreements(world, "W/1-da", agreed_on=dt.date(2024, 5, 1))

    (again,) = save_agreements(world, "W/1-da", agreed_on=dt.date(2025, 6, 2))

    assert again == first
    assert DeveloperAgreement.objects.get().agreed_on == dt.date(2024, 5, 1)


def test_administrators_look_at_agreements_and_change_none(client: Client, world: World) -> None:
    (agreement,) = save_agreements(world, "W/1-da")
    client.force_login(world.dee)
    page = reverse("admin:developer_agreements_developeragreement_change", args=[agreement.pk])

    assert "Import 1" in content(client, page)
    assert client.post(page, {"reference": "another"}).status_code == 403
