"""Pages of the network show which organisations are partners, among those that the reader may know about."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.urls import reverse

from partnerships.agreements.models import Audience, Partnership
from partnerships.organisations.models import Kind, Organisation, Role
from partnerships.organisations.services import create_organisation
from partnerships.people.models import User
from partnerships.web.neighbours import MAX_DRAWN
from tests.support.pages import collapse
from tests.support.signing_in import signed_in
from tests.world import World, join, make_partnership

pytestmark = pytest.mark.django_db
NETWORK = reverse("web:network")


def page(person: User, address: str) -> str:
    """Return the text of the page that this person sees at the address."""
    client = signed_in(person)
    response = client.get(address)
    assert response.status_code == 200
    return collapse(response.content.decode())


def picture(html: str) -> str:
    """Return the drawing on a page, without the legend below it."""
    return html.partition("cg-network__picture")[2].partition("cg-legend")[0]


def partners(organisation: Organisation) -> str:
    """Return the address of the page with the partners of an organisation."""
    return reverse("web:network-partners", args=[organisation.pk])


def pair(one: Organisation, other: Organisation) -> str:
    """Return the address of the page on two organisations and the partnerships they share."""
    return reverse("web:network-pair", args=[one.pk, other.pk])


def every_row(person: User, address: str) -> list[str]:
    """Return the names on all pages of a list, in order."""
    client = signed_in(person)
    names: list[str] = []
    query = ""
    while True:
        page_of_list = client.get(address + query).context["page"]
        names += [row.name for row in page_of_list.rows]
        if not page_of_list.next:
            return names
        query = page_of_list.next


def with_thirty_partners(world: World) -> list[str]:
    """Put thirty more councils in a partnership each with Larkhaven, and return their names. Ben leads them all."""
    names = [f"Council {number:02}" for number in range(30)]
    for number, name in enumerate(names):
        council = create_organisation(name=name, kind=Kind.COUNCIL, author=None, now=world.now)
        join(world.ben, council, Role.LEAD, world.now)
        made_at = world.now + dt.timedelta(hours=number)
        make_partnership(
            f"Partnership {number:02}",
            chair=world.larkhaven,
            chair_lead=world.amina,
            other=council,
            other_lead=world.ben,
            now=made_at,
        )
    return names


def test_small_network_is_drawn_whole(world: World) -> None:
    Partnership.objects.filter(pk=world.other_partnership.pk).update(audience=Audience.NETWORK)

    picture_of_network = picture(page(world.amina, NETWORK))

    assert all(
        organisation.name in picture_of_network
        for organisation in (world.larkhaven, world.westmarch, world.tidewater, world.harbour)
    )


def test_large_network_shows_what_is_around_the_reader(world: World) -> None:
    with_thirty_partners(world)
    Partnership.objects.filter(pk=world.other_partnership.pk).update(audience=Audience.NETWORK)

    picture_of_network = picture(page(world.amina, NETWORK))

    assert picture_of_network.count('<circle class="cg-network__ring"') == MAX_DRAWN
    assert world.larkhaven.name in picture_of_network
    assert world.tidewater.name not in picture_of_network


def test_pages_of_partners_neither_skip_nor_repeat(world: World) -> None:
    names = with_thirty_partners(world)

    assert every_row(world.amina, partners(world.larkhaven)) == [*names, world.westmarch.name]
    assert every_row(world.amina, NETWORK) == [*names, world.larkhaven.name, world.westmarch.name]


def test_partnerships_that_do_not_fit_are_on_the_page_of_the_pair(world: World) -> None:
    for number in range(4):
        make_partnership(
            f"Scheme {number}",
            chair=world.larkhaven,
            chair_lead=world.amina,
            other=world.westmarch,
            other_lead=world.ben,
            now=world.now,
        )

    partners_page = page(world.amina, partners(world.larkhaven))
    pair_page = page(world.amina, pair(world.larkhaven, world.westmarch))

    assert "Estuary Partnership" in partners_page
    assert "Scheme 1" in partners_page
    assert "Scheme 2" not in partners_page
    assert "and 2 more" in partners_page
    assert all(f"Scheme {number}" in pair_page for number in range(4))


def test_partnership_of_its_parties_only_stays_hidden_from_others(world: World) -> None:
    addresses = (NETWORK, partners(world.tidewater), pair(world.tidewater, world.harbour))

    inside = [page(world.chidi, address) for address in addresses]
    outside = [page(world.amina, address) for address in addresses]

    assert all("Harbour Partnership" in shown for shown in inside[1:])
    assert not any("Harbour Partnership" in shown for shown in outside)
    assert world.harbour.name in inside[0]
    assert not any(world.harbour.name in shown for shown in outside[:2])


def test_organisations_of_the_network_are_found_by_name(world: World) -> None:
    page_text = page(world.amina, f"{NETWORK}?q=westm")

    assert world.westmarch.name in page_text
    assert f">{world.larkhaven.name}</a></th>" not in page_text.replace("> <", "><")
    assert "No organisations found" in page(world.amina, f"{NETWORK}?q=zzzz")


def test_reader_without_a_partnership_is_invited_to_start_one(world: World) -> None:
    assert "No partnerships to show yet" in page(world.nadia, NETWORK)
    assert "No partners to show" in page(world.nadia, partners(world.larkhaven))
    assert "No shared partnership" in page(world.nadia, pair(world.larkhaven, world.westmarch))


def test_pair_with_an_unknown_organisation_is_not_found(world: World) -> None:
    client = signed_in(world.amina)

    assert client.get(reverse("web:network-pair", args=[world.larkhaven.pk, 999_999])).status_code == 404
    assert client.get(reverse("web:network-pair", args=[world.larkhaven.pk, world.larkhaven.pk])).status_code == 404


@pytest.mark.parametrize("place", ["0", "999999999", "9" * 40, "Larkhaven", "-1", "%00"])
def test_unknown_place_shows_the_first_page(world: World, place: str) -> None:
    client = signed_in(world.amina)

    first_rows = client.get(NETWORK).context["page"].rows
    rows = client.get(f"{NETWORK}?after={place}").context["page"].rows

    assert first_rows
    assert rows == first_rows


def test_links_between_pages_carry_no_names(world: World) -> None:
    for number in range(MAX_DRAWN + 1):
        create_organisation(name=f"Quillwort {number}", kind=Kind.COUNCIL, author=None, now=world.now)
    client = signed_in(world.dee)

    next_query = client.get(reverse("organisations:list")).context["page"].next

    assert re.fullmatch(r"\?after=\d+", next_query)
