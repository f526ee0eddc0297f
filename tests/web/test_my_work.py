"""My work comes in pages, whose addresses stay right while tasks are done."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.exchange.models import Audience
from partnerships.exchange.services import withdraw_entry
from tests.exchange.conftest import shared_entry
from tests.support.pages import collapse
from tests.support.signing_in import signed_in
from tests.world import World


def titles(page: str) -> list[str]:
    """Return the titles of the asks on a page, in order."""
    return re.findall(r"Ask number \d+", page)


def link(page: str, rel: str) -> str:
    """Return the address of the next or previous page; "" if the page has no such link."""
    match = re.search(rf'href="(\?[^"]+)" rel="{rel}"', page)
    return match[1].replace("&amp;", "&") if match else ""


def test_my_work_shows_fifty_things_on_a_page_and_each_thing_once(world: World) -> None:
    for number in range(53):
        shared_entry(
            world.larkhaven,
            world.amina,
            world.now,
            title=f"Ask number {number:02}",
            audience=Audience.PARTNERSHIP,
            partnership=world.partnership,
            closes_on=None,
        )
    client = Client()
    address = reverse("web:my-work")
    client.force_login(world.ben)

    first_page = client.get(address).content.decode()
    second_page = client.get(address + link(first_page, "next")).content.decode()
    previous_page = client.get(address + link(second_page, "prev")).content.decode()

    assert "53 tasks are waiting for you" in collapse(first_page)
    assert len(titles(first_page)) == 50
    assert titles(first_page) + titles(second_page) == [f"Ask number {number:02}" for number in range(53)]
    assert titles(previous_page) == titles(first_page)
    # Proxies log addresses, so the address does not contain the title of a task.
    assert re.fullmatch(r"\?after=[0-9a-f]{20}", link(first_page, "next"))
    assert link(second_page, "next") == ""
    assert link(first_page, "prev") == ""


def test_my_work_shows_what_still_waits_when_a_page_is_done(world: World) -> None:
    asks = [
        shared_entry(
            world.larkhaven,
            world.amina,
            world.now,
            title=f"Ask number {number:02}",
            audience=Audience.PARTNERSHIP,
            partnership=world.partnership,
            closes_on=None,
        )
        for number in range(52)
    ]
    client = Client()
    address = reverse("web:my-work")
    client.force_login(world.ben)
    second_address = address + link(client.get(address).content.decode(), "next")
    for ask in asks[50:]:
        withdraw_entry(entry=ask, reason="Found elsewhere.", author=world.amina, now=world.now)

    page = client.get(second_address).content.decode()

    assert len(titles(page)) == 50
    assert "All done" not in page


@pytest.mark.parametrize("place", ["nonsense", "WzFd", "WyJhIiwgImIiXQ"])
def test_my_work_begins_at_the_first_page_for_an_invalid_place(world: World, place: str) -> None:
    shared_entry(
        world.larkhaven,
        world.amina,
        world.now,
        title="Ask number 1",
        audience=Audience.PARTNERSHIP,
        partnership=world.partnership,
        closes_on=None,
    )
    client = signed_in(world.ben)

    page = client.get(f"{reverse('web:my-work')}?after={place}")

    assert page.status_code == 200
    assert titles(page.content.decode()) == ["Ask number 1"]
