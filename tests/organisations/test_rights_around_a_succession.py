"""A succession moves rights on its vesting day and not before, and undoing it moves them back.

Ben leads the predecessor Westmarch, Hana leads the successor Harbour, and Chidi leads neither. The tests compare the
pages that they see before and after the succession, by the status code and by the marked words on the page. Every
column has its own marked word, which shows that a page contains its data.

Only pages on which Ben sees more than Hana are compared, because nothing else can pass to Hana.
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

#: The status code and the marked words that a person sees, by the name of the page.
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
def html_instead_of_pdfs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make downloads contain the HTML of a PDF, which can be searched and takes no seconds to draw."""

    def page_as_pdf(string: str, **_: Any) -> SimpleNamespace:
        return SimpleNamespace(write_pdf=lambda **_: string.encode())

    monkeypatch.setattr(downloads, "weasyprint", SimpleNamespace(HTML=page_as_pdf))


def moment(day: dt.date, hour: int, minute: int) -> dt.datetime:
    """Return a time of day in local time."""
    return timezone.make_aware(dt.datetime.combine(day, dt.time(hour, minute)))


def read_pages(world: World, name: str, pages: Iterable[str]) -> Seen:
    """Return what a person sees now on these pages. Opening a page changes nothing."""
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
    return {word for _, page_words in seen.values() for word in page_words}


#: The beginning of the names of pages that only leads of the succession's organisations may open.
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


def vesting_day(succession: Succession) -> dt.date:
    """Return the exact vesting day of a succession."""
    assert succession.vests_on is not None
    return succession.vests_on.earliest


#: The people who lead the predecessor and the successor.
LEADS = ("ben", "hana")
#: Pages that Ben cannot read after the succession, and why.
OF_THE_PREDECESSOR = {
    "agreements:terms-paper": "the request to sign names the successor now",
    "exchange:start-group": "an answer that was accepted is history; the commitments from it pass on",
}
#: Pages that only Ben may open, although Ben and Hana both lead the successor, and why.
OF_BEN_HIMSELF = {
    "exchange:end-facilitator": "he facilitates it himself",
}


@pytest.fixture
def before(world: World) -> dict[str, Seen]:
    """Return what Ben, Hana and Chidi see before the succession is recorded, by the person's name.

    Reading the pages takes minutes, so the tests of this module share the result.
    """
    if "seen before" not in world.things:
        ben = read_pages(world, "ben", world.things["addresses"])
        hana = read_pages(world, "hana", [page for page, (status, _) in ben.items() if status == 200])
        chidi = read_pages(world, "chidi", passing_pages(ben, hana))
        world.things["seen before"] = {"ben": ben, "hana": hana, "chidi": chidi}
    seen_by_name: dict[str, Seen] = world.things["seen before"]
    return seen_by_name


@pytest.fixture
def succession(world: World, before: dict[str, Seen]) -> Succession:
    """Return the succession, which vests tomorrow. Everything that Westmarch has is accepted."""
    return record_and_accept(world, timezone.localdate() + dt.timedelta(days=1))


@pytest.fixture
def after(world: World, before: dict[str, Seen], succession: Succession) -> dict[str, Seen]:
    """Return what Ben, Hana and Chidi will see on vesting day, by the person's name, for all tests of this module."""
    if "seen after" not in world.things:
        pages = passing_pages(before["ben"], before["hana"])
        with time_machine.travel(moment(vesting_day(succession), 0, 5), tick=False), transaction.atomic():
            services.hand_over_due(now=timezone.now())
            world.things["seen after"] = {name: read_pages(world, name, pages) for name in (*LEADS, "chidi")}
            transaction.set_rollback(True)
    seen_by_name: dict[str, Seen] = world.things["seen after"]
    return seen_by_name


def passing_pages(ben: Seen, hana: Seen) -> list[str]:
    """Return the pages on which Ben sees more than Hana."""
    return [page for page in hana if hana[page][0] != 200 or not ben[page][1] <= hana[page][1]]


def hand_over_on_vesting_day(succession: Succession) -> None:
    with time_machine.travel(moment(vesting_day(succession), 0, 5), tick=False):
        services.hand_over_due(now=timezone.now())


def test_nothing_passes_on_before_vesting_day(
    world: World, before: dict[str, Seen], succession: Succession, after: dict[str, Seen]
) -> None:
    changed_pages = [page for page in after["ben"] if any(before[name][page] != after[name][page] for name in LEADS)]
    evening_before = moment(vesting_day(succession) - dt.timedelta(days=1), 23, 55)

    with time_machine.travel(evening_before, tick=False):
        moved_count = services.hand_over_due(now=timezone.now())
        seen_by_name = {name: read_pages(world, name, changed_pages) for name in LEADS}

    assert moved_count == 0
    for name in LEADS:
        check_sees_no_more(before[name], seen_by_name[name])


def test_every_accepted_line_is_applied_on_vesting_day(succession: Succession) -> None:
    line_count = succession.handovers.count()

    hand_over_on_vesting_day(succession)

    assert succession.handovers.filter(state="applied").count() == line_count


def test_a_stranger_sees_no_more_on_vesting_day(before: dict[str, Seen], after: dict[str, Seen]) -> None:
    check_sees_no_more(before["chidi"], after["chidi"])


def test_the_predecessors_lead_loses_only_pages_of_the_predecessor(
    before: dict[str, Seen], after: dict[str, Seen]
) -> None:
    changes = changed_statuses(before["ben"], after["ben"])

    lost_pages = {page for page, (status_before, _) in changes.items() if status_before == 200}
    assert lost_pages == set(OF_THE_PREDECESSOR)


def test_the_successors_lead_may_open_what_the_predecessors_lead_may_open(
    before: dict[str, Seen], after: dict[str, Seen]
) -> None:
    gained_pages = changed_statuses(before["hana"], after["hana"])

    assert changed_statuses(after["ben"], after["hana"]).keys() == OF_BEN_HIMSELF.keys()
    assert {page.partition(":")[0] for page in gained_pages} >= set(ROOMS_FULLY_RESTORED)


def test_nothing_more_passes_on_after_vesting_day(
    world: World, before: dict[str, Seen], succession: Succession, after: dict[str, Seen]
) -> None:
    hand_over_on_vesting_day(succession)
    gained_pages = changed_statuses(before["hana"], after["hana"])

    with time_machine.travel(moment(vesting_day(succession) + dt.timedelta(days=1), 12, 0), tick=False):
        moved_count = services.hand_over_due(now=timezone.now())
        seen_by_hana = read_pages(world, "hana", gained_pages)

    assert moved_count == 0
    assert changed_statuses(after["hana"], seen_by_hana) == {}


def test_everybody_sees_what_they_saw_before_once_the_succession_is_undone(
    world: World, before: dict[str, Seen], succession: Succession, after: dict[str, Seen]
) -> None:
    hand_over_on_vesting_day(succession)
    restored_pages = [page for page in after["ben"] if page.partition(":")[0] in ROOMS_FULLY_RESTORED]

    with time_machine.travel(moment(vesting_day(succession) + dt.timedelta(days=1), 12, 0), tick=False):
        undo(succession)
        seen_by_name = {name: read_pages(world, name, restored_pages) for name in before}

    for name in before:
        check_sees_no_more(before[name], seen_by_name[name])


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
