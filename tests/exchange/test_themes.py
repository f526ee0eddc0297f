"""Administrators edit the themes of asks, offers and conversations."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.commitments.models import Unit
from partnerships.exchange.models import Direction, Entry, Theme, theme_number
from partnerships.exchange.services.drafting import UnableToWriteEntry, edit_entry
from tests.exchange.conftest import draft, shared_entry
from tests.exchange.pages import page_text
from tests.world import World

#: What an administrator types in the form for a new theme.
NEW_THEME = {"label": "Modern methods", "code": "modern_methods", "position": "120", "active": "on"}


def add_theme(world: World, client: Client) -> None:
    """Add the theme "Modern methods" as Dee, an administrator."""
    client.force_login(world.dee)
    client.post(reverse("admin:exchange_theme_add"), NEW_THEME)


def test_an_administrator_adds_a_theme(world: World, client: Client) -> None:
    add_theme(world, client)

    assert Theme.objects.get(code="modern_methods").label == "Modern methods"


def test_an_added_theme_gets_the_next_number(world: World, client: Client) -> None:
    add_theme(world, client)

    # The migrations add eleven themes.
    assert theme_number("modern_methods") == 12


def test_an_added_theme_can_be_chosen_in_the_form_at_once(world: World, client: Client) -> None:
    add_theme(world, client)

    html = page_text(world.amina, "new")

    assert '<option value="modern_methods">Modern methods</option>' in html


def ask_for_factory_homes(world: World) -> Entry:
    """Return Westmarch's ask that has the added theme."""
    return shared_entry(world.westmarch, world.ben, timezone.now(), title="Factory homes", theme="modern_methods")


def test_the_board_is_filtered_by_an_added_theme(world: World, client: Client) -> None:
    add_theme(world, client)
    ask_for_factory_homes(world)

    html = page_text(world.amina, "board", "?theme=modern_methods")

    assert "Factory homes" in html


def test_the_page_of_an_ask_shows_its_added_theme(world: World, client: Client) -> None:
    add_theme(world, client)
    ask = ask_for_factory_homes(world)

    html = page_text(world.amina, "detail", pk=ask.pk)

    assert "Modern methods" in html


def test_a_theme_cannot_have_an_unknown_unit(world: World, client: Client) -> None:
    client.force_login(world.dee)

    response = client.post(reverse("admin:exchange_theme_add"), NEW_THEME | {"units": "homes, hektares"})

    assert "There is no unit “hektares”." in response.content.decode()
    assert not Theme.objects.filter(code="modern_methods").exists()


def test_the_form_leaves_out_a_theme_whose_only_unit_is_retired(world: World) -> None:
    homes = Unit.objects.get(code="homes")
    homes.active = False
    homes.save()

    html = page_text(world.amina, "new")

    # The form has the units of each theme as JSON, without the themes that have no unit.
    assert "&quot;nominations&quot;" not in html
    assert "&quot;funding&quot;: [&quot;pounds&quot;]" in html


def test_entries_of_an_added_theme_match(world: World, client: Client) -> None:
    add_theme(world, client)

    ask = ask_for_factory_homes(world)
    offer = shared_entry(
        world.larkhaven,
        world.amina,
        timezone.now(),
        title="A factory",
        theme="modern_methods",
        direction=Direction.OFFER,
    )

    assert set(ask.reach) & set(offer.reach)


def test_a_reworded_theme_shows_its_new_label_on_the_board(world: World) -> None:
    shared_entry(world.westmarch, world.ben, timezone.now(), title="A field")
    page_text(world.amina, "board")  # so that the board is cached with the earlier label
    theme = Theme.objects.get(code="land")
    theme.label = "Land and buildings"
    theme.save()

    html = page_text(world.amina, "board")

    # The label is in the filter and on the card.
    assert html.count("Land and buildings") >= 2


def retire_theme_of_land() -> None:
    """Retire the theme "Land", so that no new entry can have it."""
    theme = Theme.objects.get(code="land")
    theme.active = False
    theme.save()


def test_an_older_entry_keeps_its_retired_theme_when_it_is_edited(world: World) -> None:
    ask = draft(world.westmarch, world.ben, timezone.now(), title="A field", theme="land")
    retire_theme_of_land()

    edit_entry(entry=ask, author=world.ben, now=timezone.now(), title="Two fields")

    assert ask.get_theme_display() == "Land"


def test_a_new_entry_cannot_have_a_retired_theme(world: World) -> None:
    retire_theme_of_land()

    with pytest.raises(UnableToWriteEntry, match="no longer offered"):
        draft(world.westmarch, world.ben, timezone.now(), title="Another field", theme="land")


def test_an_entry_cannot_have_a_theme_that_does_not_exist(world: World) -> None:
    ask = draft(world.westmarch, world.ben, timezone.now(), title="A field")

    with pytest.raises(UnableToWriteEntry, match="There is no theme"):
        edit_entry(entry=ask, author=world.ben, now=timezone.now(), theme="nonsense")
