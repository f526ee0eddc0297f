"""What is sent matches the page of choices, for every kind of notice and every way to get it.

A person chooses a way for a group on the page. Then a service causes a notice of the group, and everything that is due
in the next days is sent.
"""

from __future__ import annotations

import copy
import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from types import CellType, FunctionType
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.digests.models import InboxItem, NoticeDelivery
from partnerships.digests.planning.notices import line_of
from partnerships.digests.queries.ways import ways_of
from partnerships.digests.services import choose_ways
from partnerships.digests.services.sweep import plan_round
from partnerships.outbox.groups import CHOOSABLE
from partnerships.outbox.kinds import EmailKind, SummaryLine, all_kinds
from partnerships.outbox.models import Email
from partnerships.people.models import User
from tests.support.outbox import deliver, drop_emails
from tests.support.signing_in import signed_in
from tests.telling import answers, lower_rooms, surveys, terms, upper_rooms
from tests.telling.case import CASES
from tests.world import World, make_world

__all__ = ["answers", "lower_rooms", "surveys", "terms", "upper_rooms"]  # importing them fills the table of cases

KINDS = [kind for kind in all_kinds() if not kind.code.startswith(("digests.", "outbox.", "tests."))]
CHOSEN = [kind for kind in KINDS if not kind.always]
ALWAYS = [kind for kind in KINDS if kind.always]
#: The other answers on the page of choices: one summary a day.
PAGE = {
    "frequency": "daily",
    "hour": "8",
    "second_hour": "",
    "third_hour": "",
    "weekday": "0",
    "days": ["0", "1", "2", "3", "4", "5", "6"],
    "time_zone": "Europe/London",
    "lead_offered": "yes",
    "lead_commitments": ["30", "14", "7", "1", "0"],
    "lead_reports": ["5"],
    "lead_signatures": ["7", "0"],
    "lead_asks": ["7"],
}


@pytest.fixture(autouse=True)
def usual_ways(settings: Any) -> None:
    """Send summaries to people who chose nothing, as the default setting does."""
    settings.NOTICES_AT_ONCE = False


@pytest.fixture
def world(db: None) -> World:
    """Return the small world, without the plan that other tests of digests have."""
    return make_world()


@dataclass(frozen=True)
class Received:
    """What one person received of one kind of notice: emails at once, items in the inbox, and summaries."""

    at_once: int
    in_inbox: int
    #: Text and HTML of each summary, without line breaks.
    summaries: list[tuple[str, str]]
    #: The texts that the lines of the summary should contain.
    sentences: list[str]


def case_of(kind: EmailKind) -> tuple[str, str]:
    """Return the name of a service that causes this kind of email, and the name of a person who gets it."""
    return next((name, who) for name, case in CASES.items() for code, who in case.told if code == kind.code)


def answer_page(person: User, **ways: str) -> Client:
    """Choose these ways on the page of choices, and return the person's browser."""
    client = signed_in(person)
    response = client.post(reverse("digests:manage"), PAGE | {f"way_{group}": way for group, way in ways.items()})
    assert response.status_code == 302
    return client


def choose_on_page(person: User, **ways: str) -> dict[str, str]:
    """Choose these ways on the page of choices, and return what the page then shows as chosen, by group."""
    html = answer_page(person, **ways).get(reverse("digests:manage")).content.decode()
    selects = re.findall(r'<select[^>]* name="way_(\w+)".*?</select>', html, re.DOTALL)
    assert set(selects) == set(CHOOSABLE)
    return {
        name: re.findall(r'value="(\w+)"\s+selected', body)[0]
        for name, body in re.findall(r'<select[^>]* name="way_(\w+)"(.*?)</select>', html, re.DOTALL)
    }


@dataclass(frozen=True)
class Prepared:
    """A call that will cause a notice, and the person who will get it; None if they have no account."""

    kind: EmailKind
    person: User | None
    act: Callable[[], object]


def prepare(world: World, kind: EmailKind) -> Prepared:
    """Prepare a call that causes this kind of notice, after its recipient has answered the page of choices."""
    name, who = case_of(kind)
    act = CASES[name].prepare(world)
    person = User.objects.filter(email__startswith=f"{who}@", account_since__isnull=False).first()
    if person is not None and kind.group in CHOOSABLE:
        answer_page(person)
    drop_emails()
    InboxItem.objects.all().delete()
    return Prepared(kind, person, act)


