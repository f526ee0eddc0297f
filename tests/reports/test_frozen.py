"""Frozen reports never change, show which figures were restated, and give scheduled emails their figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any, NamedTuple

import pytest
from django.db import InternalError, OperationalError, transaction
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.activity.queries import timeline
from partnerships.agreements import services as agreements
from partnerships.organisations.models import Role, Succession
from partnerships.outbox.models import Email
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.reports import registry, services
from partnerships.reports.comparing import restatements
from partnerships.reports.models import FrozenReport, Schedule
from partnerships.reports.registry import ReportContext, find_report
from partnerships.reports.services import scheduling
from partnerships.reports.snapshot import Snapshot
from tests.organisations.handing_over import propose_and_accept_everything, record_merger, take_effect
from tests.reports.conftest import cells, figures_for
from tests.reports.test_homes_pipeline import LATER, NEXT, QUAY, SECRET, change, line, plan_with, site
from tests.support.crawling import forms_of
from tests.support.outbox import deliver, drop_emails, stop_address
from tests.support.pages import collapse
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.world import World, join, person

#: The fields that a mail program posts when its reader clicks “unsubscribe” (RFC 8058).
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


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


class RestatedReport(NamedTuple):
    """A plan whose homes for social rent changed from 60 to 48 after a report on them was frozen."""

    plan: Plan
    frozen_report: FrozenReport


@pytest.fixture
def restated_report(world: World) -> RestatedReport:
    """Freeze a report on 60 homes for social rent, and then publish 48."""
    plan = plan_with(world, QUAY)
    frozen_report = freeze(world, query_string="tenure=social_rent")
    change(plan, world, "quay", homes=[line(48)])
    return RestatedReport(plan, frozen_report)


def test_a_frozen_report_keeps_its_figures(restated_report: RestatedReport) -> None:
    frozen_report = FrozenReport.objects.get(pk=restated_report.frozen_report.pk)

    assert cells(frozen_report.snapshot, "year", "Today") == {NEXT: 60, "All homes": 60}


def test_restatements_are_the_figures_that_differ_today(world: World, restated_report: RestatedReport) -> None:
    snapshot_today = figures_for(world.ben, "homes-pipeline", "tenure=social_rent")

    restated_figures = restatements(restated_report.frozen_report.snapshot, snapshot_today)

    [restated_year] = [figure for figure in restated_figures if figure.row == NEXT]
    assert (restated_year.column, restated_year.was, restated_year.now) == ("Today", 60, 48)
    assert restated_year.difference == -12
    # Figures that are computed from this column, and figures that are unchanged, are not listed.
    assert {figure.column for figure in restated_figures} == {"Today"}
    assert len([figure for figure in restated_figures if figure.row == "All homes"]) == 1


def test_the_comparison_shows_each_restated_figure(world: World, restated_report: RestatedReport) -> None:
    response = signed_in(world.ben).get(reverse("reports:compare", args=[restated_report.frozen_report.pk]))

    assert "As reported to the board" in response.content.decode()
    assert "\N{MINUS SIGN}12" in response.content.decode()


def text_of_comparison(person: User, frozen_report: FrozenReport) -> str:
    """Return the page that compares a frozen report with today, with single spaces."""
    response = signed_in(person).get(reverse("reports:compare", args=[frozen_report.pk]))
    return collapse(response.content.decode())


def test_a_comparison_says_that_rows_were_left_out_of_the_frozen_report(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_with(world, QUAY)
    with monkeypatch.context() as patched:
        patched.setattr("partnerships.reports.snapshot.MAX_KEPT_ROWS", 1)
        shortened_report = freeze(world)

    text = text_of_comparison(world.ben, shortened_report)

    assert "In long tables, we compare only the rows that the frozen report has." in text
    assert "Every figure of the frozen report is the same today." in text


def test_a_comparison_says_that_every_figure_of_a_complete_report_is_the_same(world: World) -> None:
    plan_with(world, QUAY)
    complete_report = freeze(world)

    text = text_of_comparison(world.ben, complete_report)

    assert "Every figure is the same today." in text
    assert "only the rows that the frozen report has" not in text


def test_a_comparison_says_that_more_figures_are_different_than_it_lists(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_with(world, QUAY)
    complete_report = freeze(world)
    change(plan, world, "quay", homes=[line(48)])
    monkeypatch.setattr(import_module("partnerships.reports.views.frozen"), "MAX_PRINTED", 2)

    text = text_of_comparison(world.ben, complete_report)

    assert "more figures are different." in text


@pytest.mark.parametrize(
    "attempt",
    [
        pytest.param(lambda reports: reports.update(content={}), id="change figures"),
        pytest.param(lambda reports: reports.update(name="Another"), id="rename"),
        pytest.param(lambda reports: reports.delete(), id="delete"),
    ],
)
def test_the_database_refuses_to_change_or_delete_a_frozen_report(
    world: World, attempt: Callable[[QuerySet[FrozenReport]], object]
) -> None:
    frozen_reports = FrozenReport.objects.filter(pk=freeze(world).pk)

    with pytest.raises(InternalError, match="Cannot"), transaction.atomic():
        attempt(frozen_reports)


@pytest.fixture
def homes_for_two_audiences(world: World) -> None:
    """Publish 110 homes for the partnership and 5 for Larkhaven alone."""
    plan_with(world, QUAY, SECRET)
    plan_with(world, site("own", line(5)), title="Own", audience="owners")


@pytest.mark.usefixtures("homes_for_two_audiences")
def test_a_report_frozen_for_a_partnership_has_what_each_party_may_read(world: World) -> None:
    frozen_report = freeze(world)

    assert cells(frozen_report.snapshot, "year", "Today")["All homes"] == 110
    assert "every organisation in Estuary Partnership" in frozen_report.snapshot.made_for


@pytest.mark.usefixtures("homes_for_two_audiences")
def test_a_report_frozen_for_an_organisation_has_its_own_plans_too(world: World) -> None:
    frozen_report = freeze(world, audience=world.larkhaven)

    assert cells(frozen_report.snapshot, "year", "Today")["All homes"] == 115


def test_only_the_audience_of_a_frozen_report_may_read_it(world: World) -> None:
    report_of_partnership = freeze(world)
    freeze(world, audience=world.larkhaven)

    assert FrozenReport.objects.visible_to(world.ben).get() == report_of_partnership
    assert not FrozenReport.objects.visible_to(world.chidi).exists()


class ReportsAroundChange(NamedTuple):
    """A report frozen before the parties of the partnership changed, and one frozen after that."""

    earlier_report: FrozenReport
    later_report: FrozenReport


@pytest.fixture
def reports_around_leaving(world: World) -> ReportsAroundChange:
    """Freeze a report before Westmarch left the partnership and one after."""
    earlier_report = freeze(world)
    now = timezone.now()
    agreements.leave_partnership(party=world.party(world.westmarch), reason="Reorganised.", author=world.ben, now=now)
    return ReportsAroundChange(earlier_report, freeze(world, now=now + dt.timedelta(minutes=1)))


def test_leavers_can_read_only_reports_frozen_before(world: World, reports_around_leaving: ReportsAroundChange) -> None:
    readable_reports = FrozenReport.objects.visible_to(world.ben)

    assert set(readable_reports) == {reports_around_leaving.earlier_report}


def test_leavers_can_open_a_report_frozen_before(world: World, reports_around_leaving: ReportsAroundChange) -> None:
    response = signed_in(world.ben).get(reports_around_leaving.earlier_report.get_absolute_url())

    assert response.status_code == 200


def test_leavers_cannot_open_a_report_frozen_later(world: World, reports_around_leaving: ReportsAroundChange) -> None:
    response = signed_in(world.ben).get(reports_around_leaving.later_report.get_absolute_url())

    assert response.status_code == 404


def test_leavers_cannot_compare_reports_frozen_before(
    world: World, reports_around_leaving: ReportsAroundChange
) -> None:
    compare_url = reverse("reports:compare", args=[reports_around_leaving.earlier_report.pk])

    response = signed_in(world.ben).get(compare_url)

    assert response.status_code == 404


@pytest.fixture
def reports_around_joining(world: World) -> ReportsAroundChange:
    """Freeze a report before Tidewater joined the partnership and one after."""
    earlier_report = freeze(world)
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
    return ReportsAroundChange(earlier_report, freeze(world, now=now + dt.timedelta(minutes=1)))


def test_a_party_that_joins_can_open_a_report_frozen_later(
    world: World, reports_around_joining: ReportsAroundChange
) -> None:
    response = signed_in(world.chidi).get(reports_around_joining.later_report.get_absolute_url())

    assert response.status_code == 200


def test_a_party_that_joins_cannot_open_a_report_frozen_before(
    world: World, reports_around_joining: ReportsAroundChange
) -> None:
    response = signed_in(world.chidi).get(reports_around_joining.earlier_report.get_absolute_url())

    assert response.status_code == 404


def test_a_party_that_joins_cannot_compare_a_report_frozen_before(
    world: World, reports_around_joining: ReportsAroundChange
) -> None:
    compare_url = reverse("reports:compare", args=[reports_around_joining.earlier_report.pk])

    response = signed_in(world.chidi).get(compare_url)

    assert response.status_code == 404


def test_a_party_that_was_there_can_read_reports_frozen_later_too(
    world: World, reports_around_joining: ReportsAroundChange
) -> None:
    assert set(FrozenReport.objects.visible_to(world.ben)) == set(reports_around_joining)


def test_the_page_of_a_partnership_leads_to_its_reports_and_frozen_ones(world: World) -> None:
    frozen = freeze(world)
    address = world.partnership.get_absolute_url()

    response = signed_in(world.ben).get(address)

    html = response.content.decode()
    assert f"{reverse('reports:report', args=['board-pack'])}?partnership={world.partnership.pk}" in html
    assert frozen.get_absolute_url() in html


def emails_about_social_rent() -> list[Any]:
    """Send what waits in the outbox, and return the emails about the scheduled report on social rent."""
    return [email for email in deliver() if email.subject.startswith("Scheduled report: Social rent, ")]


def test_a_report_that_was_sent_is_next_due_in_a_month(world: World) -> None:
    schedule = scheduled(world)
    now = timezone.now()

    sent_count = services.send_due_reports(now=now)

    schedule.refresh_from_db()
    assert sent_count == 1
    # The shortest month has 28 days.
    assert schedule.next_on > timezone.localdate(now) + dt.timedelta(days=27)


def test_a_due_report_is_sent_once(world: World) -> None:
    scheduled(world)
    now = timezone.now()
    services.send_due_reports(now=now)

    sent_count_of_second_run = services.send_due_reports(now=now)

    assert sent_count_of_second_run == 0


def test_each_recipient_gets_the_figures_of_the_frozen_report(world: World) -> None:
    plan = plan_with(world, QUAY)
    scheduled(world)
    drop_emails()
    services.send_due_reports(now=timezone.now())
    change(plan, world, "quay", homes=[line(48)])

    emails = emails_about_social_rent()

    frozen_report = FrozenReport.objects.get()
    assert sorted(email.to[0] for email in emails) == sorted([world.vera.email, world.ben.email])
    for email in emails:
        assert frozen_report.get_absolute_url() in email.body
        assert "60 homes will be completed" in email.body
        assert "48 homes" not in email.body


class StopLink(NamedTuple):
    """The link with which Ben stops one of two scheduled reports that he gets."""

    url: str
    schedule: Schedule
    other_schedule: Schedule


@pytest.fixture
def stop_link(world: World) -> StopLink:
    """Return the link in the email to Ben about social rent."""
    schedule = scheduled(world)
    other_schedule = scheduled(world, report="contact", query_string="", name="Contact")
    drop_emails()
    services.send_due_reports(now=timezone.now())
    [email_to_ben] = [email for email in emails_about_social_rent() if email.to == [world.ben.email]]
    return StopLink(stop_address(email_to_ben), schedule, other_schedule)


def test_one_click_on_a_scheduled_report_stops_only_that_one(world: World, stop_link: StopLink) -> None:
    response = Client().post(stop_link.url, ONE_CLICK)

    assert "the report “Social rent”" in response.content.decode()
    assert [recipient.person for recipient in stop_link.schedule.recipients.all()] == [world.vera]
    assert stop_link.other_schedule.recipients.filter(person=world.ben).exists()


def test_the_page_after_one_click_can_undo_it(world: World, stop_link: StopLink) -> None:
    stop_page = Client().post(stop_link.url, ONE_CLICK)
    [undo_form] = [form for form in forms_of(stop_page.content) if "undo" in form.fields]

    Client().post(stop_link.url, undo_form.fields)

    assert stop_link.schedule.recipients.filter(person=world.ben).exists()


@pytest.fixture
def schedule_of_leaver(world: World) -> Schedule:
    """Return a schedule whose first report was recorded for Ben just before his council left the partnership."""
    schedule = scheduled(world)
    drop_emails()
    services.send_due_reports(now=timezone.now())
    leave_partnership_as_westmarch(world)
    return schedule


def test_a_recorded_report_is_not_sent_to_a_leaver(world: World, schedule_of_leaver: Schedule) -> None:
    emails = emails_about_social_rent()

    assert [email.to for email in emails] == [[world.vera.email]]


def test_the_next_report_has_no_leaver_among_its_recipients(world: World, schedule_of_leaver: Schedule) -> None:
    services.send_due_reports(now=timezone.now() + dt.timedelta(days=40))

    assert Email.objects.filter(kind="reports.scheduled", person_id=world.ben.pk).count() == 1
    assert [recipient.person for recipient in schedule_of_leaver.recipients.all()] == [world.vera]


class ReportsOfMergedCouncil(NamedTuple):
    """A frozen report and a schedule of Westmarch, and the merger in which Harbour takes them over."""

    frozen_report: FrozenReport
    schedule: Schedule
    merger: Succession


@pytest.fixture
def reports_of_merged_council(world: World) -> ReportsOfMergedCouncil:
    """Freeze and schedule reports of Westmarch, and accept that they pass to Harbour."""
    plan_with(world, QUAY)
    frozen_report = freeze(world, audience=world.westmarch, author=world.ben)
    schedule = scheduled(world, audience=world.westmarch, people=[world.ben], author=world.ben)
    merger = record_merger(world)
    propose_and_accept_everything(merger, world.westmarch, world.harbour)
    return ReportsOfMergedCouncil(frozen_report, schedule, merger)


def test_a_successor_cannot_open_a_report_before_the_day(
    world: World, reports_of_merged_council: ReportsOfMergedCouncil
) -> None:
    response = signed_in(world.hana).get(reports_of_merged_council.frozen_report.get_absolute_url())

    assert response.status_code == 404


def test_a_frozen_report_passes_to_a_successor_on_the_day(
    world: World, reports_of_merged_council: ReportsOfMergedCouncil
) -> None:
    take_effect(reports_of_merged_council.merger)

    response = signed_in(world.hana).get(reports_of_merged_council.frozen_report.get_absolute_url())

    assert response.status_code == 200


def test_a_scheduled_report_passes_to_a_successor_on_the_day(
    world: World, reports_of_merged_council: ReportsOfMergedCouncil
) -> None:
    take_effect(reports_of_merged_council.merger)

    response = signed_in(world.hana).get(reports_of_merged_council.schedule.get_absolute_url())

    assert response.status_code == 200


def test_a_frozen_report_has_the_same_figures_for_a_successor(
    reports_of_merged_council: ReportsOfMergedCouncil,
) -> None:
    take_effect(reports_of_merged_council.merger)

    frozen_report = FrozenReport.objects.get()
    assert cells(frozen_report.snapshot, "year", "Today") == {NEXT: 60, LATER: 20, "All homes": 80}


def test_the_author_of_a_schedule_gets_an_email_when_its_filters_become_invalid(world: World) -> None:
    query_string = f"partnership={world.partnership.pk}"
    details = {"audience": world.westmarch, "people": [world.ben], "query_string": query_string}
    schedule = scheduled(world, author=world.ben, **details)
    leave_partnership_as_westmarch(world)
    drop_emails()

    sent_count = services.send_due_reports(now=timezone.now())

    assert sent_count == 0
    assert not FrozenReport.objects.exists()
    [email] = deliver()
    assert email.to == [world.ben.email]
    assert email.subject == "We could not make the scheduled report “Social rent”"
    assert schedule.get_absolute_url() in email.body


class FailingSchedule(NamedTuple):
    """A schedule whose report always fails, another schedule, and the subjects of alerts to operators."""

    schedule: Schedule
    other_schedule: Schedule
    alerts: list[str]


@pytest.fixture
def failing_schedule(world: World, monkeypatch: pytest.MonkeyPatch) -> FailingSchedule:
    """Schedule two reports, and let the figures of the first fail."""
    schedule = scheduled(world)
    other_schedule = scheduled(world, report="contact", query_string="", name="Contact")
    drop_emails()
    pipeline_report = find_report("homes-pipeline")
    assert pipeline_report is not None

    def fail(_context: ReportContext) -> Snapshot:
        raise ZeroDivisionError

    monkeypatch.setitem(registry._reports, "homes-pipeline", replace(pipeline_report, compute=fail))
    alerts: list[str] = []
    monkeypatch.setattr(scheduling, "alert_operators", lambda subject, _text: alerts.append(subject))
    return FailingSchedule(schedule, other_schedule, alerts)


def test_other_reports_are_sent_once_while_one_fails(failing_schedule: FailingSchedule) -> None:
    sent_counts = [services.send_due_reports(now=timezone.now()) for _ in range(5)]

    assert sent_counts == [1, 0, 0, 0, 0]
    assert [frozen.report for frozen in FrozenReport.objects.all()] == [failing_schedule.other_schedule.report]


def test_a_report_that_failed_three_times_is_due_again_on_a_later_day(failing_schedule: FailingSchedule) -> None:
    for _ in range(5):
        services.send_due_reports(now=timezone.now())

    schedule = Schedule.objects.get(pk=failing_schedule.schedule.pk)
    assert schedule.failures == 0
    assert schedule.next_on > timezone.localdate()


def test_a_report_that_failed_three_times_is_reported_once(world: World, failing_schedule: FailingSchedule) -> None:
    for _ in range(5):
        services.send_due_reports(now=timezone.now())

    [email] = [email for email in deliver() if "could not make" in email.subject]
    assert email.to == [world.amina.email]
    assert "could not calculate the figures" in email.body
    assert failing_schedule.alerts == [f"Scheduled report {failing_schedule.schedule.pk} cannot be made"]


def test_an_outage_of_the_database_does_not_count_as_a_failure_of_the_report(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = scheduled(world)

    def fail(**_arguments: object) -> FrozenReport:
        raise OperationalError

    monkeypatch.setattr(scheduling, "freeze_report", fail)

    for _ in range(4):
        services.send_due_reports(now=timezone.now())

    schedule.refresh_from_db()
    assert schedule.failures == 0
    assert schedule.next_on == timezone.localdate()


def reports_in_timeline(reader: User, kind: str, record_id: int) -> list[tuple[str, int | None, int | None]]:
    """Return the events of reports that the reader sees, with their actor and their organisation, newest first."""
    events = timeline(user=reader, kind=kind, record_id=record_id).filter(kind__startswith="report.")
    return list(events.values_list("kind", "actor_id", "organisation_id"))


@pytest.fixture
def ended_schedule(world: World) -> Schedule:
    """Return a schedule of Larkhaven that sent one report, and that two people have ended, first Eddie."""
    schedule = scheduled(world, audience=world.larkhaven, people=[world.vera])
    services.send_due_reports(now=timezone.now())
    services.end_schedule(schedule=schedule, author=world.eddie, now=timezone.now())
    services.end_schedule(schedule=schedule, author=world.amina, now=timezone.now())
    return schedule


def test_colleagues_see_the_events_of_a_schedule(world: World, ended_schedule: Schedule) -> None:
    larkhaven_id = world.larkhaven.pk

    assert reports_in_timeline(world.vera, "organisation", larkhaven_id) == [
        ("report.schedule_ended", world.eddie.pk, larkhaven_id),
        ("report.frozen", None, larkhaven_id),
        ("report.scheduled", world.amina.pk, larkhaven_id),
    ]


def test_other_organisations_do_not_see_the_events_of_a_schedule(world: World, ended_schedule: Schedule) -> None:
    assert reports_in_timeline(world.ben, "organisation", world.larkhaven.pk) == []


def test_parties_see_who_froze_a_report_for_their_partnership(world: World) -> None:
    freeze(world, author=world.ben)

    assert reports_in_timeline(world.vera, "partnership", world.partnership.pk) == [
        ("report.frozen", world.ben.pk, world.westmarch.pk)
    ]
    assert Event.objects.get(actor_id=world.ben.pk, kind="report.frozen").data["reason"] == "The board met."


@pytest.mark.parametrize(
    ("wrong_details", "message"),
    [
        pytest.param({"people": []}, "Choose who gets the report", id="no people"),
        pytest.param({"name": " "}, "Enter a name", id="no name"),
        pytest.param({"every": "hour"}, "Choose how often we should send the report", id="unknown interval"),
        pytest.param(
            {"query_string": "tenure=social_rent&year=nonsense"},
            "Not everyone who gets the report can use these filters",
            id="invalid filter",
        ),
    ],
)
def test_a_schedule_needs_valid_details(world: World, wrong_details: dict[str, Any], message: str) -> None:
    with pytest.raises(services.UnableToSchedule, match=message):
        scheduled(world, **wrong_details)

    assert not Schedule.objects.exists()


def test_a_schedule_cannot_begin_in_the_past(world: World) -> None:
    yesterday = timezone.localdate() - dt.timedelta(days=1)

    with pytest.raises(services.UnableToSchedule, match="The first day is in the past"):
        scheduled(world, first_on=yesterday)

    assert not Schedule.objects.exists()


def test_a_schedule_has_no_recipients_outside_its_audience(world: World) -> None:
    with pytest.raises(services.UnableToSchedule, match="one or more people of Estuary Partnership"):
        scheduled(world, people=[world.chidi])

    assert not Schedule.objects.exists()


def test_a_report_on_a_partnership_is_scheduled_only_for_its_readers(world: World) -> None:
    with pytest.raises(services.UnableToSchedule, match="Not everyone who gets the report can use these filters"):
        scheduled(world, report="board-pack", query_string=f"partnership={world.other_partnership.pk}")

    assert not Schedule.objects.exists()


def test_a_report_on_a_partnership_is_frozen_only_for_its_readers(world: World) -> None:
    with pytest.raises(services.UnableToFreeze, match="Not everyone"):
        services.freeze_report(
            report="board-pack",
            query_string=f"partnership={world.other_partnership.pk}",
            name="March",
            reason="It met.",
            audience=world.larkhaven,
            author=world.amina,
            now=timezone.now(),
        )


def morning_of(day: dt.date) -> dt.datetime:
    """Return nine o'clock on this day."""
    return timezone.make_aware(dt.datetime.combine(day, dt.time(9)))


