"""The migration turns the board's saved filters into views."""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from types import SimpleNamespace
from typing import Any

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


def test_filters_become_views_and_those_that_told_are_followed(world: World) -> None:
    services.save_view(person=world.ben, kind="asks", name="Land", state={}, now=timezone.now())
    query_cut_off = ("theme=land&organisation=" + "x" * 1_000)[:1_000]
    filters = (
        _filter(world.ben, "Land", "q=two+words&theme=land&theme=funding", tells=False),
        _filter(world.ben, "All", "", tells=True),
        _filter(world.amina, "Cut", query_cut_off, tells=False),
    )

    MIGRATION.become_views(_AppsBeforeMigration(*filters), None)

    view_by_name = {view.name: view for view in SavedView.objects.exclude(name="Land")}
    assert {name: view.state["filters"] for name, view in view_by_name.items()} == {
        "Land (2)": {"q": ["two words"], "theme": ["land", "funding"]},
        "All": {},
        "Cut": {"theme": ["land"]},
    }
    definition = find_list("asks")
    assert definition is not None
    for view in view_by_name.values():
        assert read(definition, view.owner, parameters_of(view.state)).state == view.state
        assert signed_in(view.owner).get(view.get_absolute_url()).status_code == 200
    assert [follow.view for follow in Follow.objects.all()] == [view_by_name["All"]]


def test_a_moved_filter_tells_what_is_shared_later_to_those_who_may_read_it(world: World) -> None:
    for_partners: dict[str, Any] = {"audience": Audience.PARTNERSHIP, "partnership": world.partnership}
    shared_entry(world.larkhaven, world.amina, timezone.now(), title="There before", **for_partners)
    filters = [_filter(person, "Land", "theme=land", tells=True) for person in (world.ben, world.chidi)]
    MIGRATION.become_views(_AppsBeforeMigration(*filters), None)
    now = timezone.now()

    assert services.check_followed_views(now=now) == 0
    shared_entry(world.larkhaven, world.amina, timezone.now(), title="Shared later", **for_partners)
    drop_emails()
    assert services.check_followed_views(now=now + dt.timedelta(hours=1)) == 1

    (email,) = deliver()
    assert email.to == [world.ben.email]
    assert "Shared later" in email.body
    assert "There before" not in email.body


def test_the_address_of_saved_filters_leads_to_views(world: World) -> None:
    assert signed_in(world.ben).get(reverse("exchange:saved")).url == reverse("lists:views")