def copy_of(act: Any) -> Callable[[], object]:
    """Return the same call on copies of its records, and of its browser's cookies, which it may change."""
    values = [cell.cell_contents for cell in act.__closure__ or ()]
    copies_by_id: dict[int, Any] = {}
    for value in values:
        if isinstance(value, Client):  # a client cannot be copied as a whole
            copies_by_id[id(value)] = copy.copy(value)
            copies_by_id[id(value)].cookies = copy.deepcopy(value.cookies)
    copied_values = copy.deepcopy(values, copies_by_id)
    closure = tuple(map(CellType, copied_values))
    return FunctionType(act.__code__, act.__globals__, act.__name__, act.__defaults__, closure)


def cause_notice(prepared: Prepared, way: str) -> Received:
    """Choose a way for the group of a notice, cause the notice, and return what the person received.

    Everything is rolled back afterwards, so that the next way starts from the same state.
    """
    kind, person = prepared.kind, prepared.person
    with transaction.atomic():
        if person is not None and kind.group in CHOOSABLE:
            choose_ways(person=person, ways={kind.group: way}, author=person, now=timezone.now())
        mail.outbox.clear()
        copy_of(prepared.act)()
        deliver()
        sent_emails = Email.objects.filter(kind=kind.code, status="sent")
        sent_at_once = sent_emails.filter(person_id=person.pk) if person else sent_emails
        count_at_once = sent_at_once.count()
        items = list(InboxItem.objects.filter(person=person, kind=kind.code)) if person else []
        lines = [line_of(item, now=timezone.now()) for item in items if item.due_at is not None]
        mail.outbox.clear()
        due_times = [item.due_at for item in items if item.due_at is not None]  # some services look weeks ahead
        plan_round(now=max([timezone.now(), *due_times]) + dt.timedelta(days=5))
        deliver()
        to_person = [message for message in mail.outbox if person and message.to == [person.email]]
        digests = [message for message in to_person if "Since your last" in message.body]
        assert sent_at_once.count() == count_at_once, "The notice was sent again."
        received = Received(
            at_once=count_at_once,
            in_inbox=len(items),
            summaries=[
                (" ".join(digest.body.split()), " ".join(digest.alternatives[0][0].split())) for digest in digests
            ],
            sentences=[line.subject for line in lines if isinstance(line, SummaryLine)],
        )
        transaction.set_rollback(True)
    return received


@pytest.mark.parametrize("way", NoticeDelivery)
def test_page_keeps_and_shows_the_way_chosen_for_each_group(world: World, way: NoticeDelivery) -> None:
    shown_ways = choose_on_page(world.ben, **dict.fromkeys(CHOOSABLE, way))

    assert shown_ways == dict.fromkeys(CHOOSABLE, way)
    assert ways_of(world.ben) == dict.fromkeys(CHOOSABLE, way)


def test_every_group_of_notices_has_a_kind() -> None:
    assert {kind.group for kind in CHOSEN} == set(CHOOSABLE)
    assert len(KINDS) > 50


@pytest.mark.parametrize("kind", CHOSEN, ids=lambda kind: kind.code)
def test_what_is_sent_matches_the_choice(world: World, kind: EmailKind) -> None:
    prepared = prepare(world, kind)
    ways = (NoticeDelivery.AT_ONCE, NoticeDelivery.SUMMARY, NoticeDelivery.INBOX, NoticeDelivery.OFF)
    at_once, summary, inbox, off = (cause_notice(prepared, way) for way in ways)

    _, recipient_name = case_of(kind)
    if recipient_name == "sol":  # stakeholders have no inbox, and get each email
        assert [received.at_once for received in (at_once, summary, inbox, off)] == [1, 1, 1, 1]
        return
    assert at_once.at_once > 0
    assert at_once.in_inbox > 0
    assert at_once.summaries == []
    assert summary.at_once == 0
    assert summary.in_inbox == at_once.in_inbox
    [(text, html)] = summary.summaries
    assert summary.sentences
    assert all(sentence in text and escape(sentence) in html for sentence in summary.sentences)
    assert inbox.at_once == 0
    assert inbox.in_inbox == at_once.in_inbox
    assert inbox.summaries == []
    assert off.at_once == 0
    assert off.in_inbox == 0
    assert off.summaries == []


@pytest.mark.parametrize("kind", ALWAYS, ids=lambda kind: kind.code)
def test_what_cannot_be_turned_off_is_sent_and_the_page_says_why(world: World, kind: EmailKind) -> None:
    page = " ".join(signed_in(world.amina).get(reverse("digests:manage")).content.decode().split())
    assert kind.label in page
    assert kind.always in page

    prepared = prepare(world, kind)
    for way in (NoticeDelivery.SUMMARY, NoticeDelivery.INBOX, NoticeDelivery.OFF):
        received = cause_notice(prepared, way)

        assert received.at_once > 0, way
        assert received.summaries == [], way
