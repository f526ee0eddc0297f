"""Progress reports from the end of a period to their acceptance."""

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
from partnerships.conversations.queries import WAITING
from partnerships.conversations.reporting import USUAL_QUESTIONS, add_months
from partnerships.kit.rights import UnableToAct
from partnerships.organisations.waiting import waiting_from
from partnerships.people.models import User
from tests.commitments.promises import agree, in_days
from tests.conversations.reports import last_month, set_up, submit, submitted, the_report, write
from tests.plans.drafts import published
from tests.support.outbox import drop_emails, recorded
from tests.support.signing_in import signed_in
from tests.world import World

MIGRATION = import_module("partnerships.conversations.migrations.0011_settle_what_ended_before")
NOW = timezone.now


def at(day: dt.date) -> dt.datetime:
    """Noon of a day."""
    return timezone.make_aware(dt.datetime.combine(day, dt.time(12)))


def decide(report: Report, world: World, **said: Any) -> None:
    """Amina returns the newest version with a reason, or accepts it."""
    number = report.submissions.count()
    if said:
        services.return_report(report=report, number=number, author=world.amina, now=NOW(), **said)
    else:
        services.accept_report(report=report, number=number, author=world.amina, now=NOW())
    report.refresh_from_db()


def what_waits(person: User) -> set[str]:
    """What waits for the person in conversations and reports."""
    return {one.what for one in waiting_from(WAITING, person, NOW())}


# ---- Opening


def test_each_party_gets_one_report_a_period(world: World) -> None:
    set_up(world)

    services.open_due_reports(now=NOW())

    reports = Report.objects.all()
    assert {report.party.organisation for report in reports} == {world.larkhaven, world.westmarch}
    assert {(report.starts_on, report.ends_on) for report in reports} == {(last_month(), add_months(last_month(), 1))}


def test_reports_that_were_missed_are_opened_later(world: World) -> None:
    set_up(world)
    later = at(add_months(last_month(), 4))

    opened = services.open_due_reports(now=later)
    again = services.open_due_reports(now=later)

    assert (opened, again) == (6, 0)
    assert Report.objects.filter(party__organisation=world.westmarch).count() == 4


def test_party_that_joins_later_reports_from_the_period_in_which_it_joined(world: World) -> None:
    set_up(world)
    now = at(add_months(last_month(), 1) + dt.timedelta(days=20))
    party = agreements.invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=now,
    )
    agreements.answer_invitation(party=party, accept=True, reason="", author=world.hana, now=now)

    services.open_due_reports(now=at(add_months(last_month(), 2)))

    assert [report.starts_on for report in Report.objects.filter(party=party)] == [add_months(last_month(), 1)]


def test_observers_and_exempt_parties_do_not_report(world: World) -> None:
    party = agreements.invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="observer",
        reason="We need them.",
        author=world.amina,
        now=NOW(),
    )
    agreements.answer_invitation(party=party, accept=True, reason="", author=world.hana, now=NOW())

    set_up(world, exempt=[world.party(world.larkhaven)])

    assert [report.party.organisation for report in Report.objects.all()] == [world.westmarch]


def test_party_that_leaves_no_longer_needs_its_report(world: World) -> None:
    report = the_report(world)

    agreements.leave_partnership(party=report.party, reason="Budget.", author=world.ben, now=NOW())

    report.refresh_from_db()
    assert report.status == ReportStatus.WAIVED
    assert services.open_due_reports(now=at(add_months(last_month(), 2))) == 1


def test_another_period_ends_the_round_where_the_new_one_begins(world: World) -> None:
    set_up(world)
    begins = add_months(last_month(), 2)

    services.set_up_reporting(
        partnership=world.partnership,
        period="quarter",
        starts_on=begins,
        due_days=10,
        questions=USUAL_QUESTIONS,
        exempt=(),
        author=world.amina,
        now=NOW(),
    )
    services.open_due_reports(now=at(add_months(begins, 3)))

    assert ReportingRound.objects.get(period="month").ends_on == begins
    starts = Report.objects.filter(party__organisation=world.westmarch).order_by("starts_on")
    assert [report.starts_on for report in starts] == [last_month(), add_months(last_month(), 1), begins]


