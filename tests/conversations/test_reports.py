"""Progress reports go from the end of a period to the decision on the report."""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.agreements.models import Partnership
from partnerships.conversations import services
from partnerships.conversations.models import Report, ReportingRound, ReportStatus, ReportSubmission
from partnerships.conversations.queries import TASK_SOURCES
from partnerships.conversations.reporting import USUAL_QUESTIONS, add_months
from partnerships.kit.rights import UnableToAct
from partnerships.organisations.waiting import tasks_from
from partnerships.people.models import User
from tests.commitments.promises import agree, in_days
from tests.conversations.reports import last_month, set_up, submit, submitted, the_report, write
from tests.plans.drafts import published_plan
from tests.support.outbox import deliver, drop_emails, parts, recorded
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.world import World

MIGRATION = import_module("partnerships.conversations.migrations.0011_settle_what_ended_before")


def noon_of(day: dt.date) -> dt.datetime:
    """Return noon on a day."""
    return timezone.make_aware(dt.datetime.combine(day, dt.time(12)))


def decide(report: Report, world: World, **reasons: Any) -> None:
    """Decide on the newest version as Amina. She returns it if a reason is given, and otherwise accepts it."""
    newest_number = report.submissions.count()
    if reasons:
        services.return_report(report=report, number=newest_number, author=world.amina, now=timezone.now(), **reasons)
    else:
        services.accept_report(report=report, number=newest_number, author=world.amina, now=timezone.now())
    report.refresh_from_db()


def tasks_of(person: User) -> set[str]:
    """Return the tasks of the person in conversations and reports."""
    return {task.action for task in tasks_from(TASK_SOURCES, person, timezone.now())}


# ---- Opening


def test_each_party_gets_one_report_a_period(world: World) -> None:
    set_up(world)

    services.open_due_reports(now=timezone.now())

    reports = Report.objects.all()
    assert {report.party.organisation for report in reports} == {world.larkhaven, world.westmarch}
    assert {(report.starts_on, report.ends_on) for report in reports} == {(last_month(), add_months(last_month(), 1))}


def test_reports_that_were_missed_are_opened_later(world: World) -> None:
    set_up(world)
    four_months_later = noon_of(add_months(last_month(), 4))

    opened_first = services.open_due_reports(now=four_months_later)
    opened_second = services.open_due_reports(now=four_months_later)

    assert opened_first == 6
    assert opened_second == 0
    assert Report.objects.filter(party__organisation=world.westmarch).count() == 4


def test_party_that_joins_later_reports_from_the_period_in_which_it_joined(world: World) -> None:
    set_up(world)
    now = noon_of(add_months(last_month(), 1) + dt.timedelta(days=20))
    party = agreements.invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=now,
    )
    agreements.answer_invitation(party=party, accept=True, reason="", author=world.hana, now=now)

    services.open_due_reports(now=noon_of(add_months(last_month(), 2)))

    assert [report.starts_on for report in Report.objects.filter(party=party)] == [add_months(last_month(), 1)]


def test_observers_and_exempt_parties_do_not_report(world: World) -> None:
    party = agreements.invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="observer",
        reason="We need them.",
        author=world.amina,
        now=timezone.now(),
    )
    agreements.answer_invitation(party=party, accept=True, reason="", author=world.hana, now=timezone.now())

    set_up(world, exempt=[world.party(world.larkhaven)])

    assert [report.party.organisation for report in Report.objects.all()] == [world.westmarch]


def test_party_that_leaves_no_longer_needs_its_report(world: World) -> None:
    report = the_report(world)

    leave_partnership_as_westmarch(world)

    report.refresh_from_db()
    assert report.status == ReportStatus.WAIVED


def test_no_more_reports_are_opened_for_a_party_that_has_left(world: World) -> None:
    the_report(world)
    leave_partnership_as_westmarch(world)

    opened_count = services.open_due_reports(now=noon_of(add_months(last_month(), 2)))

    # Only Larkhaven still takes part.
    assert opened_count == 1


