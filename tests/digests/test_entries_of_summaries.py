"""A summary says everything about one record in one place."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.utils import timezone

from partnerships.digests.emails.entries import entries_of, waiting_in
from partnerships.digests.emails.wording import MAX_SUBJECT, summary_wording
from partnerships.digests.planning.notices import MAX_NOTICES, NoticeLine
from partnerships.kit.waiting import WaitingTask
from partnerships.outbox.groups import NoticeGroup
from tests.commitments.promises import propose, verified_commitment
from tests.digests.conftest import PostOffice, html_of, play, text_of
from tests.support.pages import collapse
from tests.world import World


@pytest.fixture(autouse=True)
def usual_ways(settings: Any) -> None:
    """Send summaries to people who chose nothing, as the default setting does."""
    settings.NOTICES_AT_ONCE = False


def test_a_commitment_that_waits_is_listed_once_with_what_to_do(world: World, office: PostOffice) -> None:
    commitment = propose(world)

    play(office, now=timezone.now() + dt.timedelta(days=5))

    [email] = office.to(world.ben)
    for part in (text_of(email), collapse(html_of(email))):
        assert part.count(commitment.reference) == 1
        assert "To do: Confirm this commitment" in part
        assert "Waiting for you" not in part


def test_several_notices_about_one_commitment_are_one_entry(world: World, office: PostOffice) -> None:
    commitment = verified_commitment(world)

    play(office, now=timezone.now() + dt.timedelta(days=5))

    email = office.to(world.eddie)[-1]
    assert str(email["Subject"]).endswith(f"({world.partnership.title}) and 1 more")
    assert commitment.reference in str(email["Subject"])
    text = " ".join(text_of(email).split())
    verified_then_agreed = (
        rf"\* {world.partnership.title}: {commitment.reference} has been verified: [^*]+"
        rf"Earlier: {commitment.reference} has been agreed: "
    )
    assert re.search(verified_then_agreed, text)
    assert text.count(f"{commitment.reference} has been") == 2


def line(record: str, subject: str = "Something happened", path: str = "/digests/inbox/1/") -> NoticeLine:
    """Return a notice about a record."""
    return NoticeLine(subject, "", path, dt.datetime(2026, 11, 2, tzinfo=dt.UTC), record)


def subject_of(*lines: NoticeLine) -> str:
    """Return the subject of a summary of these notices."""
    return summary_wording(lines, now=dt.datetime(2026, 11, 3, tzinfo=dt.UTC), zone="Europe/London").subject


def notice(subject: str, group: NoticeGroup, hour: int, partnership: str = "") -> NoticeLine:
    """Return a notice of a group, from this hour of the day."""
    return NoticeLine(subject, partnership, "/", dt.datetime(2026, 11, 2, hour, tzinfo=dt.UTC), group=group)


def test_the_subject_of_a_summary_says_the_most_urgent_thing_and_where() -> None:
    answered = notice("Westmarch has answered your ask: Land", NoticeGroup.ASKS, 8, "Harbour homes")
    due = notice("C-7 for Westmarch is due tomorrow", NoticeGroup.REMINDERS, 11, "Harbour homes")
    later = notice("C-9 for Westmarch is due tomorrow", NoticeGroup.REMINDERS, 12)
    signed = notice("Larkhaven has signed the terms of Harbour Homes", NoticeGroup.PARTNERSHIPS, 7, "Harbour homes")

    assert subject_of(answered, later, due) == "C-7 for Westmarch is due tomorrow (Harbour homes) and 2 more"
    assert subject_of(answered, signed) == "Larkhaven has signed the terms of Harbour Homes and 1 more"
    assert subject_of(later, answered) == "C-9 for Westmarch is due tomorrow and 1 more"


def test_a_long_subject_of_a_summary_keeps_where_and_how_many() -> None:
    long_notice = notice("Westmarch has answered your ask: " + "land " * 40, NoticeGroup.ASKS, 8, "Harbour homes " * 10)

    subject = subject_of(long_notice, notice("Something else", NoticeGroup.ASKS, 9))

    assert len(subject) <= MAX_SUBJECT
    assert subject.startswith("Westmarch has answered your ask: land")
    assert subject.endswith("…) and 1 more")


def test_the_same_words_about_one_record_are_said_once() -> None:
    entries, other_tasks = entries_of([line("/a/"), line("/a/"), line("/b/")], [])

    assert [(entry.newest.record, entry.earlier) for entry in entries] == [("/a/", ()), ("/b/", ())]
    assert other_tasks == []


def test_notices_without_a_record_stay_apart() -> None:
    entries, _ = entries_of([line("", path="/digests/inbox/1/"), line("", path="/digests/inbox/2/")], [])

    assert len(entries) == 2


def test_what_waits_elsewhere_or_below_the_limit_is_listed_as_waiting() -> None:
    lines = [line(f"/{number}/") for number in range(MAX_NOTICES + 1)]
    here, below, elsewhere = (
        WaitingTask("Answer it", "An ask", path) for path in ("/0/", f"/{MAX_NOTICES}/", "/else/")
    )

    entries, other_tasks = entries_of(lines, [here, below, elsewhere])

    assert entries[0].to_do == (here,)
    assert other_tasks == [below, elsewhere]
    assert waiting_in(lines, [here, below, elsewhere], limit=1) == [here, below]