def test_round_cannot_begin_within_a_period_that_has_reports(world: World) -> None:
    set_up(world)

    with pytest.raises(services.UnableToSetUpReporting, match="already reports for this period"):
        set_up(world, starts_on=last_month() + dt.timedelta(days=3))


def test_ended_reporting_opens_no_more_reports(world: World) -> None:
    set_up(world)

    services.end_reporting(partnership=world.partnership, reason="One table is enough.", author=world.amina, now=NOW())

    assert services.open_due_reports(now=at(add_months(last_month(), 3))) == 0


def end_partnership(world: World, now: dt.datetime) -> None:
    agreements.change_status(
        partnership=world.partnership, status="ended", reason="The money is spent.", author=world.amina, now=now
    )


def test_last_reports_go_up_to_the_day_on_which_the_partnership_ends(world: World) -> None:
    set_up(world)
    ended_on = add_months(last_month(), 2) + dt.timedelta(days=9)

    end_partnership(world, at(ended_on))

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
    assert services.open_due_reports(now=at(add_months(last_month(), 4))) == 0


def test_last_reports_are_opened_also_where_another_round_was_to_begin_later(world: World) -> None:
    set_up(world)
    begins = add_months(last_month(), 4)
    services.set_up_reporting(
        partnership=world.partnership,
        period="quarter",
        starts_on=begins,
        due_days=10,
        questions=USUAL_QUESTIONS,
        exempt=(),
        author=world.amina,
        now=NOW(),
    )
    ended_on = add_months(last_month(), 2) + dt.timedelta(days=9)

    end_partnership(world, at(ended_on))

    last = Report.objects.filter(party__organisation=world.westmarch).latest("starts_on")
    after = ended_on + dt.timedelta(days=1)
    assert (last.starts_on, last.ends_on) == (add_months(last_month(), 2), after)
    assert dict(ReportingRound.objects.values_list("period", "ends_on")) == {"month": after, "quarter": begins}
    assert not Report.objects.filter(starts_on__gte=after).exists()


def test_last_report_is_written_and_accepted_after_the_partnership_has_ended(world: World) -> None:
    set_up(world)
    end_partnership(world, NOW())
    last = Report.objects.filter(party__organisation=world.westmarch).latest("starts_on")
    assert "Write a progress report" in what_waits(world.ben)

    submit(last, world.ben)
    last.refresh_from_db()
    assert "Accept or return a progress report" in what_waits(world.amina)
    decide(last, world)

    assert last.status == ReportStatus.ACCEPTED


def test_partnership_without_progress_reports_ends_without_any(world: World) -> None:
    end_partnership(world, NOW())

    assert not Report.objects.exists()


def test_ending_reporting_opens_no_reports_of_the_time_after_a_partnership_ended(world: World) -> None:
    set_up(world)
    over = {"status": "ended", "ends_on": timezone.localdate()}  # as before endings closed rounds
    Partnership.objects.filter(pk=world.partnership.pk).update(**over)
    before = Report.objects.count()

    with pytest.raises(services.UnableToSetUpReporting, match="has ended"):
        services.end_reporting(
            partnership=world.partnership,
            reason="Nobody reads them.",
            author=world.amina,
            now=at(add_months(last_month(), 5)),
        )

    assert Report.objects.count() == before


def test_migration_waives_reports_of_partnerships_that_were_over(world: World) -> None:
    report, done = the_report(world), Report.objects.get(party__organisation=world.larkhaven)
    submit(done, world.amina)
    Partnership.objects.filter(pk=world.partnership.pk).update(status="ended", ends_on=timezone.localdate())

    MIGRATION.settle(apps, None)

    report.refresh_from_db()
    done.refresh_from_db()
    assert (report.status, done.status) == (ReportStatus.WAIVED, ReportStatus.SUBMITTED)


# ---- Writing


def test_colleagues_write_different_answers_without_losing_any(world: World) -> None:
    set_up(world)
    report = Report.objects.get(party__organisation=world.larkhaven)
    write(report, world.eddie, "Eddie's words.", "q1")

    services.save_report(report=report, answers={"q2": "Amina's."}, revision=0, author=world.amina, now=NOW())

    report.refresh_from_db()
    assert report.answers == {"q1": "Eddie's words.", "q2": "Amina's."}


