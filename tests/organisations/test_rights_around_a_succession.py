"""Who reads what the day before a succession, on its day and after: the access table and marked words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.kit.dates import known_day
from partnerships.organisations import services
from partnerships.organisations.models import Succession
from partnerships.organisations.obligations import held_by
from partnerships.organisations.services import ties_between
from tests.support.canaries import columns, fill, words_in
from tests.support.prepared import ROWS, kept_world, media_root
from tests.world import World

__all__ = ["media_root"]

pytestmark = pytest.mark.django_db

#: Rooms with records that pass on, or that show them.
ROOMS = ("agreements", "commitments", "conversations", "exchange", "organisations", "plans", "search", "web")
PAGES = [row for row in ROWS if row.get is not None and row.name.partition(":")[0] in ROOMS]
#: Columns that code checks against settings.
NOT_WRITTEN = {"organisations.Organisation.sign_in_provider"}
#: Who looks: Ben leads the predecessor, Hana the successor, Chidi another organisation.
LOOKING = ("ben", "hana", "chidi")
VESTING = timezone.localdate() + dt.timedelta(days=1)

#: What a person sees: the status of each page of the access table, and the marked words on all of them.
Seen = tuple[dict[str, int], set[str]]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world for the module, with a word of its own in every column that people write."""
    with kept_world(django_db_blocker, tmp_path_factory) as made:
        fill(column for column in columns() if column.label not in NOT_WRITTEN)
        made.things["addresses"] = {
            f"{row.name}{row.query}": reverse(row.name, kwargs=row.on(made)) + row.query for row in PAGES
        }
        yield made


def at(day: dt.date, hour: int, minute: int) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time(hour, minute)))


def look(world: World, rooms: tuple[str, ...] = ROOMS) -> dict[str, Seen]:
    """What each of them sees now in these rooms."""
    seen: dict[str, Seen] = {}
    for name in LOOKING:
        client = Client(raise_request_exception=False)
        client.force_login(getattr(world, name))
        statuses: dict[str, int] = {}
        words: set[str] = set()
        for page, address in world.things["addresses"].items():
            if page.partition(":")[0] not in rooms:
                continue
            with transaction.atomic():
                response = client.get(address)
                statuses[page] = response.status_code
                if response.status_code == 200 and not response.streaming:
                    words |= set(words_in(response.content.decode(errors="replace")))
                transaction.set_rollback(True)
        seen[name] = statuses, words
    return seen


def accepted(world: World) -> Succession:
    """Harbour follows Westmarch tomorrow, and has accepted everything that it holds."""
    now = timezone.now()
    succession = services.record_succession(
        kind="replace",
        status="order_made",
        vests_on=known_day(VESTING),
        ties=ties_between([world.westmarch], [world.harbour]),
        author=None,
        now=now,
    )
    for group in held_by(world.westmarch, timezone.localdate(now)):
        services.propose_handovers(
            succession=succession,
            predecessor=world.westmarch,
            kind=group.kind.code,
            records=[one.pk for one in group.things],
            successor=world.harbour,
            author=world.ben,
            now=now,
        )
    services.answer_handovers(lines=list(succession.handovers.all()), accept=True, author=world.hana, now=now)
    return succession


#: What Ben reads no longer, and why.
OF_THE_PREDECESSOR = {
    "agreements:terms-paper": "the request to sign names the successor now",
    "exchange:start-group": "an answer that was accepted is history; the commitments from it pass on",
}
#: What only Ben may do of both who lead the successor, and why.
OF_BEN_HIMSELF = {
    "conversations:meeting-answer": "his own seat, which he took for Westmarch",
    "exchange:end-facilitator": "he facilitates it himself",
}
#: Pages whose answer depends on being a side of the succession itself.
ABOUT_IT = "organisations:handover"


def changed(before: dict[str, int], after: dict[str, int]) -> dict[str, tuple[int, int]]:
    return {
        page: (before[page], after[page])
        for page in before
        if before[page] != after[page] and not page.startswith(ABOUT_IT)
    }


def test_rights_follow_the_lines_on_the_day_and_strangers_see_no_more(world: World) -> None:
    before = look(world)
    succession = accepted(world)
    count = succession.handovers.count()

    with time_machine.travel(at(VESTING - dt.timedelta(days=1), 23, 55), tick=False):
        assert services.hand_over_due(now=timezone.now()) == 0
        eve = look(world)
    for name in LOOKING:
        assert changed(before[name][0], eve[name][0]) == {}, name
        assert eve[name][1] - before[name][1] == set(), name

    for day, hour in ((VESTING, 0), (VESTING + dt.timedelta(days=1), 12)):
        with time_machine.travel(at(day, hour, 5), tick=False):
            services.hand_over_due(now=timezone.now())
            after = look(world)
        assert changed(before["chidi"][0], after["chidi"][0]) == {}
        assert after["chidi"][1] - before["chidi"][1] == set()
        lost = {page for page, pair in changed(before["ben"][0], after["ben"][0]).items() if pair[0] == 200}
        assert lost == set(OF_THE_PREDECESSOR)
        apart = changed(after["ben"][0], after["hana"][0])
        assert apart.keys() == OF_BEN_HIMSELF.keys()
    assert succession.handovers.filter(state="applied").count() == count


def test_rights_are_as_before_once_it_is_undone(world: World) -> None:
    with time_machine.travel(at(VESTING + dt.timedelta(days=1), 12, 0), tick=False):
        before = look(world, ("agreements", "commitments", "exchange"))
        succession = accepted(world)
        services.take_effect(succession=succession, author=None, now=timezone.now())
        services.hand_over_due(now=timezone.now())
        back = services.undo_succession(
            succession=succession,
            vests_on=known_day(timezone.localdate()),
            status="order_made",
            reason="Quashed.",
            author=None,
            now=timezone.now(),
        )
        services.take_effect(succession=back, author=None, now=timezone.now())
        services.hand_over_due(now=timezone.now())
        after = look(world, ("agreements", "commitments", "exchange"))

    for name in LOOKING:
        assert changed(before[name][0], after[name][0]) == {}, name
        assert after[name][1] - before[name][1] == set(), name
