"""Frozen reports never change, show which figures were restated, and give scheduled emails their figures."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest
from django.db import InternalError, OperationalError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.activity.queries import timeline
from partnerships.agreements import services as agreements
from partnerships.organisations.models import Role
from partnerships.outbox.models import Email
from partnerships.people.models import User
from partnerships.reports import registry, services
from partnerships.reports.comparing import restatements
from partnerships.reports.models import FrozenReport, Schedule
from partnerships.reports.registry import find_report
from partnerships.reports.services import scheduling
from tests.organisations.handing_over import propose_and_accept_everything, record_merger, take_effect
from tests.reports.conftest import cells, figures_for
from tests.reports.test_homes_pipeline import LATER, NEXT, QUAY, SECRET, change, line, plan_with, site
from tests.support.crawling import forms_of
from tests.support.outbox import deliver, drop_emails, stop_address
from tests.support.pages import collapse
from tests.support.signing_in import signed_in
from tests.world import World, join, person


def freeze(world: World, *, audience: Any = None, query_string: str = "", **changes: Any) -> FrozenReport:
    """Freeze the homes pipeline for the Estuary Partnership."""
    return services.freeze_report(
        report="homes-pipeline",
        query_string=query_string,
        name="As reported to the board",
        reason="The board met.",
        audience=audience or world.partnership,
        author=changes.pop("author", world.amina),
        now=changes.pop("now", timezone.now()),
    )


def scheduled(world: World, **changes: Any) -> Schedule:
    """Schedule the homes pipeline every month for Vera and Ben; pass the details that differ."""
    author = changes.pop("author", world.amina)
    now = changes.pop("now", timezone.now())
    details: dict[str, Any] = {
        "report": "homes-pipeline",
        "query_string": "tenure=social_rent",
        "name": "Social rent",
        "every": "month",
        "first_on": timezone.localdate(),
        "people": [world.vera, world.ben],
        "audience": world.partnership,
    }
    return services.schedule_report(details=services.ScheduleDetails(**{**details, **changes}), author=author, now=now)


def test_a_frozen_report_stays_as_it_was_and_shows_each_restated_figure(world: World) -> None:
    plan = plan_with(world, QUAY)
    frozen = freeze(world, query_string="tenure=social_rent")
    change(plan, world, "quay", homes=[line(48)])

    frozen.refresh_from_db()
    page = signed_in(world.ben).get(reverse("reports:compare", args=[frozen.pk])).content.decode()
    today = figures_for(world.ben, "homes-pipeline", "tenure=social_rent")

    assert cells(frozen.snapshot, "year", "Today") == {NEXT: 60, "All homes": 60}
    restated = restatements(frozen.snapshot, today)
    figures = {
        (restatement.row, restatement.column): (restatement.was, restatement.now, restatement.difference)
        for restatement in restated
    }
    assert figures[NEXT, "Today"] == (60, 48, -12)
    # Figures that are computed from this column, and figures that are unchanged, are not listed.
    assert {column for _row, column in figures} == {"Today"}
    assert len([restatement for restatement in restated if restatement.row == "All homes"]) == 1
    assert "As reported to the board" in page
    assert "\u221212" in page


def test_a_comparison_says_what_was_not_kept_or_is_not_listed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_with(world, QUAY)
    with monkeypatch.context() as patched:
        patched.setattr("partnerships.reports.snapshot.MAX_KEPT_ROWS", 1)
        shortened = freeze(world)
    complete = freeze(world)
    client = signed_in(world.ben)

    def comparison_page(frozen: FrozenReport) -> str:
        return collapse(client.get(reverse("reports:compare", args=[frozen.pk])).content.decode())

    page_of_shortened = comparison_page(shortened)
    page_of_complete = comparison_page(complete)
    change(plan, world, "quay", homes=[line(48)])
    monkeypatch.setattr(import_module("partnerships.reports.views.frozen"), "MAX_PRINTED", 2)

    assert "In long tables, we compare only the rows that the frozen report has." in page_of_shortened
    assert "Every figure of the frozen report is the same today." in page_of_shortened
    assert "only the rows" not in page_of_complete
    assert "Every figure is the same today." in page_of_complete
    assert "more figures are different." in comparison_page(complete)


def test_the_database_refuses_to_change_or_delete_a_frozen_report(world: World) -> None:
    frozen = freeze(world)

    for attempt in (
        lambda: FrozenReport.objects.filter(pk=frozen.pk).update(content={}),
        lambda: FrozenReport.objects.filter(pk=frozen.pk).update(name="Another"),
        lambda: FrozenReport.objects.filter(pk=frozen.pk).delete(),
    ):
        with pytest.raises(InternalError, match="Cannot"), transaction.atomic():
            attempt()


def test_a_frozen_report_counts_only_what_its_whole_audience_may_read(world: World) -> None:
    plan_with(world, QUAY, SECRET)
    plan_with(world, site("own", line(5)), title="Own", audience="owners")

    for_parties = freeze(world)
    for_own = freeze(world, audience=world.larkhaven)

    assert cells(for_parties.snapshot, "year", "Today")["All homes"] == 110
    assert cells(for_own.snapshot, "year", "Today")["All homes"] == 115
    assert "every organisation in Estuary Partnership" in for_parties.snapshot.made_for
    assert FrozenReport.objects.visible_to(world.ben).get() == for_parties
    assert not FrozenReport.objects.visible_to(world.chidi).exists()


def test_leavers_can_read_reports_frozen_before_but_not_compare_them(world: World) -> None:
    before = freeze(world)
    agreements.leave_partnership(
        party=world.party(world.westmarch), reason="Reorganised.", author=world.ben, now=timezone.now()
    )
    after = freeze(world, now=timezone.now() + dt.timedelta(minutes=1))

    client = signed_in(world.ben)

    assert client.get(before.get_absolute_url()).status_code == 200
    assert client.get(after.get_absolute_url()).status_code == 404
    assert client.get(reverse("reports:compare", args=[before.pk])).status_code == 404


def test_a_party_that_joins_later_cannot_read_earlier_frozen_reports(world: World) -> None:
    before = freeze(world)
    now = timezone.now()
    party = agreements.invite_organisation(
        partnership=world.partnership,
        organisation=world.tidewater,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=now,
    )
    agreements.answer_invitation(party=party, accept=True, reason="", author=world.chidi, now=now)
    after = freeze(world, now=now + dt.timedelta(minutes=1))

    client = signed_in(world.chidi)

    assert client.get(before.get_absolute_url()).status_code == 404
    assert client.get(reverse("reports:compare", args=[before.pk])).status_code == 404
    assert client.get(after.get_absolute_url()).status_code == 200
    assert set(FrozenReport.objects.visible_to(world.ben)) == {before, after}


def test_the_page_of_a_partnership_leads_to_its_reports_and_frozen_ones(world: World) -> None:
    frozen = freeze(world)
    address = world.partnership.get_absolute_url()

    page = signed_in(world.ben).get(address).content.decode()

    assert f"{reverse('reports:report', args=['board-pack'])}?partnership={world.partnership.pk}" in page
    assert frozen.get_absolute_url() in page


def test_a_scheduled_report_is_frozen_and_each_recipient_gets_its_figures(world: World) -> None:
    plan = plan_with(world, QUAY)
    now = timezone.now()
    schedule = scheduled(world)
    drop_emails()

    assert services.send_due_reports(now=now) == 1
    assert services.send_due_reports(now=now) == 0
    change(plan, world, "quay", homes=[line(48)])
    sent = [email for email in deliver() if email.subject.startswith("Scheduled report: Social rent, ")]

    frozen = FrozenReport.objects.get()
    assert sorted(email.to[0] for email in sent) == sorted([world.vera.email, world.ben.email])
    assert [frozen.get_absolute_url() in email.body and "60 homes complete" in email.body for email in sent] == [
        True,
        True,
    ]
    assert "48 homes" not in str([email.body for email in sent])
    schedule.refresh_from_db()
    assert schedule.next_on > timezone.localdate(now) + dt.timedelta(days=27)


def test_one_click_on_a_scheduled_report_stops_only_that_one_and_can_be_undone(world: World) -> None:
    schedule = scheduled(world)
    other = scheduled(world, report="contact", query_string="", name="Contact")
    drop_emails()
    services.send_due_reports(now=timezone.now())
    emails_to_ben = [email for email in deliver() if email.to == [world.ben.email]]
    stop_link = next(
        stop_address(email) for email in emails_to_ben if email.subject.startswith("Scheduled report: Social rent, ")
    )

    stopped = Client().post(stop_link, {"List-Unsubscribe": "One-Click"})

    assert "the report “Social rent”" in stopped.content.decode()
    assert [recipient.person for recipient in schedule.recipients.all()] == [world.vera]
    assert other.recipients.filter(person=world.ben).exists()
    [undo] = [form for form in forms_of(stopped.content) if "undo" in form.fields]
    Client().post(stop_link, undo.fields)
    assert schedule.recipients.filter(person=world.ben).exists()


def test_scheduled_report_does_not_resume_for_people_who_lost_access_and_came_back(world: World) -> None:
    schedule = scheduled(world)
    drop_emails()
    services.send_due_reports(now=timezone.now())
    agreements.leave_partnership(
        party=world.party(world.westmarch), reason="Reorganised.", author=world.ben, now=timezone.now()
    )
    sent = [email.to[0] for email in deliver() if email.subject.startswith("Scheduled report: Social rent, ")]

    assert sent == [world.vera.email]
    later = timezone.now() + dt.timedelta(days=40)
    services.send_due_reports(now=later)
    assert Email.objects.filter(kind="reports.scheduled", person_id=world.ben.pk).count() == 1
    assert [recipient.person for recipient in schedule.recipients.all()] == [world.vera]


def test_frozen_and_scheduled_reports_pass_to_a_successor_on_the_day(world: World) -> None:
    plan_with(world, QUAY)
    frozen = freeze(world, audience=world.westmarch, author=world.ben)
    schedule = scheduled(world, audience=world.westmarch, people=[world.ben], author=world.ben)
    succession = record_merger(world)

    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    before = signed_in(world.hana).get(frozen.get_absolute_url()).status_code
    take_effect(succession)

    assert before == 404
    assert signed_in(world.hana).get(frozen.get_absolute_url()).status_code == 200
    assert signed_in(world.hana).get(schedule.get_absolute_url()).status_code == 200
    frozen.refresh_from_db()
    assert cells(frozen.snapshot, "year", "Today") == {NEXT: 60, LATER: 20, "All homes": 80}


def test_the_author_of_a_schedule_gets_an_email_when_its_filters_become_invalid(world: World) -> None:
    query_string = f"partnership={world.partnership.pk}"
    details = {"audience": world.westmarch, "people": [world.ben], "query_string": query_string}
    schedule = scheduled(world, author=world.ben, **details)
    agreements.leave_partnership(
        party=world.party(world.westmarch), reason="Reorganised.", author=world.ben, now=timezone.now()
    )
    drop_emails()

    assert services.send_due_reports(now=timezone.now()) == 0
    [sent] = deliver()

    assert sent.to == [world.ben.email]
    assert sent.subject == "We could not make the scheduled report “Social rent”"
    assert schedule.get_absolute_url() in sent.body
    assert not FrozenReport.objects.exists()


def test_a_report_that_always_fails_is_tried_three_times_then_emails_its_author(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = scheduled(world)
    other = scheduled(world, report="contact", query_string="", name="Contact")
    drop_emails()
    pipeline = find_report("homes-pipeline")
    assert pipeline is not None

    def fail(_asked: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setitem(registry._reports, "homes-pipeline", replace(pipeline, compute=fail))
    alerts: list[str] = []
    monkeypatch.setattr(scheduling, "alert_operators", lambda subject, _text: alerts.append(subject))

    frozen_counts = [services.send_due_reports(now=timezone.now()) for _ in range(5)]
    sent = [email for email in deliver() if "could not make" in email.subject]

    failing.refresh_from_db()
    assert frozen_counts == [1, 0, 0, 0, 0]
    assert [email.to for email in sent] == [[world.amina.email]]
    assert "could not calculate the figures" in sent[0].body
    assert alerts == [f"Scheduled report {failing.pk} cannot be made"]
    assert failing.failures == 0
    assert failing.next_on > timezone.localdate()
    assert [frozen.report for frozen in FrozenReport.objects.all()] == [other.report]


def test_an_outage_of_the_database_does_not_count_as_a_failure_of_the_report(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = scheduled(world)

    def fail(*_args: Any, **_more: Any) -> Any:
        raise OperationalError

    monkeypatch.setattr(scheduling, "freeze_report", fail)

    for _ in range(4):
        services.send_due_reports(now=timezone.now())

    schedule.refresh_from_db()
    assert schedule.failures == 0
    assert schedule.next_on == timezone.localdate()


def test_only_readers_see_the_events_of_freezing_and_scheduling(world: World) -> None:
    own = scheduled(world, audience=world.larkhaven, people=[world.vera])
    services.send_due_reports(now=timezone.now())
    services.end_schedule(schedule=own, author=world.eddie, now=timezone.now())
    services.end_schedule(schedule=own, author=world.amina, now=timezone.now())
    freeze(world, author=world.ben)

    def seen(person: User, kind: str, record: int) -> list[tuple[str, int | None, int | None]]:
        events = timeline(user=person, kind=kind, record_id=record).filter(kind__startswith="report.")
        return list(events.values_list("kind", "actor_id", "organisation_id"))

    within, larkhaven = ("organisation", world.larkhaven.pk), world.larkhaven.pk
    assert seen(world.vera, *within) == [
        ("report.schedule_ended", world.eddie.pk, larkhaven),
        ("report.frozen", None, larkhaven),
        ("report.scheduled", world.amina.pk, larkhaven),
    ]
    assert seen(world.ben, *within) == []
    assert seen(world.vera, "partnership", world.partnership.pk) == [
        ("report.frozen", world.ben.pk, world.westmarch.pk)
    ]
    assert Event.objects.get(actor_id=world.ben.pk, kind="report.frozen").data["reason"] == "The board met."


def test_a_schedule_accepts_only_people_of_its_audience_and_future_days(world: World) -> None:
    stranger = {"people": [world.chidi]}
    past = {"first_on": timezone.localdate() - dt.timedelta(days=1)}
    private = {"query_string": f"area={world.fareham.pk}&year=nonsense"}
    unreadable = {"report": "board-pack", "query_string": f"partnership={world.other_partnership.pk}"}

    for wrong_details in (stranger, past, private, unreadable, {"people": []}, {"name": " "}, {"every": "hour"}):
        with pytest.raises(services.UnableToSchedule):
            scheduled(world, **wrong_details)
    with pytest.raises(services.UnableToFreeze, match="Not everyone"):
        services.freeze_report(
            **unreadable,
            name="March",
            reason="It met.",
            audience=world.larkhaven,
            author=world.amina,
            now=timezone.now(),
        )
    assert not Schedule.objects.exists()


@pytest.mark.parametrize(
    ("every", "first", "then"),
    [
        ("week", dt.date(2051, 1, 29), [dt.date(2051, 2, 5), dt.date(2051, 2, 12)]),
        ("month", dt.date(2051, 1, 31), [dt.date(2051, 2, 28), dt.date(2051, 3, 31)]),
        ("quarter", dt.date(2050, 11, 30), [dt.date(2051, 2, 28), dt.date(2051, 5, 30)]),
    ],
)
def test_a_schedule_stays_on_its_day_and_sends_missed_reports_once(
    world: World, every: str, first: dt.date, then: list[dt.date]
) -> None:
    def at(day: dt.date) -> dt.datetime:
        return timezone.make_aware(dt.datetime.combine(day, dt.time(9)))

    schedule = scheduled(world, every=every, first_on=first, now=at(first))

    for day, following in zip([first, then[0]], then, strict=True):
        assert services.send_due_reports(now=at(day)) == 1
        schedule.refresh_from_db()
        assert schedule.next_on == following
    assert services.send_due_reports(now=at(then[1] + dt.timedelta(days=400))) == 1
    assert FrozenReport.objects.count() == 3


@pytest.fixture
def wendy(world: World) -> User:
    """Return a viewer of Westmarch, which is in the partnership but not in Larkhaven."""
    viewer = person("Wendy West", "wendy@westmarch.example")
    join(viewer, world.westmarch, Role.VIEWER, world.now)
    return viewer


def schedule_on_page(world: World, receiver: User) -> Any:
    """Schedule a monthly report of Larkhaven on its page; return the response."""
    return signed_in(world.amina).post(
        reverse("reports:set-up", args=["homes-pipeline"]) + "?tenure=social_rent",
        {
            "name": "Monthly",
            "every": "month",
            "first_on": (timezone.localdate() + dt.timedelta(days=3)).isoformat(),
            "body": f"organisation-{world.larkhaven.pk}",
            "people": [receiver.pk],
        },
    )


def test_a_report_is_frozen_on_its_page_for_the_people_of_a_partnership(world: World, wendy: User) -> None:
    plan_with(world, QUAY)

    response = signed_in(world.amina).post(
        reverse("reports:freeze", args=["homes-pipeline"]) + "?tenure=social_rent",
        {"name": "March board", "reason": "It met.", "body": f"partnership-{world.partnership.pk}"},
    )

    frozen_report = FrozenReport.objects.get()
    assert response.url == frozen_report.get_absolute_url()
    assert frozen_report.question == "tenure=social_rent"
    assert "March board" in signed_in(wendy).get(reverse("reports:frozen-list")).content.decode()


def test_a_report_is_scheduled_on_its_page_for_the_people_of_an_organisation(world: World, wendy: User) -> None:
    response = schedule_on_page(world, world.vera)

    schedule = Schedule.objects.get()
    assert response.url == schedule.get_absolute_url()
    assert signed_in(wendy).get(schedule.get_absolute_url()).status_code == 404


def test_a_report_of_an_organisation_cannot_be_scheduled_for_somebody_else(world: World) -> None:
    assert schedule_on_page(world, world.ben).status_code == 422


def test_people_stop_and_receive_a_scheduled_report_on_its_page(world: World) -> None:
    schedule_on_page(world, world.vera)
    schedule = Schedule.objects.get()

    signed_in(world.vera).post(reverse("reports:stop", args=[schedule.pk]))
    signed_in(world.eddie).post(reverse("reports:receive", args=[schedule.pk]))

    assert [recipient.person for recipient in schedule.recipients.all()] == [world.eddie]


def test_a_scheduled_report_that_was_ended_on_its_page_is_not_sent(world: World) -> None:
    schedule_on_page(world, world.vera)

    signed_in(world.amina).post(reverse("reports:end", args=[Schedule.objects.get().pk]))

    assert services.send_due_reports(now=timezone.now() + dt.timedelta(days=90)) == 0
