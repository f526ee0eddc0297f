"""Who reads which pages before a succession, on its day, afterwards and once it is undone.

The statuses are those of the access table; the texts are known by marked words. Only pages on which Ben sees more than
Hana can pass to Hana, so only these are opened again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from partnerships.documents import downloads
from partnerships.kit.dates import known_day
from partnerships.organisations import services
from partnerships.organisations.models import Succession
from partnerships.organisations.obligations import held_by
from partnerships.organisations.services import ties_between
from tests.support.canaries import columns, fill, words_in
from tests.support.prepared import ROWS, checked_browser, kept_world, media_root
from tests.world import World

__all__ = ["media_root"]

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

#: The rooms with records that pass on, or with pages that show such records.
ROOMS = (
    "agreements",
    "calendars",
    "commitments",
    "conversations",
    "exchange",
    "lists",
    "nominations",
    "organisations",
    "plans",
    "recommendations",
    "reports",
    "search",
    "spreadsheets",
    "web",
)
PAGES = [row for row in ROWS if row.get is not None and row.name.partition(":")[0] in ROOMS]
#: The rooms in which every right returns once the succession is undone.
COME_BACK = ("agreements", "commitments", "exchange", "nominations", "recommendations", "reports")
#: Columns that get no marked word, because code compares them with settings.
NOT_WRITTEN = {"organisations.Organisation.sign_in_provider"}

#: What a person sees: for each page, the status code and the marked words.
Seen = dict[str, tuple[int, frozenset[str]]]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return one world for the module, with a different word in every column that people write."""
    with kept_world(django_db_blocker, tmp_path_factory) as new_world:
        fill(column for column in columns() if column.label not in NOT_WRITTEN)
        new_world.things["addresses"] = {
            f"{row.name}{row.query}": reverse(row.name, kwargs=row.on(new_world)) + row.query for row in PAGES
        }
        yield new_world


@pytest.fixture(autouse=True)
def pdfs_are_their_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Return the HTML instead of a PDF, because its words can be read, and because drawing a PDF takes seconds."""

    def drawn(string: str, **_: Any) -> SimpleNamespace:
        return SimpleNamespace(write_pdf=lambda **_: string.encode())

    monkeypatch.setattr(downloads, "weasyprint", SimpleNamespace(HTML=drawn))


def at(day: dt.date, hour: int, minute: int) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time(hour, minute)))


def read_pages(world: World, name: str, pages: Iterable[str]) -> Seen:
    """Return what a person sees now on these pages."""
    client = checked_browser(getattr(world, name), raises=False)
    seen: Seen = {}
    for page in pages:
        with transaction.atomic():
            response = client.get(world.things["addresses"][page])
            is_readable = response.status_code == 200 and not response.streaming
            text = response.content.decode(errors="replace") if is_readable else ""
            seen[page] = response.status_code, frozenset(words_in(text))
            transaction.set_rollback(True)
    return seen


def words_seen(seen: Seen) -> set[str]:
    return {word for _, found in seen.values() for word in found}


#: The beginning of the names of pages whose response depends on being a side of the succession itself.
PAGES_OF_HANDOVER = "organisations:handover"


def changed_statuses(before: Seen, after: Seen) -> dict[str, tuple[int, int]]:
    """Return the pages that are in both and have another status, each with both statuses."""
    return {
        page: (before[page][0], after[page][0])
        for page in before.keys() & after.keys()
        if before[page][0] != after[page][0] and not page.startswith(PAGES_OF_HANDOVER)
    }


def record_and_accept(world: World, vesting: dt.date) -> Succession:
    """Record that Harbour follows Westmarch on this day, and accept everything that Westmarch has."""
    now = timezone.now()
    succession = services.record_succession(
        kind="replace",
        status="order_made",
        vests_on=known_day(vesting),
        ties=ties_between([world.westmarch], [world.harbour]),
        author=None,
        now=now,
    )
    for group in held_by(world.westmarch, timezone.localdate(now)):
        services.propose_handovers(
            succession=succession,
            predecessor=world.westmarch,
            kind=group.kind.code,
            records=[thing.pk for thing in group.things],
            successor=world.harbour,
            author=world.ben,
            now=now,
        )
    services.answer_handovers(lines=list(succession.handovers.all()), accept=True, author=world.hana, now=now)
    return succession


#: Pages that Ben can no longer read, and why.
OF_THE_PREDECESSOR = {
    "agreements:terms-paper": "the request to sign names the successor now",
    "exchange:start-group": "an answer that was accepted is history; the commitments from it pass on",
}
#: Pages that only Ben may open, although Ben and Hana both lead the successor, and why.
OF_BEN_HIMSELF = {
    "exchange:end-facilitator": "he facilitates it himself",
}


def test_rights_follow_the_lines_on_the_day_and_come_back_and_strangers_see_no_more(world: World) -> None:
    """Ben leads the predecessor, Hana the successor, Chidi another organisation."""
    vesting = timezone.localdate() + dt.timedelta(days=1)
    ben = read_pages(world, "ben", world.things["addresses"])
    hana = read_pages(world, "hana", [page for page, (status, _) in ben.items() if status == 200])
    may_pass = [page for page in hana if hana[page][0] != 200 or not ben[page][1] <= hana[page][1]]
    chidi = read_pages(world, "chidi", may_pass)
    succession = record_and_accept(world, vesting)
    count = succession.handovers.count()

    with time_machine.travel(at(vesting, 0, 5), tick=False), transaction.atomic():
        services.hand_over_due(now=timezone.now())
        after = {name: read_pages(world, name, may_pass) for name in ("ben", "hana", "chidi")}
        transaction.set_rollback(True)
    passes = [page for page in may_pass if ben[page] != after["ben"][page] or hana[page] != after["hana"][page]]

    with time_machine.travel(at(vesting - dt.timedelta(days=1), 23, 55), tick=False):
        assert services.hand_over_due(now=timezone.now()) == 0
        for name, before in (("ben", ben), ("hana", hana)):
            eve = read_pages(world, name, passes)
            assert changed_statuses(before, eve) == {}, name
            assert words_seen(eve) - words_seen(before) == set(), name

    with time_machine.travel(at(vesting, 0, 5), tick=False):
        services.hand_over_due(now=timezone.now())
    assert changed_statuses(chidi, after["chidi"]) == {}
    assert words_seen(after["chidi"]) - words_seen(chidi) == set()
    lost = {page for page, pair in changed_statuses(ben, after["ben"]).items() if pair[0] == 200}
    assert lost == set(OF_THE_PREDECESSOR)
    assert changed_statuses(after["ben"], after["hana"]).keys() == OF_BEN_HIMSELF.keys()
    assert succession.handovers.filter(state="applied").count() == count
    gained = changed_statuses(hana, after["hana"])
    assert {page.partition(":")[0] for page in gained} >= set(COME_BACK)

    with time_machine.travel(at(vesting + dt.timedelta(days=1), 12, 0), tick=False):
        assert services.hand_over_due(now=timezone.now()) == 0
        assert changed_statuses(after["hana"], read_pages(world, "hana", gained)) == {}
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
        for name, before in (("ben", ben), ("hana", hana), ("chidi", chidi)):
            again = read_pages(world, name, [page for page in may_pass if page.partition(":")[0] in COME_BACK])
            assert changed_statuses(before, again) == {}, name
            assert words_seen(again) - words_seen(before) == set(), name