def test_another_period_ends_the_round_where_the_new_one_begins(world: World) -> None:
    set_up(world)
    new_start = add_months(last_month(), 2)

    services.set_up_reporting(
        partnership=world.partnership,
        period="quarter",
        starts_on=new_start,
        due_days=10,
        questions=USUAL_QUESTIONS,
        exempt=(),
        author=world.amina,
        now=timezone.now(),
    )
    services.open_due_reports(now=noon_of(add_months(new_start, 3)))

    assert ReportingRound.objects.get(period="month").ends_on == new_start
    reports = Report.objects.filter(party__organisation=world.westmarch).order_by("starts_on")
    assert [report.starts_on for report in reports] == [last_month(), add_months(last_month(), 1), new_start]


def test_round_cannot_begin_within_a_period_that_has_reports(world: World) -> None:
    set_up(world)

    with pytest.raises(services.UnableToSetUpReporting, match="already reports for this period"):
        set_up(world, starts_on=last_month() + dt.timedelta(days=3))


def test_ended_reporting_opens_no_more_reports(world: World) -> None:
    set_up(world)
    services.end_reporting(
        partnership=world.partnership, reason="One table is enough.", author=world.amina, now=timezone.now()
    )

    opened_count = services.open_due_reports(now=noon_of(add_months(last_month(), 3)))

    assert opened_count == 0


def end_partnership(world: World, now: dt.datetime) -> None:
    """End the Estuary Partnership as Amina."""
    agreements.change_status(
        partnership=world.partnership, status="ended", reason="The money is spent.", author=world.amina, now=now
    )


def test_last_reports_go_up_to_the_day_on_which_the_partnership_ends(world: World) -> None:
    set_up(world)
    ended_on = add_months(last_month(), 2) + dt.timedelta(days=9)

    end_partnership(world, noon_of(ended_on))

    periods = [
        (report.starts_on, report.ends_on)
        for report in Report.objects.filter(party__organisation=world.westmarch).order_by("starts_on")
    ]
    assert periods == [
        (last_month(), add_months(last_month(), 1)),
        (add_months(last_month(), 1), add_months(last_month(), 2)),
        (add_months(last_month(), 2), ended_on + dt.timedelta(days=1)),
    ]
    assert ReportingRound.objects.get().end_reason == "The partnership has ended. The money is spent."


def test_no_more_reports_are_opened_after_the_end_of_the_partnership(world: World) -> None:
    set_up(world)
    end_partnership(world, noon_of(add_months(last_month(), 2) + dt.timedelta(days=9)))

    opened_count = services.open_due_reports(now=noon_of(add_months(last_month(), 4)))

    assert opened_count == 0


def test_last_reports_are_opened_also_where_another_round_was_to_begin_later(world: World) -> None:
    set_up(world)
    later_start = add_months(last_month(), 4)
    services.set_up_reporting(
        partnership=world.partnership,
        period="quarter",
        starts_on=later_start,
        due_days=10,
        questions=USUAL_QUESTIONS,
        exempt=(),
        author=world.amina,
        now=timezone.now(),
    )
    ended_on = add_months(last_month(), 2) + dt.timedelta(days=9)

    end_partnership(world, noon_of(ended_on))

    last_report = Report.objects.filter(party__organisation=world.westmarch).latest("starts_on")
    day_after = ended_on + dt.timedelta(days=1)
    assert (last_report.starts_on, last_report.ends_on) == (add_months(last_month(), 2), day_after)
    assert dict(ReportingRound.objects.values_list("period", "ends_on")) == {"month": day_after, "quarter": later_start}
    assert not Report.objects.filter(starts_on__gte=day_after).exists()


@pytest.fixture
def last_report(world: World) -> Report:
    """Return Westmarch's last report of the Estuary Partnership, which has ended."""
    set_up(world)
    end_partnership(world, timezone.now())
    return Report.objects.filter(party__organisation=world.westmarch).latest("starts_on")


def test_last_report_is_written_after_the_partnership_has_ended(world: World, last_report: Report) -> None:
    tasks_before = tasks_of(world.ben)

    submit(last_report, world.ben)

    assert "Write a progress report" in tasks_before
    assert "Accept or return a progress report" in tasks_of(world.amina)


def test_last_report_is_accepted_after_the_partnership_has_ended(world: World, last_report: Report) -> None:
    submit(last_report, world.ben)
    last_report.refresh_from_db()

    decide(last_report, world)

    assert last_report.status == ReportStatus.ACCEPTED


def test_partnership_without_progress_reports_ends_without_any(world: World) -> None:
    end_partnership(world, timezone.now())

    assert not Report.objects.exists()


