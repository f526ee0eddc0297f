"""Pages of a partnership's progress reports: the table of all reports, the reports of one period, and the settings."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.agreements.former_parties import former_party, partnership_as_read_by
from partnerships.agreements.models import Partnership, Party
from partnerships.agreements.rights import rights_over
from partnerships.conversations import queries, services
from partnerships.conversations.forms.reports import EndForm, ReportingForm, reporting_parties
from partnerships.conversations.models import Report, ReportingRound, ReportSubmission
from partnerships.conversations.reporting import period_in_words
from partnerships.kit.exports import csv_response
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.people.requests import signed_in


def _open_partnership(request: HttpRequest, pk: int) -> tuple[User, Partnership]:
    """Return the person, and a partnership whose reports the person may read.

    People of a former party read only their own reports. Raises PermissionDenied for other people.
    """
    user = signed_in(request)
    partnership = get_object_or_404(Partnership.objects.visible_to(user), pk=pk)
    if not Party.objects.person_takes_part(user, pk) and former_party(user, partnership) is None:
        raise PermissionDenied
    return user, partnership_as_read_by(user, partnership)


def _led_partnership(request: HttpRequest, pk: int) -> tuple[User, Partnership]:
    """Return the person, and a partnership whose progress reports the person may set up.

    Raises PermissionDenied for other readers of the partnership.
    """
    user = signed_in(request)
    partnership = get_object_or_404(Partnership.objects.visible_to(user), pk=pk)
    require(rights_over(partnership, user, timezone.now()).leads)
    return user, partnership


@require_safe
def reports(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a table of periods and parties, with the status of each report."""
    user, partnership = _open_partnership(request, pk)
    is_former = former_party(user, partnership) is not None
    running_round = None if is_former else ReportingRound.objects.filter(partnership=pk, ends_on=None).first()
    context = {
        "partnership": partnership,
        "round": running_round,
        "is_former": is_former,
        "table": queries.report_table(user, pk),
        "may_lead": rights_over(partnership, user, timezone.now()).leads and not partnership.is_over,
    }
    return render(request, "conversations/reports/table.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def set_up_reports(request: HttpRequest, pk: int) -> HttpResponse:
    """Set up progress reports, or change their settings. Only leads of the partnership can do this."""
    user, partnership = _led_partnership(request, pk)
    reporting_round = ReportingRound.objects.filter(partnership=pk, ends_on=None).first()
    back = reverse("conversations:reports", args=[pk])
    form = ReportingForm(post_data(request), parties=reporting_parties(pk), running_round=reporting_round, cancel=back)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToSetUpReporting):
            services.set_up_reporting(partnership=partnership, author=user, now=timezone.now(), **form.cleaned_data)
            messages.success(request, "Progress reports have been set up.")
            return redirect(back)

    return form_page(
        request, "conversations/reports/set_up.html", form, partnership=partnership, round=reporting_round, back=back
    )


@require_http_methods(["GET", "HEAD", "POST"])
def stop_reporting(request: HttpRequest, pk: int) -> HttpResponse:
    """End progress reports, with a reason. Only leads of the partnership can do this."""
    user, partnership = _led_partnership(request, pk)
    back = reverse("conversations:reports", args=[pk])
    form = EndForm(post_data(request), submit="End progress reports", cancel=back)

    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        with show_refusal(form, services.UnableToSetUpReporting):
            services.end_reporting(partnership=partnership, reason=reason, author=user, now=timezone.now())
            messages.success(request, "The progress reports have ended. We will not open any more reports.")
            return redirect(back)

    return form_page(request, "conversations/reports/end.html", form, partnership=partnership, back=back)


def _period(request: HttpRequest, pk: int, start: dt.date) -> tuple[ReportingRound, list[ReportSubmission], dt.date]:
    """Return the round, the newest submissions of one period, and the day after the period.

    Raises Http404 if the person may see no report of the period.
    """
    user = signed_in(request)
    visible = Report.objects.visible_to(user).filter(round=pk, starts_on=start)
    report = get_object_or_404(visible.select_related("round__partnership")[:1])
    reporting_round = report.round
    reporting_round.partnership = partnership_as_read_by(user, reporting_round.partnership)
    submissions = queries.newest_submissions(user, round_id=pk, start=start)
    queries.name_submissions_as_at(submissions)
    return reporting_round, submissions, report.ends_on


@require_safe
def reports_of_period(request: HttpRequest, pk: int, start: dt.date) -> HttpResponse:
    """Show the submitted reports of one period side by side, for reading and printing."""
    reporting_round, submissions, ends_on = _period(request, pk, start)
    context = {
        "partnership": reporting_round.partnership,
        "round": reporting_round,
        "start": start.isoformat(),
        "words": period_in_words(start, ends_on),
        "submissions": submissions,
        "headings": _side_by_side(submissions),
    }
    return render(request, "conversations/reports/period.html", context)


def _headings(submissions: list[ReportSubmission]) -> list[str]:
    """Return the heading of each question once, in the order of the submissions."""
    headings: list[str] = []
    for submission in submissions:
        for question in submission.questions:
            if question["heading"] not in headings:
                headings.append(question["heading"])
    return headings


def _answers_by_heading(submission: ReportSubmission) -> dict[str, str]:
    """Return the answers of a report by the heading of the question."""
    return {question["heading"]: text for question, text in submission.questions_with_answers}


def _side_by_side(submissions: list[ReportSubmission]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return each heading with all organisations and their answers, in the order of the submissions."""
    names_with_answers = [
        (submission.report.party.organisation.display_name, _answers_by_heading(submission))
        for submission in submissions
    ]
    table = []
    for heading in _headings(submissions):
        # The answer is empty if the organisation was not asked this question.
        answers_below_heading = [(name, answers.get(heading, "")) for name, answers in names_with_answers]
        table.append((heading, answers_below_heading))
    return table


@require_safe
def period_csv(request: HttpRequest, pk: int, start: dt.date) -> StreamingHttpResponse:
    """Send the submitted reports of one period as a CSV file.

    The file has a row for each organisation, and a column for each question.
    """
    _round, submissions, _ends_on = _period(request, pk, start)
    headings = _headings(submissions)
    columns = ["Organisation", "Version", "Status", "Submitted", "Days late", *headings, "Figures"]
    rows = [_csv_row(submission, headings) for submission in submissions]
    return csv_response(f"progress-reports-{start}.csv", columns, rows)


def _csv_row(submission: ReportSubmission, headings: list[str]) -> list[object]:
    """Return one organisation's line of the CSV file, with its answer under each heading."""
    answers = _answers_by_heading(submission)
    return [
        submission.report.party.organisation.name,
        submission.number,
        submission.report.get_status_display(),
        submission.submitted_at,
        submission.days_late,
        *(answers.get(heading, "") for heading in headings),
        " ".join(block["summary"] for block in submission.figures),
    ]
