"""After a restore, the clock does its tasks again, but nobody gets a second email about the same thing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db.models.functions import Now
from django.utils import timezone

from housing.celery import SCHEDULE
from partnerships.agreements.services import remind_of_dates
from partnerships.conversations import services as conversations
from partnerships.conversations.models import Report, ReportingRound
from partnerships.digests import services as digests
from partnerships.digests.models import InboxItem, NoticeDelivery
from partnerships.digests.planning.notices import TOLD_NOTICE
from partnerships.digests.services.sweep import plan_round
from partnerships.exchange.models import Audience, Entry
from partnerships.exchange.services import withdraw_entry
from partnerships.kit import journal
from partnerships.lists import services as lists
from partnerships.outbox.models import DeliveredBefore, Email
from partnerships.outbox.services import recording_no_emails
from partnerships.people.models import User
from tests.conversations.reports import set_up
from tests.exchange.conftest import shared_entry
from tests.faults.restore import lost, redo
from tests.support.outbox import deliver, drop_emails, recorded
from tests.telling import lower_rooms, surveys, terms, upper_rooms
from tests.telling.case import CASES
from tests.world import World

__all__ = ["lower_rooms", "surveys", "terms", "upper_rooms"]  # they fill the table


#: By task: the rows of the table of emails in which the task emails people, or why it emails nobody.
EMAILS_OF: dict[str, tuple[str, ...] | str] = {
    "agreements.act_on_dates": (
        "partnership_ended_on_its_date",
        "leads_reminded_of_dates",
        "terms_in_force_on_their_day",
    ),
    "agreements.act_on_terms": (
        "amendment_not_signed_in_time",
        "signers_of_terms_reminded",
        "signatures_on_terms_are_late",
        "next_signer_of_terms_asked",
    ),
    "commitments.remind_owners": ("owners_reminded",),
    "conversations.keep_reports": ("report_due_soon",),
    "digests.read_mailbox": "it acts on emails that came in, and takes each out of the mailbox",
    "digests.regularly": "digests depend on their watermarks; people whose link a restore ended get a new one",
    "digests.sweep": "digests depend on their watermarks (test_opposite_acts_after_a_restore.py)",
    "exchange.close_due_entries": ("entry_about_to_lapse",),
    "exchange.match_due_entries": ("entry_shared_with_those_asked",),
    "lists.check_followed_views": ("entry_enters_a_followed_view",),
    "lists.make_files": "tells nobody",
    "nominations.count_waiting": "tells nobody",
    "organisations.hand_over_due": ("succession_passed_something_on",),
    "outbox.prepare_partitions": "tells operators alone",
    "outbox.sweep": "sends what is recorded",
    "people.apply_retention": "tells operators alone",
    "people.write_journal": "tells operators alone",
    "plans.escalate_signatories": ("signatories_late",),
    "plans.lift_embargoes": "versions come in digests",
    "plans.release_signatories": "tells nobody",
    "plans.remind_signatories": ("signatories_reminded",),
    "reports.make_files": "tells nobody",
    "reports.send_due_reports": ("report_sent_on_a_rhythm", "scheduled_report_of_a_partnership_they_left"),
    "search.index_stale": "tells nobody",
    "search.prune_words": "tells nobody",
    "search.queue_the_day": "tells nobody",
    "search.read_files": "tells nobody",
    "spreadsheets.work_on_waiting": "tells nobody",
    "surveys.close_due": ("survey_closed",),
    "transfer.apply_waiting": "tells nobody",
}


@pytest.fixture(autouse=True)
def journal_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write lines of the journal at once. Tests roll back, so lines that wait for a commit would never be written."""
    monkeypatch.setattr(journal, "note", journal.write)


def restore() -> None:
    """Apply the journal as `after_restore` does."""
    with recording_no_emails():
        redo()


def sent() -> list[mail.EmailMessage]:
    """Send the emails that are due, and return them.

    The database's clock is the real one, even if the test's clock is ahead, so all emails are made available now.
    """
    mail.outbox.clear()
    Email.objects.unsettled().update(available_at=Now())
    return deliver()


def informed() -> list[str]:
    """Return the recipients of the emails that leave now, once for each email."""
    return sorted(email.to[0] for email in sent())


def test_every_task_of_the_clock_says_whom_it_tells() -> None:
    assert EMAILS_OF.keys() == SCHEDULE.keys()


@pytest.mark.parametrize(
    "name", [name for notices in EMAILS_OF.values() if not isinstance(notices, str) for name in notices]
)
def test_email_of_the_clock_is_not_sent_again_after_a_restore(world: World, name: str) -> None:
    act = CASES[name].prepare(world)
    drop_emails()
    with lost():
        act()
        notices = informed()
    restore()

    with time_machine.travel(timezone.now() + dt.timedelta(hours=26)):
        act()
        later_notices = informed()

    assert notices == sorted(User.objects.get(email__startswith=f"{who}@").email for _, who in CASES[name].told)
    assert later_notices == []