@pytest.mark.parametrize(
    ("every", "first_day", "second_day", "third_day"),
    [
        ("week", dt.date(2051, 1, 29), dt.date(2051, 2, 5), dt.date(2051, 2, 12)),
        ("month", dt.date(2051, 1, 31), dt.date(2051, 2, 28), dt.date(2051, 3, 31)),
        ("quarter", dt.date(2050, 11, 30), dt.date(2051, 2, 28), dt.date(2051, 5, 30)),
    ],
)
def test_a_schedule_keeps_its_day_after_a_shorter_month(
    world: World, every: str, first_day: dt.date, second_day: dt.date, third_day: dt.date
) -> None:
    schedule = scheduled(world, every=every, first_on=first_day, now=morning_of(first_day))

    sent_counts = []
    next_days = []
    for day in (first_day, second_day):
        sent_counts.append(services.send_due_reports(now=morning_of(day)))
        schedule.refresh_from_db()
        next_days.append(schedule.next_on)

    assert sent_counts == [1, 1]
    assert next_days == [second_day, third_day]


@pytest.mark.parametrize("every", ["week", "month", "quarter"])
def test_a_schedule_sends_missed_reports_once(world: World, every: str) -> None:
    first_day = dt.date(2051, 1, 29)
    scheduled(world, every=every, first_on=first_day, now=morning_of(first_day))

    sent_count = services.send_due_reports(now=morning_of(first_day + dt.timedelta(days=400)))

    assert sent_count == 1
    assert FrozenReport.objects.count() == 1


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

    frozen_report = FrozenReport.objects.visible_to(wendy).get()
    assert response.url == frozen_report.get_absolute_url()
    assert frozen_report.question == "tenure=social_rent"


