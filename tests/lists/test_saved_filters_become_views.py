"""The migration turns the board's saved filters into views."""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.urls import reverse
from django.utils import timezone

from partnerships.exchange.models import Audience
from partnerships.kit.lists import find_list
from partnerships.lists import services
from partnerships.lists.models import Follow, SavedView
from partnerships.lists.reading import parameters_of, read
from partnerships.people.models import User
from tests.exchange.conftest import shared_entry
from tests.support.outbox import deliver, drop_emails
from tests.support.signing_in import signed_in
from tests.world import World

MIGRATION = import_module("partnerships.lists.migrations.0002_views_of_the_board")


class _AppsBeforeMigration:
    """The registry of models before the migration, which still has the table of saved filters."""

    def __init__(self, *rows: SimpleNamespace) -> None:
        self.filters = SimpleNamespace(objects=SimpleNamespace(order_by=lambda _key: rows))

    def get_model(self, room: str, name: str) -> Any:
        return self.filters if name == "SavedFilter" else apps.get_model(room, name)


def _filter(person: User, name: str, query: str, *, tells: bool) -> SimpleNamespace:
    """Return a row of the old table of saved filters."""
    return SimpleNamespace(person_id=person.pk, name=name, query=query, tells=tells, created_at=timezone.now())


@pytest.fixture
def moved_filters(world: World) -> None:
    """Turn three filters into views. The name of the first is taken, and the query of the last was cut in a word."""
    services.save_view(person=world.ben, kind="asks", name="Land", state={}, now=timezone.now())
    query_cut_off = ("theme=land&organisation=" + "x" * 1_000)[:1_000]
    filters = (
        _filter(world.ben, "Land", "q=two+words&theme=land&theme=funding", tells=False),
        _filter(world.ben, "All", "", tells=True),
        _filter(world.amina, "Cut", query_cut_off, tells=False),
    )
    MIGRATION.become_views(_AppsBeforeMigration(*filters), None)


def test_filters_become_views_with_names_of_their_own(moved_filters: None) -> None:
    moved_views = SavedView.objects.exclude(name="Land")

    assert {view.name: view.state["filters"] for view in moved_views} == {
        "Land (2)": {"q": ["two words"], "theme": ["land", "funding"]},
        "All": {},
        "Cut": {"theme": ["land"]},
    }


@pytest.mark.parametrize("name", ["Land (2)", "All", "Cut"])
def test_a_moved_filter_opens_as_it_was_stored(moved_filters: None, name: str) -> None:
    view = SavedView.objects.get(name=name)
    definition = find_list("asks")
    assert definition is not None

    response = signed_in(view.owner).get(view.get_absolute_url())

    assert response.status_code == 200
    assert read(definition, view.owner, parameters_of(view.state)).state == view.state


def test_only_a_filter_that_sent_notices_is_followed(moved_filters: None) -> None:
    assert [follow.view.name for follow in Follow.objects.all()] == ["All"]


@pytest.fixture
def entry_for_partners(world: World) -> dict[str, Any]:
    """Return the fields of an entry for the partnership. Two followed filters became views after one was shared."""
    fields = {"audience": Audience.PARTNERSHIP, "partnership": world.partnership}
    shared_entry(world.larkhaven, world.amina, timezone.now(), title="There before", **fields)
    filter_of_party = _filter(world.ben, "Land", "theme=land", tells=True)
    filter_of_stranger = _filter(world.chidi, "Land", "theme=land", tells=True)
    MIGRATION.become_views(_AppsBeforeMigration(filter_of_party, filter_of_stranger), None)
    return fields


def test_the_first_reading_of_a_moved_filter_sends_nothing(entry_for_partners: dict[str, Any]) -> None:
    email_count = services.check_followed_views(now=timezone.now())

    assert email_count == 0


def test_a_moved_filter_tells_its_readers_what_is_shared_later(
    world: World, entry_for_partners: dict[str, Any]
) -> None:
    now = timezone.now()
    services.check_followed_views(now=now)
    shared_entry(world.larkhaven, world.amina, timezone.now(), title="Shared later", **entry_for_partners)
    drop_emails()

    email_count = services.check_followed_views(now=now + dt.timedelta(hours=1))

    assert email_count == 1
    [email] = deliver()
    assert email.to == [world.ben.email]
    assert "Shared later" in email.body
    assert "There before" not in email.body


def test_the_address_of_saved_filters_leads_to_views(world: World) -> None:
    assert signed_in(world.ben).get(reverse("exchange:saved")).url == reverse("lists:views")