def test_page_shows_both_texts_when_a_colleague_saved_the_same_answer(world: World) -> None:
    set_up(world)
    report = Report.objects.get(party__organisation=world.larkhaven)
    amina, address = signed_in(world.amina), reverse("conversations:report-write", args=[report.pk])
    form = amina.get(address).context["form"]
    sent = {bound.html_name: "" if bound.value() is None else bound.value() for bound in form}
    write(report, world.eddie, "Eddie's words.", "q1")

    answer = amina.post(address, sent | {"q1": "Amina's words."})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Eddie&#x27;s words." in page
    assert "Amina&#x27;s words." in page
    fields = {bound.html_name: "" if bound.value() is None else bound.value() for bound in answer.context["form"]}
    assert amina.post(address, fields | {"q1": "Both."}).status_code == 302
    report.refresh_from_db()
    assert report.answers["q1"] == "Both."


def test_draft_is_read_only_by_its_own_organisation(world: World) -> None:
    report = write(the_report(world), world.ben, "Kestrelwort")
    address = report.get_absolute_url()

    assert "Kestrelwort" in signed_in(world.ben).get(address).content.decode()
    for person, status in ((world.amina, 403), (world.chidi, 404), (world.dee, 404)):
        answer = signed_in(person).get(address)
        assert answer.status_code == status
        assert "Kestrelwort" not in answer.content.decode()


def test_report_starts_with_the_commitments_of_the_period(world: World) -> None:
    commitment = agree(world)
    set_up(world)
    report = Report.objects.get(party__organisation=commitment.giver)
    Report.objects.filter(pk=report.pk).update(ends_on=in_days(400), due_on=in_days(410))

    page = signed_in(world.amina).get(reverse("conversations:report-write", args=[report.pk])).content.decode()

    assert commitment.reference in page
    assert "1 due" in page


def test_report_starts_with_the_homes_of_the_period(world: World) -> None:
    homes = {"key": "quay", "name": "Quay", "homes": [{"tenure": "social_rent", "count": 1}]}
    published(
        world, content={"about": {"title": "Homes"}, "sites": [homes | {"actual_start": f"{last_month():%Y-%m}"}]}
    )
    set_up(world)
    report = Report.objects.get(party__organisation=world.larkhaven)

    page = signed_in(world.amina).get(reverse("conversations:report-write", args=[report.pk])).content.decode()

    assert "1 home started (forecast 0), 0 completed (forecast 0)." in page


# ---- Submitting and deciding


def test_submission_keeps_its_words_and_figures(world: World) -> None:
    commitment = agree(world)
    set_up(world)
    report = Report.objects.get(party__organisation=commitment.giver)
    Report.objects.filter(pk=report.pk).update(ends_on=in_days(400), due_on=in_days(410))
    submission = submit(report, world.amina)
    before = submission.figures

    commitment.text = "Something else"
    commitment.save(update_fields=["text"])

    submission.refresh_from_db()
    assert submission.figures == before
    assert commitment.reference in str(before)


@pytest.mark.parametrize("how", ["answers", "figures", "decision", "delete"])
def test_database_refuses_to_change_what_was_submitted(world: World, how: str) -> None:
    report = submitted(world)
    decide(report, world)
    rows = ReportSubmission.objects.filter(report=report)
    ways = {
        "answers": lambda: rows.update(answers={"q1": "Fifty homes."}),
        "figures": lambda: rows.update(figures=[]),
        "decision": lambda: rows.update(decision="returned", reason="No."),
        "delete": lambda: rows._raw_delete("default"),
    }

    with pytest.raises(Exception, match="Cannot"), transaction.atomic():
        ways[how]()


def test_lead_of_the_leading_organisation_accepts_a_report(world: World) -> None:
    report = submitted(world)
    waited = what_waits(world.amina)

    decide(report, world)

    assert report.status == ReportStatus.ACCEPTED
    assert "Accept or return a progress report" in waited
    assert "Accept or return a progress report" not in what_waits(world.amina)