def test_ending_reporting_opens_no_reports_of_the_time_after_a_partnership_ended(world: World) -> None:
    set_up(world)
    # Written without the service, because the service would end the round too.
    Partnership.objects.filter(pk=world.partnership.pk).update(status="ended", ends_on=timezone.localdate())
    count_before = Report.objects.count()

    with pytest.raises(services.UnableToSetUpReporting, match="has ended"):
        services.end_reporting(
            partnership=world.partnership,
            reason="Nobody reads them.",
            author=world.amina,
            now=noon_of(add_months(last_month(), 5)),
        )

    assert Report.objects.count() == count_before


def test_migration_waives_reports_of_partnerships_that_were_over(world: World) -> None:
    draft_report = the_report(world)
    submitted_report = Report.objects.get(party__organisation=world.larkhaven)
    submit(submitted_report, world.amina)
    Partnership.objects.filter(pk=world.partnership.pk).update(status="ended", ends_on=timezone.localdate())

    MIGRATION.settle(apps, None)

    draft_report.refresh_from_db()
    submitted_report.refresh_from_db()
    assert draft_report.status == ReportStatus.WAIVED
    assert submitted_report.status == ReportStatus.SUBMITTED


# ---- Writing


def test_colleagues_write_different_answers_without_losing_any(world: World) -> None:
    set_up(world)
    report = Report.objects.get(party__organisation=world.larkhaven)
    write(report, world.eddie, "Eddie's words.", "q1")

    services.save_report(report=report, answers={"q2": "Amina's."}, revision=0, author=world.amina, now=timezone.now())

    report.refresh_from_db()
    assert report.answers == {"q1": "Eddie's words.", "q2": "Amina's."}


def fields_of(form: Any) -> dict[str, Any]:
    """Return what a browser would send of a form as it is shown."""
    return {field.html_name: "" if field.value() is None else field.value() for field in form}


def save_same_answer_after_eddie(report: Report, world: World) -> Any:
    """Open the report as Amina, let Eddie save the first answer, and return the response to Amina's own text."""
    amina = signed_in(world.amina)
    write_url = reverse("conversations:report-write", args=[report.pk])
    fields = fields_of(amina.get(write_url).context["form"])
    write(report, world.eddie, "Eddie's words.", "q1")
    return amina.post(write_url, fields | {"q1": "Amina's words."})


def test_page_shows_both_texts_when_a_colleague_saved_the_same_answer(world: World) -> None:
    set_up(world)
    report = Report.objects.get(party__organisation=world.larkhaven)

    response = save_same_answer_after_eddie(report, world)

    html = response.content.decode()
    assert response.status_code == 422
    assert "Eddie&#x27;s words." in html
    assert "Amina&#x27;s words." in html


def test_answer_can_be_saved_after_both_texts_were_shown(world: World) -> None:
    set_up(world)
    report = Report.objects.get(party__organisation=world.larkhaven)
    fields = fields_of(save_same_answer_after_eddie(report, world).context["form"])

    response = signed_in(world.amina).post(
        reverse("conversations:report-write", args=[report.pk]), fields | {"q1": "Both."}
    )

    assert response.status_code == 302
    report.refresh_from_db()
    assert report.answers["q1"] == "Both."


def test_draft_is_read_only_by_its_own_organisation(world: World) -> None:
    report = write(the_report(world), world.ben, "Kestrelwort")
    address = report.get_absolute_url()

    assert "Kestrelwort" in signed_in(world.ben).get(address).content.decode()
    for person, status in ((world.amina, 403), (world.chidi, 404), (world.dee, 404)):
        response = signed_in(person).get(address)
        assert response.status_code == status
        assert "Kestrelwort" not in response.content.decode()


def test_report_starts_with_the_commitments_of_the_period(world: World) -> None:
    commitment = agree(world)
    set_up(world)
    report = Report.objects.get(party__organisation=commitment.giver)
    Report.objects.filter(pk=report.pk).update(ends_on=in_days(400), due_on=in_days(410))

    html = signed_in(world.amina).get(reverse("conversations:report-write", args=[report.pk])).content.decode()

    assert commitment.reference in html
    assert "1 due" in html


