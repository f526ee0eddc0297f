"""Reminders of each kind are sent at the lead times that each person chose on the page of choices."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.agreements.models import Partnership, Party, PartyStatus
from partnerships.agreements.services import choose_date_reminders, remind_of_dates, remind_terms_signers
from partnerships.commitments.services import remind_owners
from partnerships.conversations.models import Report
from partnerships.conversations.services import remind_of_reports
from partnerships.exchange.models import Audience
from partnerships.exchange.services.notices import remind_of_closing
from partnerships.outbox.models import Email
from partnerships.people.lead_times import USUAL_LEAD_TIMES, choose_lead_times, chosen_lead_times, is_time_to_remind
from partnerships.people.models import ReminderKind, User
from partnerships.plans.services import remind_signatories
from tests.agreements.signing import propose_change
from tests.agreements.test_dates import sign_with_dates as agree_dates
from tests.commitments.promises import agree, in_days
from tests.conversations.reports import the_report
from tests.digests.test_choices_match_emails import PAGE
from tests.exchange.conftest import shared_entry
from tests.plans.test_signing import plan_awaiting_signatures
from tests.support.signing_in import signed_in
from tests.support.terms import agree_terms, put_up
from tests.world import World, make_world


@pytest.fixture
def world(db: None) -> World:
    """Return the small world, without the plan that other tests of digests have."""
    return make_world()


def noon(day: dt.date) -> dt.datetime:
    """Return noon of a day in the site's time zone."""
    return timezone.make_aware(dt.datetime.combine(day, dt.time(12)))


# Each of these creates a record with a deadline. It returns the code of the reminder, the deadline, the function that
# sends reminders, and the person who is reminded.


def commitment_due(world: World) -> tuple[str, dt.date, Callable[..., Any], User]:
    agree(world, due_on=in_days(30))
    return "commitments.reminder", in_days(30), remind_owners, world.eddie


def date_due(world: World) -> tuple[str, dt.date, Callable[..., Any], User]:
    agree_dates(world, starts=in_days(0), review=in_days(200), ends=in_days(30))
    choose_date_reminders(
        party=world.party(world.westmarch), days=[25], dates=["end"], author=world.ben, now=timezone.now()
    )
    return "agreements.dates_ahead", in_days(30), remind_of_dates, world.ben


def report_due(world: World) -> tuple[str, dt.date, Callable[..., Any], User]:
    return "conversations.report_due", the_report(world).due_on, remind_of_reports, world.ben


def signature_due(world: World) -> tuple[str, dt.date, Callable[..., Any], User]:
    plan_awaiting_signatures(world, due_on=in_days(30), now=timezone.now() - dt.timedelta(days=2))
    return "plans.sign_off_request", in_days(30), remind_signatories, world.ben


def terms_due(world: World) -> tuple[str, dt.date, Callable[..., Any], User]:
    agree_terms(world.partnership, world.amina)
    put_up(propose_change(world, world.amina, world.larkhaven, text="We meet twice."), world.amina, sign_by=in_days(30))
    return "agreements.terms_request", in_days(30), remind_terms_signers, world.ben


def ask_due(world: World) -> tuple[str, dt.date, Callable[..., Any], User]:
    shared_entry(
        world.larkhaven,
        world.amina,
        timezone.now() - dt.timedelta(days=2),
        audience=Audience.NAMED,
        addressees=[world.westmarch],
        closes_on=in_days(30),
    )
    return "exchange.closing_soon", in_days(30), remind_of_closing, world.ben


#: Each kind of reminder, its usual lead times (for dates: the days that the party chose), and a function from above.
KINDS = (
    (ReminderKind.COMMITMENTS, [14, 3, 0], commitment_due),
    (ReminderKind.DATES, [25], date_due),
    (ReminderKind.REPORTS, [5], report_due),
    (ReminderKind.SIGNATURES, [7, 0], signature_due),
    (ReminderKind.SIGNATURES, [7, 0], terms_due),
    (ReminderKind.ASKS, [7], ask_due),
)


def reminded_on(due: dt.date, remind: Callable[..., Any], code: str, person: User, days: range) -> list[int]:
    """Return how many days before `due` this person gets a reminder; the job runs twice a day."""
    lead_times = []
    emails = Email.objects.filter(kind=code, person_id=person.pk)
    for days_left in days:
        count_before = emails.count()
        for _ in range(2):
            remind(now=noon(due - dt.timedelta(days=days_left)))
        lead_times += [days_left] * (emails.count() - count_before)
    return lead_times


@pytest.mark.parametrize(("kind", "usual", "prepare"), KINDS, ids=lambda one: getattr(one, "__name__", None))
def test_reminders_come_on_the_days_that_each_person_chose(
    world: World, kind: ReminderKind, usual: list[int], prepare: Callable[..., Any]
) -> None:
    code, due, remind, person = prepare(world)
    other = next(candidate for candidate in (world.amina, world.ben) if candidate != person)
    choose_lead_times(person=other, days={kind: [26]}, now=timezone.now())
    choose_lead_times(person=person, days={kind: [20, 1]}, now=timezone.now())

    assert reminded_on(due, remind, code, person, range(28, -1, -1)) == [20, 1]


@pytest.mark.parametrize(("kind", "usual", "prepare"), KINDS, ids=lambda one: getattr(one, "__name__", None))
def test_reminders_come_as_before_for_those_who_chose_nothing(
    world: World, kind: ReminderKind, usual: list[int], prepare: Callable[..., Any]
) -> None:
    code, due, remind, person = prepare(world)
    other = next(candidate for candidate in (world.amina, world.ben) if candidate != person)
    choose_lead_times(person=other, days={kind: [26]}, now=timezone.now())

    assert reminded_on(due, remind, code, person, range(28, -1, -1)) == usual