def test_returned_report_is_submitted_again_as_the_next_version(world: World) -> None:
    report = submitted(world)
    decide(report, world, reason="Say how many are let.")
    assert "Correct a progress report" in what_waits(world.ben)

    submit(report, world.ben, "Forty homes, thirty let.")

    report.refresh_from_db()
    versions = list(report.submissions.order_by("number").values_list("number", "decision", "answers"))
    assert versions == [(1, "returned", {"q1": "Forty homes."}), (2, "", {"q1": "Forty homes, thirty let."})]
    page = signed_in(world.amina).get(reverse("conversations:report-compare", args=[report.pk, 2])).content.decode()
    assert ">added: </span>" in page


def test_organisation_decides_on_its_own_report_only_if_nobody_else_leads(world: World) -> None:
    set_up(world)
    report = Report.objects.get(party__organisation=world.larkhaven)
    submit(report, world.amina)
    alone = what_waits(world.amina)
    agreements.change_party_role(
        party=world.party(world.westmarch), role="lead", reason="Agreed at the meeting.", author=world.amina, now=NOW()
    )

    with pytest.raises(UnableToAct):
        services.accept_report(report=report, number=1, author=world.amina, now=NOW())
    services.accept_report(report=report, number=1, author=world.ben, now=NOW())

    assert "Accept or return a progress report" in alone
    report.refresh_from_db()
    assert report.status == ReportStatus.ACCEPTED


def test_decision_counts_only_for_the_version_that_was_read(world: World) -> None:
    report = submitted(world)
    decide(report, world, reason="Say how many are let.")
    submit(report, world.ben, "Thirty let.")

    with pytest.raises(services.UnableToDecideReport, match="again"):
        services.accept_report(report=report, number=1, author=world.amina, now=NOW())


def test_empty_report_cannot_be_submitted(world: World) -> None:
    with pytest.raises(services.UnableToSubmitReport, match="at least one"):
        services.submit_report(report=the_report(world), revision=0, author=world.ben, now=NOW())


# ---- Reminders


def test_leads_are_reminded_once_before_and_chased_once_after(world: World) -> None:
    report = the_report(world)
    drop_emails()
    counts = []

    for days in (-6, -4, -3, 1, 2, 10, 11):
        services.remind_of_reports(now=at(report.due_on + dt.timedelta(days=days)))
        counts.append(len([email for email in recorded("conversations.report_due") if email.person_id == world.ben.pk]))

    assert counts == [0, 1, 1, 2, 2, 3, 3]


def test_late_report_shows_its_days_in_the_table(world: World) -> None:
    report = the_report(world)
    due = timezone.localdate() - dt.timedelta(days=3)
    Report.objects.filter(pk=report.pk).update(due_on=due, ends_on=due, starts_on=due - dt.timedelta(days=30))

    page = signed_in(world.amina).get(reverse("conversations:reports", args=[world.partnership.pk])).content.decode()

    assert "3 days late" in " ".join(page.split())


def test_submitted_reports_of_a_period_stand_side_by_side(world: World) -> None:
    report = submitted(world)
    own = Report.objects.get(party__organisation=world.larkhaven)
    submit(own, world.amina, "Two sites.")
    args = [report.round_id, report.starts_on.isoformat()]
    amina = signed_in(world.amina)

    page = amina.get(reverse("conversations:reports-period", args=args)).content.decode()
    file = b"".join(amina.get(reverse("conversations:reports-csv", args=args)).streaming_content).decode()

    for words in ("Forty homes.", "Two sites."):
        assert words in page
        assert words in file
    assert len(file.strip().splitlines()) == 3


def test_former_party_reads_only_its_own_reports(world: World) -> None:
    report = submitted(world)
    own = Report.objects.get(party__organisation=world.larkhaven)
    submit(own, world.amina)
    agreements.leave_partnership(party=report.party, reason="Budget.", author=world.ben, now=NOW())

    seen = Report.objects.visible_to(world.ben)
    page = signed_in(world.ben).get(reverse("conversations:reports", args=[world.partnership.pk])).content.decode()

    assert set(seen) == {report}
    assert report.get_absolute_url() in page
    assert own.get_absolute_url() not in page


def test_former_party_without_reports_finds_an_empty_page(world: World) -> None:
    party = world.partnership.parties.get(organisation=world.westmarch)
    agreements.leave_partnership(party=party, reason="Budget.", author=world.ben, now=NOW())

    page = signed_in(world.ben).get(reverse("conversations:reports", args=[world.partnership.pk])).content.decode()

    assert "No reports from your organisation" in page