def test_report_starts_with_the_homes_of_the_period(world: World) -> None:
    homes = {"key": "quay", "name": "Quay", "homes": [{"tenure": "social_rent", "count": 1}]}
    published_plan(
        world, content={"about": {"title": "Homes"}, "sites": [homes | {"actual_start": f"{last_month():%Y-%m}"}]}
    )
    set_up(world)
    report = Report.objects.get(party__organisation=world.larkhaven)

    html = signed_in(world.amina).get(reverse("conversations:report-write", args=[report.pk])).content.decode()

    assert "1 home started (forecast 0), 0 completed (forecast 0)." in html


# ---- Submitting and deciding


def test_submission_keeps_its_words_and_figures(world: World) -> None:
    commitment = agree(world)
    set_up(world)
    report = Report.objects.get(party__organisation=commitment.giver)
    Report.objects.filter(pk=report.pk).update(ends_on=in_days(400), due_on=in_days(410))
    submission = submit(report, world.amina)
    figures_before = submission.figures

    commitment.text = "Something else"
    commitment.save(update_fields=["text"])

    submission.refresh_from_db()
    assert submission.figures == figures_before
    assert commitment.reference in str(figures_before)


@pytest.mark.parametrize("how", ["answers", "figures", "decision", "delete"])
def test_database_refuses_to_change_what_was_submitted(world: World, how: str) -> None:
    report = submitted(world)
    decide(report, world)
    submissions = ReportSubmission.objects.filter(report=report)
    change_by_name = {
        "answers": lambda: submissions.update(answers={"q1": "Fifty homes."}),
        "figures": lambda: submissions.update(figures=[]),
        "decision": lambda: submissions.update(decision="returned", reason="No."),
        "delete": lambda: submissions._raw_delete("default"),
    }

    with pytest.raises(Exception, match="Cannot"), transaction.atomic():
        change_by_name[how]()


def test_lead_of_the_leading_organisation_accepts_a_report(world: World) -> None:
    report = submitted(world)
    tasks_before = tasks_of(world.amina)

    decide(report, world)

    assert report.status == ReportStatus.ACCEPTED
    assert "Accept or return a progress report" in tasks_before
    assert "Accept or return a progress report" not in tasks_of(world.amina)


def test_returned_report_is_a_task_of_its_author(world: World) -> None:
    report = submitted(world)

    decide(report, world, reason="Say how many are let.")

    assert "Correct a progress report" in tasks_of(world.ben)


def test_returned_report_is_submitted_again_as_the_next_version(world: World) -> None:
    report = submitted(world)
    decide(report, world, reason="Say how many are let.")

    submit(report, world.ben, "Forty homes, thirty let.")

    versions = report.submissions.order_by("number")
    assert [(version.number, version.decision, version.answers) for version in versions] == [
        (1, "returned", {"q1": "Forty homes."}),
        (2, "", {"q1": "Forty homes, thirty let."}),
    ]


def test_two_versions_of_a_report_are_compared(world: World) -> None:
    report = submitted(world)
    decide(report, world, reason="Say how many are let.")
    submit(report, world.ben, "Forty homes, thirty let.")

    page = signed_in(world.amina).get(reverse("conversations:report-compare", args=[report.pk, 2]))

    assert ">added: </span>" in page.content.decode()


@pytest.fixture
def report_of_leader(world: World) -> Report:
    """Return the submitted report of Larkhaven, which leads the Estuary Partnership."""
    set_up(world)
    report = Report.objects.get(party__organisation=world.larkhaven)
    submit(report, world.amina)
    return report


def let_westmarch_lead(world: World) -> None:
    """Let Westmarch lead the Estuary Partnership as well."""
    agreements.change_party_role(
        party=world.party(world.westmarch),
        role="lead",
        reason="Agreed at the meeting.",
        author=world.amina,
        now=timezone.now(),
    )


def test_organisation_decides_on_its_own_report_if_nobody_else_leads(world: World, report_of_leader: Report) -> None:
    assert "Accept or return a progress report" in tasks_of(world.amina)


def test_organisation_does_not_decide_on_its_own_report_if_another_leads(
    world: World, report_of_leader: Report
) -> None:
    let_westmarch_lead(world)

    with pytest.raises(UnableToAct):
        services.accept_report(report=report_of_leader, number=1, author=world.amina, now=timezone.now())


def test_another_leading_organisation_decides_on_the_report_of_a_leader(world: World, report_of_leader: Report) -> None:
    let_westmarch_lead(world)

    services.accept_report(report=report_of_leader, number=1, author=world.ben, now=timezone.now())

    report_of_leader.refresh_from_db()
    assert report_of_leader.status == ReportStatus.ACCEPTED