def test_the_list_of_frozen_reports_has_those_of_a_readers_partnership(world: World, wendy: User) -> None:
    freeze(world)

    page = signed_in(wendy).get(reverse("reports:frozen-list")).content.decode()

    assert "As reported to the board" in page


def test_a_report_is_scheduled_on_its_page(world: World) -> None:
    response = schedule_on_page(world, world.vera)

    assert response.url == Schedule.objects.get().get_absolute_url()


def test_a_scheduled_report_of_an_organisation_is_not_found_by_others(world: World, wendy: User) -> None:
    schedule_on_page(world, world.vera)

    response = signed_in(wendy).get(Schedule.objects.get().get_absolute_url())

    assert response.status_code == 404


def test_a_report_of_an_organisation_cannot_be_scheduled_for_somebody_else(world: World) -> None:
    response = schedule_on_page(world, world.ben)

    assert response.status_code == 422


def test_a_recipient_stops_a_scheduled_report_on_its_page(world: World) -> None:
    schedule_on_page(world, world.vera)
    schedule = Schedule.objects.get()

    signed_in(world.vera).post(reverse("reports:stop", args=[schedule.pk]))

    assert not schedule.recipients.exists()


def test_a_colleague_asks_for_a_scheduled_report_on_its_page(world: World) -> None:
    schedule_on_page(world, world.vera)
    schedule = Schedule.objects.get()

    signed_in(world.eddie).post(reverse("reports:receive", args=[schedule.pk]))

    assert {recipient.person for recipient in schedule.recipients.all()} == {world.vera, world.eddie}


def test_a_scheduled_report_that_was_ended_on_its_page_is_not_sent(world: World) -> None:
    schedule_on_page(world, world.vera)

    signed_in(world.amina).post(reverse("reports:end", args=[Schedule.objects.get().pk]))

    sent_count = services.send_due_reports(now=timezone.now() + dt.timedelta(days=90))
    assert sent_count == 0