def test_report_that_the_clock_opened_since_the_backup_is_reminded_of_once(world: World) -> None:
    set_up(world)
    Report.objects.all().delete()
    ReportingRound.objects.update(opened_until=None)

    def keep() -> None:
        conversations.open_due_reports(now=timezone.now())
        due = Report.objects.earliest("due_on").due_on
        conversations.remind_of_reports(now=timezone.make_aware(dt.datetime.combine(due, dt.time(9))))

    drop_emails()
    with lost():
        keep()
        notices = informed()
    restore()
    keep()

    assert notices
    assert informed() == []


def test_dates_told_one_by_one_are_not_told_together_after_a_restore(world: World) -> None:
    today = timezone.now().date()
    partnerships = type(world.partnership).objects.filter(pk=world.partnership.pk)
    partnerships.update(status="active", ends_on=today + dt.timedelta(days=31), review_on=today + dt.timedelta(days=25))
    drop_emails()
    with lost():
        remind_of_dates(now=timezone.now())
        informed()
        with time_machine.travel(timezone.now() + dt.timedelta(days=1)):
            remind_of_dates(now=timezone.now())
            second = informed()
    restore()

    with time_machine.travel(timezone.now() + dt.timedelta(days=2)):
        remind_of_dates(now=timezone.now())
        notices_after = informed()
    with time_machine.travel(timezone.now() + dt.timedelta(days=18)):
        remind_of_dates(now=timezone.now())
        later_notices = informed()

    assert second == [world.amina.email, world.ben.email]
    assert notices_after == []
    assert later_notices == [world.amina.email, world.ben.email]


def asks_seen_by_ben(world: World) -> Callable[[int], list[str]]:
    """Ben follows a view of all asks; a call reads it after this many hours, and says of what it emails him."""
    view = lists.save_view(person=world.ben, kind="asks", name="All asks", state={}, now=timezone.now())
    lists.follow_view(view=view, person=world.ben, now=timezone.now())

    def told(hours: int) -> list[str]:
        lists.check_followed_views(now=timezone.now() + dt.timedelta(hours=hours))
        return [email.subject for email in sent()]

    return told


def test_rows_told_one_by_one_are_not_told_together_after_a_restore(world: World) -> None:
    notices_to_ben = asks_seen_by_ben(world)
    first, second, third = (
        shared_entry(
            world.larkhaven,
            world.amina,
            timezone.now(),
            title=title,
            audience=Audience.NAMED,
            addressees=[world.tidewater],
        )
        for title in ("Land", "Homes", "Money")
    )

    def open_to_all(entry: Entry) -> None:
        Entry.objects.filter(pk=entry.pk).update(audience=Audience.NETWORK)

    drop_emails()
    notices_to_ben(0)
    drop_emails()
    with lost():
        open_to_all(first)
        one = notices_to_ben(2)
        open_to_all(second)
        two = notices_to_ben(4)
    restore()
    for entry in (first, second):
        open_to_all(entry)

    again = notices_to_ben(6)
    withdraw_entry(entry=first, reason="Found.", author=world.amina, now=timezone.now())
    open_to_all(third)
    drop_emails()
    news = notices_to_ben(8)

    assert one == ["Changes in your view “All asks”: 1 added"]
    assert two == ["Changes in your view “All asks”: 1 added"]
    assert again == []
    assert news == ["Changes in your view “All asks”: 1 added, 1 removed"]


def told_in_summaries(world: World, name: str) -> tuple[list[User], Callable[[], list[str]]]:
    """Let the people of this row get summaries. The returned function acts, and returns who gets an email."""
    act = CASES[name].prepare(world)
    people = [User.objects.get(email__startswith=f"{who}@") for _, who in CASES[name].told]
    for person in people:
        digests.choose_ways(
            person=person,
            ways={"reminders": NoticeDelivery.SUMMARY, "views": NoticeDelivery.SUMMARY},
            author=person,
            now=timezone.now(),
        )
    drop_emails()

    def told() -> list[str]:
        act()
        InboxItem.objects.for_summary().update(due_at=timezone.now())
        plan_round(now=timezone.now())
        return informed()

    return people, told


@pytest.mark.parametrize("name", ["owners_reminded", "entry_enters_a_followed_view", "leads_reminded_of_dates"])
def test_notice_of_the_clock_that_a_summary_told_is_in_no_other_after_a_restore(
    world: World, settings: Any, name: str
) -> None:
    settings.DIGEST_SETTLE_MINUTES = 0
    people, told = told_in_summaries(world, name)
    with lost():
        before = told()
    restore()
    remembered = DeliveredBefore.objects.count()

    assert before == sorted(person.email for person in people)
    assert remembered == len(people)
    assert told() == []
    assert not DeliveredBefore.objects.exists()
    assert not [email for email in recorded() if email.is_open]


def test_version_before_can_apply_what_the_journal_says_of_notices(world: World, settings: Any) -> None:
    settings.DIGEST_SETTLE_MINUTES = 0
    people, told = told_in_summaries(world, "owners_reminded")
    told()

    lines = [line for line in journal.lines(since=timezone.now() - dt.timedelta(hours=1)) if line["what"] == "accepted"]
    facts = [fact for line in lines for fact in line["told"] if fact[0] == TOLD_NOTICE]

    assert len(facts) == len(people)
    assert {len(fact) for fact in facts} == {2}, "Versions before 1 December 2026 expect a number and nothing more."