@pytest.mark.parametrize(("kind", "usual", "prepare"), KINDS, ids=lambda one: getattr(one, "__name__", None))
def test_who_chose_no_days_gets_no_reminder_before_the_date(
    world: World, kind: ReminderKind, usual: list[int], prepare: Callable[..., Any]
) -> None:
    code, due, remind, person = prepare(world)
    choose_lead_times(person=person, days={kind: []}, now=timezone.now())

    assert reminded_on(due, remind, code, person, range(28, -1, -1)) == []


def test_followers_hear_five_days_before_that_a_report_is_due(world: World) -> None:
    report = the_report(world)
    choose_lead_times(person=world.ben, days={"reports": [14]}, now=timezone.now())

    due = Report.objects.to_write().filter(due_on=report.due_on).count()
    count_by_days_left = {}
    for days_left in (14, 13, 5, 4, 0):
        remind_of_reports(now=noon(report.due_on - dt.timedelta(days=days_left)))
        count_by_days_left[days_left] = Event.objects.filter(kind="report.due").count()

    assert due > 0
    assert count_by_days_left == {14: 0, 13: 0, 5: due, 4: due, 0: due}


def test_a_late_signature_is_reminded_of_weekly_whatever_was_chosen(world: World) -> None:
    code, due, remind, person = signature_due(world)
    choose_lead_times(person=person, days={"signatures": []}, now=timezone.now())

    assert reminded_on(due, remind, code, person, range(3, -17, -1)) == [-1, -8, -15]


#: Days that Ben chooses. A lead time has at most 90 days, and none is negative.
CHOSEN_DAYS = {"reports": [14, 400, -3], "asks": [], "dates": [60]}


def test_invalid_days_are_left_out_of_chosen_lead_times(world: World) -> None:
    choose_lead_times(person=world.ben, days=CHOSEN_DAYS, now=timezone.now())

    assert chosen_lead_times(world.ben) == {
        "commitments": list(USUAL_LEAD_TIMES["commitments"]),
        "dates": [60],
        "reports": [14],
        "signatures": list(USUAL_LEAD_TIMES["signatures"]),
        "asks": [],
    }


def test_only_lead_times_that_change_are_recorded(world: World) -> None:
    choose_lead_times(person=world.ben, days=CHOSEN_DAYS, now=timezone.now())

    choose_lead_times(person=world.ben, days={"dates": None, "reports": [14]}, now=timezone.now())

    assert chosen_lead_times(world.ben)["dates"] is None
    recorded_choices = [
        event.data["after"] for event in Event.objects.filter(kind="person.lead_times_chosen").order_by("pk")
    ]
    assert recorded_choices == [{"reports": [14], "asks": [], "dates": [60]}, {"dates": None}]


def test_days_and_never_are_not_chosen_together(world: World) -> None:
    client = signed_in(world.ben)

    response = client.post(reverse("digests:manage"), PAGE | {"lead_dates": ["30", "-1"]})

    assert response.status_code == 422
    assert "not both" in response.content.decode()
    assert chosen_lead_times(world.ben)["dates"] is None


def test_saving_the_page_keeps_days_that_it_does_not_offer(world: World) -> None:
    choose_lead_times(person=world.ben, days={"commitments": [45]}, now=timezone.now())
    client = signed_in(world.ben)
    form = client.get(reverse("digests:manage")).context["form"]
    initial_answers = {
        name: [str(day) for day in field.initial] for name, field in form.fields.items() if name in LEADS
    }

    response = client.post(reverse("digests:manage"), PAGE | initial_answers)

    assert response.status_code == 302
    assert chosen_lead_times(world.ben)["commitments"] == [45]


#: The names of the fields for lead times.
LEADS = {f"lead_{kind}" for kind in ReminderKind.values}


@pytest.mark.parametrize(
    ("last", "left", "expected"),
    [(None, 8, False), (None, 7, True), (None, 2, True), (7, 6, False), (7, 0, True), (0, 0, False), (None, -1, False)],
)
def test_a_time_to_remind_comes_once(last: int | None, left: int, expected: bool) -> None:
    day = dt.date(2027, 3, 10)

    is_time = is_time_to_remind(
        [7, 0],
        day,
        last_reminder=None if last is None else day - dt.timedelta(days=last),
        today=day - dt.timedelta(days=left),
    )

    assert is_time is expected


def test_page_of_choices_lists_partnerships_with_reminders_page_by_page(world: World) -> None:
    partnerships = Partnership.objects.bulk_create(
        Partnership(title=f"Scheme {number:02}", kind_id="charter", created_at=world.now, status_since=world.now)
        for number in range(30)
    )
    Party.objects.bulk_create(
        Party(partnership=partnership, organisation=world.larkhaven, status=PartyStatus.ACCEPTED, invited_at=world.now)
        for partnership in partnerships
    )
    client = signed_in(world.amina)
    page = reverse("digests:manage")

    first_page = client.get(page).content.decode()
    (next_query,) = re.findall(r'href="(\?after=\d+)" rel="next"', first_page)
    second_page = client.get(page + next_query).content.decode()

    titles_by_page = [set(re.findall(r"Scheme \d\d, for", html)) for html in (first_page, second_page)]
    assert titles_by_page[0] & titles_by_page[1] == set()
    assert len(titles_by_page[0] | titles_by_page[1]) == 30
    assert len(titles_by_page[0]) <= 25
