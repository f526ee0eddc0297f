"""A succession moves rights on its day and not before, and undoing it moves them back.

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
from partnerships.organisations.obligations import held_records_by_kind
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
ROOMS_FULLY_RESTORED = ("agreements", "commitments", "exchange", "nominations", "recommendations", "reports")
#: Columns that get no marked word, because code compares them with settings.
COLUMNS_NOT_MARKED = {"organisations.Organisation.sign_in_provider"}

#: What a person sees: for each page, the status code and the marked words.
Seen = dict[str, tuple[int, frozenset[str]]]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return one world for the module, with a different word in every column that people write."""
    with kept_world(django_db_blocker, tmp_path_factory) as new_world:
        fill(column for column in columns() if column.label not in COLUMNS_NOT_MARKED)
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
    """Return the marked words of all pages."""
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
    for group in held_records_by_kind(world.westmarch, timezone.localdate(now)):
        services.propose_handovers(
            succession=succession,
            predecessor=world.westmarch,
            kind=group.kind.code,
            records=[record.pk for record in group.records],
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
    passing_pages = [page for page in hana if hana[page][0] != 200 or not ben[page][1] <= hana[page][1]]
    chidi = read_pages(world, "chidi", passing_pages)
    before = {"ben": ben, "hana": hana, "chidi": chidi}
    succession = record_and_accept(world, vesting)
    line_count = succession.handovers.count()
    after = read_pages_after(world, vesting, passing_pages)

    # On the evening before, nothing has passed on.
    changed_pages = [page for page in passing_pages if any(before[name][page] != after[name][page] for name in LEADS)]
    with time_machine.travel(at(vesting - dt.timedelta(days=1), 23, 55), tick=False):
        assert services.hand_over_due(now=timezone.now()) == 0
        for name in LEADS:
            check_sees_no_more(before[name], read_pages(world, name, changed_pages))

    # On the day, Hana gets what Ben had, and Chidi nothing.
    with time_machine.travel(at(vesting, 0, 5), tick=False):
        services.hand_over_due(now=timezone.now())
    assert succession.handovers.filter(state="applied").count() == line_count
    check_sees_no_more(chidi, after["chidi"])
    lost_pages = {page for page, (status, _) in changed_statuses(ben, after["ben"]).items() if status == 200}
    assert lost_pages == set(OF_THE_PREDECESSOR)
    assert changed_statuses(after["ben"], after["hana"]).keys() == OF_BEN_HIMSELF.keys()
    gained_pages = changed_statuses(hana, after["hana"])
    assert {page.partition(":")[0] for page in gained_pages} >= set(ROOMS_FULLY_RESTORED)

    # On the next day, nothing more passes on; once the succession is undone, each sees what they saw before.
    with time_machine.travel(at(vesting + dt.timedelta(days=1), 12, 0), tick=False):
        assert services.hand_over_due(now=timezone.now()) == 0
        assert changed_statuses(after["hana"], read_pages(world, "hana", gained_pages)) == {}
        undo(succession)
        returning_pages = [page for page in passing_pages if page.partition(":")[0] in ROOMS_FULLY_RESTORED]
        for name in before:
            check_sees_no_more(before[name], read_pages(world, name, returning_pages))


#: The people who lead the predecessor and the successor.
LEADS = ("ben", "hana")


def read_pages_after(world: World, vesting: dt.date, pages: list[str]) -> dict[str, Seen]:
    """Return what each person will see after the succession, which is rolled back again."""
    with time_machine.travel(at(vesting, 0, 5), tick=False), transaction.atomic():
        services.hand_over_due(now=timezone.now())
        seen_by_name = {name: read_pages(world, name, pages) for name in (*LEADS, "chidi")}
        transaction.set_rollback(True)
    return seen_by_name


def check_sees_no_more(before: Seen, now: Seen) -> None:
    """Check that a person has the same statuses as before, and sees no new words."""
    assert changed_statuses(before, now) == {}
    assert words_seen(now) - words_seen(before) == set()


def undo(succession: Succession) -> None:
    """Undo the succession today, and return all records."""
    undoing_succession = services.undo_succession(
        succession=succession,
        vests_on=known_day(timezone.localdate()),
        status="order_made",
        reason="Quashed.",
        author=None,
        now=timezone.now(),
    )
    services.take_effect(succession=undoing_succession, author=None, now=timezone.now())
    services.hand_over_due(now=timezone.now())