def test_decision_counts_only_for_the_version_that_was_read(world: World) -> None:
    report = submitted(world)
    decide(report, world, reason="Say how many are let.")
    submit(report, world.ben, "Thirty let.")

    with pytest.raises(services.UnableToDecideReport, match="again"):
        services.accept_report(report=report, number=1, author=world.amina, now=timezone.now())


def test_empty_report_cannot_be_submitted(world: World) -> None:
    with pytest.raises(services.UnableToSubmitReport, match="at least one"):
        services.submit_report(report=the_report(world), revision=0, author=world.ben, now=timezone.now())


# ---- Reminders


def test_leads_are_reminded_once_before_and_chased_once_after(world: World) -> None:
    report = the_report(world)
    drop_emails()
    emails_so_far = []

    for days in (-6, -4, -3, 1, 2, 10, 11):
        services.remind_of_reports(now=noon_of(report.due_on + dt.timedelta(days=days)))
        emails_so_far.append(
            len([email for email in recorded("conversations.report_due") if email.person_id == world.ben.pk])
        )

    assert emails_so_far == [0, 1, 1, 2, 2, 3, 3]


def test_a_very_late_report_is_sent_to_the_escalation_contact(world: World) -> None:
    set_up(world)
    post = agreements.create_post(
        organisation=world.larkhaven, role="escalation", partnership=world.partnership, author=None, now=timezone.now()
    )
    agreements.fill_post(post=post, person=world.vera, reason="New in the post.", author=None, now=timezone.now())
    due = timezone.localdate() - dt.timedelta(days=12)
    reports = Report.objects.filter(party__organisation=world.larkhaven)
    reports.update(due_on=due, ends_on=due, starts_on=due - dt.timedelta(days=30))
    drop_emails()

    services.remind_of_reports(now=timezone.now())

    [email] = [email for email in deliver() if email.to == [world.vera.email]]
    assert email.subject == f"The progress report from Larkhaven Homes is 12 days late: {world.partnership.title}"
    for part in parts(email):
        assert "Please ask the leads of Larkhaven Homes to submit the report." in part
        assert "See the report" in part
        assert "because you are the escalation contact of Larkhaven Homes." in part


def test_late_report_shows_its_days_in_the_table(world: World) -> None:
    report = the_report(world)
    due = timezone.localdate() - dt.timedelta(days=3)
    Report.objects.filter(pk=report.pk).update(due_on=due, ends_on=due, starts_on=due - dt.timedelta(days=30))

    html = signed_in(world.amina).get(reverse("conversations:reports", args=[world.partnership.pk])).content.decode()

    assert "3 days late" in " ".join(html.split())


def test_submitted_reports_of_a_period_stand_side_by_side(world: World) -> None:
    report = submitted(world)
    larkhavens_report = Report.objects.get(party__organisation=world.larkhaven)
    submit(larkhavens_report, world.amina, "Two sites.")
    args = [report.round_id, report.starts_on.isoformat()]
    amina = signed_in(world.amina)

    html = amina.get(reverse("conversations:reports-period", args=args)).content.decode()
    file = b"".join(amina.get(reverse("conversations:reports-csv", args=args)).streaming_content).decode()

    for words in ("Forty homes.", "Two sites."):
        assert words in html
        assert words in file
    assert len(file.strip().splitlines()) == 3


def test_former_party_reads_only_its_own_reports(world: World) -> None:
    report = submitted(world)
    larkhavens_report = Report.objects.get(party__organisation=world.larkhaven)
    submit(larkhavens_report, world.amina)
    leave_partnership_as_westmarch(world)

    visible_reports = Report.objects.visible_to(world.ben)
    html = signed_in(world.ben).get(reverse("conversations:reports", args=[world.partnership.pk])).content.decode()

    assert set(visible_reports) == {report}
    assert report.get_absolute_url() in html
    assert larkhavens_report.get_absolute_url() not in html


def test_former_party_without_reports_finds_an_empty_page(world: World) -> None:
    leave_partnership_as_westmarch(world)

    html = signed_in(world.ben).get(reverse("conversations:reports", args=[world.partnership.pk])).content.decode()

    assert "No reports from your organisation" in html
