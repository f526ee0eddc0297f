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
    client.post(reverse("admin:exchange_theme_add"), ADDED)


def test_an_administrator_adds_a_theme(world: World, client: Client) -> None:
    add_theme(world, client)

    assert Theme.objects.get(code="modern_methods").label == "Modern methods"


def test_an_added_theme_is_used_by_asks_filters_and_exports_at_once(world: World, client: Client) -> None:
    add_theme(world, client)
    now = timezone.now()

    ask = shared_entry(world.westmarch, world.ben, now, title="Factory homes", theme="modern_methods")
    client.force_login(world.amina)
    form = client.get(reverse("exchange:new")).content.decode()
    board = client.get(reverse("exchange:board"), {"theme": "modern_methods"}).content.decode()
    html = client.get(reverse("exchange:detail", kwargs={"pk": ask.pk})).content.decode()

    assert theme_number("modern_methods") == 12
    assert '<option value="modern_methods">Modern methods</option>' in form
    assert "Factory homes" in board
    assert "Modern methods" in html


def test_a_theme_cannot_have_an_unknown_unit(world: World, client: Client) -> None:
    client.force_login(world.dee)

    response = client.post(reverse("admin:exchange_theme_add"), ADDED | {"units": "homes, hektares"})

    assert "There is no unit “hektares”." in response.content.decode()
    assert not Theme.objects.filter(code="modern_methods").exists()


def test_the_form_leaves_out_a_theme_whose_only_unit_is_retired(world: World, client: Client) -> None:
    client.force_login(world.amina)
    form_before = client.get(reverse("exchange:new")).content.decode()
    homes = Unit.objects.get(code="homes")
    homes.active = False
    homes.save()

    form = client.get(reverse("exchange:new")).content.decode()

    # The form has the units of each theme as JSON, without the themes that have no unit.
    assert "&quot;nominations&quot;: [&quot;homes&quot;]" in form_before
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
