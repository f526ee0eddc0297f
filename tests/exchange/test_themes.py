"""Administrators edit the themes of asks, offers and conversations."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.commitments.models import Unit
from partnerships.exchange.models import Direction, Theme, theme_number
from partnerships.exchange.services.drafting import UnableToWriteEntry, edit_entry
from tests.exchange.conftest import draft, shared_entry
from tests.world import World

ADDED = {"label": "Modern methods", "code": "modern_methods", "position": "120", "active": "on"}


def add_theme(world: World, client: Client) -> None:
    """Add the theme "Modern methods" as Dee, an administrator."""
    client.force_login(world.dee)
    assert client.post(reverse("admin:exchange_theme_add"), ADDED).status_code == 302


def test_an_added_theme_is_used_by_asks_filters_and_exports_at_once(world: World, client: Client) -> None:
    add_theme(world, client)
    now = timezone.now()

    ask = shared_entry(world.westmarch, world.ben, now, title="Factory homes", theme="modern_methods")
    client.force_login(world.amina)
    form = client.get(reverse("exchange:new")).content.decode()
    board = client.get(reverse("exchange:board"), {"theme": "modern_methods"}).content.decode()
    page = client.get(reverse("exchange:detail", kwargs={"pk": ask.pk})).content.decode()

    assert theme_number("modern_methods") == 12
    assert '<option value="modern_methods">Modern methods</option>' in form
    assert "Factory homes" in board
    assert "Modern methods" in page


def test_units_of_a_theme_are_known_and_a_retired_one_holds_up_no_ask(world: World, client: Client) -> None:
    client.force_login(world.dee)
    page_with_error = client.post(
        reverse("admin:exchange_theme_add"), ADDED | {"units": "homes, hektares"}
    ).content.decode()
    homes = Unit.objects.get(code="homes")
    homes.active = False
    homes.save()

    client.force_login(world.amina)
    form = client.get(reverse("exchange:new")).content.decode()

    assert "There is no unit “hektares”." in page_with_error
    assert "&quot;nominations&quot;" not in form
    assert "&quot;funding&quot;: [&quot;pounds&quot;]" in form


def test_entries_of_an_added_theme_match(world: World, client: Client) -> None:
    add_theme(world, client)
    now = timezone.now()

    ask = shared_entry(world.westmarch, world.ben, now, title="Factory homes", theme="modern_methods")
    offer = shared_entry(
        world.larkhaven, world.amina, now, title="A factory", theme="modern_methods", direction=Direction.OFFER
    )

    assert set(ask.reach) & set(offer.reach)


def test_a_reworded_theme_shows_its_new_label_on_the_board(world: World, client: Client) -> None:
    shared_entry(world.westmarch, world.ben, timezone.now(), title="A field")
    client.force_login(world.amina)
    board_before = client.get(reverse("exchange:board")).content.decode()

    theme = Theme.objects.get(code="land")
    theme.label = "Land and buildings"
    theme.save()
    board_after = client.get(reverse("exchange:board")).content.decode()

    assert "Land and buildings" not in board_before
    assert board_after.count("Land and buildings") >= 2


def test_a_retired_theme_is_kept_by_old_entries_and_offered_to_no_new_one(world: World) -> None:
    ask = draft(world.westmarch, world.ben, timezone.now(), title="A field")
    theme = Theme.objects.get(code="land")
    theme.active = False
    theme.save()

    edit_entry(entry=ask, author=world.ben, now=timezone.now(), title="Two fields")

    assert ask.get_theme_display() == "Land"
    with pytest.raises(UnableToWriteEntry, match="no longer offered"):
        draft(world.westmarch, world.ben, timezone.now(), title="Another field")
    with pytest.raises(UnableToWriteEntry, match="There is no theme"):
        edit_entry(entry=ask, author=world.ben, now=timezone.now(), theme="nonsense")
