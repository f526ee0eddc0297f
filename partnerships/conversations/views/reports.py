"""Pages to read, write, submit, decide and compare one progress report."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.agreements.figures import ReportPeriod, figures_of
from partnerships.agreements.former_parties import partnership_as_read_by
from partnerships.agreements.queries.parties import earlier_organisations_at
from partnerships.conversations import services
from partnerships.conversations.forms.reports import DecisionForm, ReportForm, SubmitForm
from partnerships.conversations.models import Report, ReportSubmission
from partnerships.conversations.rights import ReportRights, report_rights
from partnerships.documents import PieceConflict
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.kit.text import DiffTime, word_differences
from partnerships.organisations.naming import show_names_of_day
from partnerships.organisations.timeline import newest_events, timeline_lines
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in


def _open_report(request: HttpRequest, pk: int) -> tuple[User, Report, ReportRights]:
    """Return the person, a report that the person may know of, and their rights over it."""
    user = signed_in(request)
    report = get_object_or_404(Report.objects.visible_to(user).for_listing(), pk=pk)
    return user, report, report_rights(report, user, timezone.now())


def _name_as_at(report: Report, submission: ReportSubmission) -> None:
    """Name the report's organisation as on the day of this submission.

    Only for a page that shows the name: such an organisation must not be saved.
    """
    organisation, submitted_at = report.party.organisation, submission.submitted_at
    earlier_holder_by_organisation = earlier_organisations_at(report.party.partnership_id, submitted_at)
    report.party.organisation = earlier_holder_by_organisation.get(organisation.pk, organisation)
    show_names_of_day([(timezone.localdate(submitted_at), report.party.organisation)])


def _figures(report: Report) -> list[dict[str, Any]]:
    """Return the figures of the report's period as they are today."""
    return figures_of(ReportPeriod(report.party, report.starts_on, report.ends_on, timezone.localdate()))


def _questions_with_answers(report: Report) -> list[tuple[dict[str, Any], str]]:
    """Return each question of a report with the answer in the draft."""
    return [(question, report.answers.get(question["code"], "")) for question in report.questions]


@require_safe
def report_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one report: the newest submission, earlier submissions, and for the report's own party the draft."""
    user, report, rights = _open_report(request, pk)
    submissions = list(
        report.submissions.select_related("submitted_by", "decided_by", "decided_for").order_by("-number")
    )
    if not submissions and not rights.acts:
        raise PermissionDenied

    shows_draft = rights.acts and report.is_to_write
    if submissions and not shows_draft:
        _name_as_at(report, submissions[0])
    # Each decision shows the organisation under the name that it had on that day.
    show_names_of_day(
        (timezone.localdate(submission.decided_at), submission.decided_for)
        for submission in submissions
        if submission.decided_at is not None
    )

    context = {
        "report": report,
        "organisation": report.party.organisation,
        "partnership": partnership_as_read_by(user, report.round.partnership),
        "submissions": submissions,
        "newest_submission": submissions[0] if submissions else None,
        "days_late": report.days_late(timezone.localdate()) if rights.can_report else 0,
        "shows_draft": shows_draft,
        "answers": _questions_with_answers(report) if shows_draft else [],
        "figures": _figures(report) if shows_draft else [],
        "may_write": rights.may_write and report.is_to_write,
        "may_decide": bool(rights.decides_for) and report.is_submitted,
        "lines": timeline_lines(newest_events(user, kind="progress_report", record_id=pk, count=20)),
    }
    return render(request, "conversations/reports/report.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def write_report(request: HttpRequest, pk: int) -> HttpResponse:
    """Write the report's answers. If a colleague changed the same answers, the page shows both texts."""
    user, report, rights = _open_report(request, pk)
    require(rights.may_write)
    form = ReportForm(post_data(request), report=report)
    context: dict[str, Any] = {
        "report": report,
        "organisation": report.party.organisation,
        "figures": _figures(report),
    }

    if request.method == "POST" and form.is_valid():
        try:
            services.save_report(
                report=report,
                answers=form.changed_answers,
                revision=form.cleaned_data["revision"],
                author=user,
                now=timezone.now(),
            )
        except services.UnableToSaveReport as error:
            form.add_error(None, str(error))
            if error.conflicts:
                _allow_combined_text(form, error.conflicts)
                context["conflicts"] = _both_texts(report, error.conflicts)
        else:
            if "submit" in request.POST:
                return redirect("conversations:report-submit", pk=pk)
            messages.success(
                request, "The report has been saved. Only your organisation can read it until you submit it."
            )
            return redirect(report)

    return form_page(request, "conversations/reports/write.html", form, **context)


def _allow_combined_text(form: ReportForm, conflicts: Mapping[str, PieceConflict]) -> None:
    """Set the form to the newest revision, so that it can be sent again with a text that combines both.

    The person has seen the colleague's text on the page, so the next attempt may replace it.
    """
    # The data that was sent may be a `QueryDict`, which cannot be changed. Its copy can.
    data: Any = copy(form.data)
    data["revision"] = str(max(conflict.revision for conflict in conflicts.values()))
    form.data = data


def _both_texts(report: Report, conflicts: Mapping[str, PieceConflict]) -> list[dict[str, Any]]:
    """Return the reader's and the colleague's text of each answer that both changed."""
    colleague_by_id = User.objects.in_bulk([conflict.by for conflict in conflicts.values() if conflict.by])
    heading_by_code = {question["code"]: question["heading"] for question in report.questions}
    texts = []
    for code, conflict in conflicts.items():
        colleague = colleague_by_id.get(conflict.by) if conflict.by else None
        texts.append(
            {
                "label": f"“{heading_by_code[code]}”",
                "who": colleague.display_name if colleague else "A colleague",
                "yours": conflict.mine,
                "theirs": conflict.theirs,
            }
        )
    return texts


@require_http_methods(["GET", "HEAD", "POST"])
def submit_to_partnership(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the report once more, and submit it on POST."""
    user, report, rights = _open_report(request, pk)
    require(rights.may_write)
    initial = {"revision": report.revision}
    form = SubmitForm(post_data(request), initial=initial, cancel=reverse("conversations:report-write", args=[pk]))

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToSubmitReport):
            with collect_recipients() as recipients:
                services.submit_report(
                    report=report, revision=form.cleaned_data["revision"], author=user, now=timezone.now()
                )
            messages.success(
                request, f"The report for {report.period_words} has been submitted.{recipients.sentence()}"
            )
            return redirect(report)

    return form_page(
        request,
        "conversations/reports/submit.html",
        form,
        report=report,
        organisation=report.party.organisation,
        answers=_questions_with_answers(report),
        figures=_figures(report),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def decide_report(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept the newest submission of a report, or return it with a reason."""
    user, report, rights = _open_report(request, pk)
    require(bool(rights.decides_for))
    newest = report.submissions.order_by("-number").first()
    if newest is None:
        raise Http404
    # The form contains the number of the submission that was read, so that nobody decides about a newer one.
    form = DecisionForm(post_data(request), initial={"number": newest.number}, cancel=report.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        number, reason = form.cleaned_data["number"], form.cleaned_data["reason"]
        is_accepted = form.cleaned_data["decision"] == "accepted"
        with show_refusal(form, services.UnableToDecideReport):
            with collect_recipients() as recipients:
                if is_accepted:
                    services.accept_report(report=report, number=number, author=user, now=timezone.now())
                else:
                    services.return_report(report=report, number=number, reason=reason, author=user, now=timezone.now())
            outcome = "accepted" if is_accepted else "returned"
            messages.success(request, f"The report has been {outcome}.{recipients.sentence()}")
            return redirect(report)

    return form_page(
        request,
        "conversations/reports/decide.html",
        form,
        report=report,
        organisation=report.party.organisation,
        newest_submission=newest,
    )


@require_safe
def compare_versions(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Show how a submission differs from the submission before it, word by word."""
    user, report, _rights = _open_report(request, pk)
    submissions = list(report.submissions.filter(number__in=[number - 1, number]).order_by("number"))
    if len(submissions) < 2:
        raise Http404
    earlier, later = submissions
    _name_as_at(report, later)
    context = {
        "report": report,
        "organisation": report.party.organisation,
        "partnership": partnership_as_read_by(user, report.round.partnership),
        "earlier": earlier,
        "later": later,
        "changes": _changes(earlier, later),
    }
    return render(request, "conversations/reports/compare.html", context)


def _changes(earlier: ReportSubmission, later: ReportSubmission) -> list[dict[str, Any]]:
    """Return the answers and summaries of figures that differ between two submissions, with the differing words."""
    earlier_texts, later_texts = _texts_by_heading(earlier), _texts_by_heading(later)
    # All texts share one limit of time for the comparison.
    time = DiffTime()
    changes = []
    # A dict keeps the order of the headings and removes those that occur twice.
    for heading in dict.fromkeys([*earlier_texts, *later_texts]):
        earlier_text, later_text = earlier_texts.get(heading, ""), later_texts.get(heading, "")
        if earlier_text != later_text:
            changes.append({"heading": heading, "words": word_differences(earlier_text, later_text, time)})
    return changes


def _texts_by_heading(submission: ReportSubmission) -> dict[str, str]:
    """Return the answers and the summaries of figures in a submission, by their headings."""
    texts = {question["heading"]: text for question, text in submission.questions_with_answers}
    for block in submission.figures:
        texts[block["heading"]] = block["summary"]
    return texts
