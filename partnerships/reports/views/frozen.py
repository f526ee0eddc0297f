"""Freeze a report, read frozen reports, and compare them with today."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.kit.http import form_page, keyset_page, post_data, show_refusal
from partnerships.organisations.statements import lookup, read_ahead, row_or_404
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.reports import services
from partnerships.reports.comparing import restatements
from partnerships.reports.downloads import file_response, page_context
from partnerships.reports.forms import FreezeForm
from partnerships.reports.models import FORMATS, FrozenReport
from partnerships.reports.paging import Paging
from partnerships.reports.presenting import MAX_PRINTED
from partnerships.reports.queries import (
    InvalidFilters,
    audience_snapshot,
    frozen_report_for,
    frozen_reports_for,
    readable_figures,
)
from partnerships.reports.registry import find_report
from partnerships.reports.rights import bodies_to_report_for
from partnerships.reports.snapshot import Snapshot
from partnerships.reports.views.reading import report_filters, report_or_404
from partnerships.reports.wording import shown_restatements


@require_http_methods(["GET", "HEAD", "POST"])
def freeze_figures(request: HttpRequest, slug: str) -> HttpResponse:
    """Freeze a report with the filters in the URL."""
    person = signed_in(request)
    report = report_or_404(slug)
    filters = report_filters(request, report)
    form = FreezeForm(post_data(request), audiences=bodies_to_report_for(person), cancel=filters.report_url)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToFreeze):
            frozen_report = services.freeze_report(
                report=slug,
                query_string=filters.query_string,
                name=form.cleaned_data["name"],
                reason=form.cleaned_data["reason"],
                audience=form.chosen_audience,
                author=person,
                now=timezone.now(),
            )
            messages.success(request, f"“{frozen_report.name}” has been frozen.")
            return redirect(frozen_report)

    return form_page(request, "reports/freeze.html", form, report=report, chips=filters.chips)


@require_safe
def frozen_list(request: HttpRequest) -> HttpResponse:
    """Show the list of frozen reports that the person may read, the newest first."""
    page = keyset_page(request, frozen_reports_for(signed_in(request)).defer("content"), order=("-frozen_at", "-pk"))
    return render(request, "reports/frozen_list.html", {"page": page})


def _frozen_or_404(request: HttpRequest, pk: int) -> FrozenReport:
    """Return the frozen report with this id. Raises Http404 unless the signed-in person may read it."""
    try:
        return frozen_report_for(signed_in(request), pk)
    except FrozenReport.DoesNotExist as error:
        raise Http404 from error


@require_safe
def frozen(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a frozen report with its figures."""
    frozen_report = _frozen_or_404(request, pk)
    may_compare = FrozenReport.objects.visible_to_current_audience(signed_in(request)).filter(pk=pk).exists()
    figures = readable_figures(frozen_report, signed_in(request), timezone.now())
    context = {
        **page_context(figures, Paging(request.GET)),
        "frozen": frozen_report,
        "formats": FORMATS.items(),
        "may_compare": may_compare,
    }
    return render(request, "reports/frozen.html", context)


@require_safe
def frozen_file(request: HttpRequest, pk: int, form: str) -> HttpResponse:
    """Download a frozen report as a file."""
    frozen_report = _frozen_or_404(request, pk)
    if form not in FORMATS:
        raise Http404
    return file_response(request, readable_figures(frozen_report, signed_in(request), timezone.now()), form)


@require_safe
def compare_with_today(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the figures of a frozen report that are different today, for its present audience only."""
    user, now = signed_in(request), timezone.now()
    # Sent together with the query for the header of the page.
    read_ahead([lookup(_frozen_for_present_audience, user, pk)])
    frozen_report = row_or_404(_frozen_for_present_audience, user, pk)
    present_figures = _present_figures(frozen_report, now)
    frozen_figures = readable_figures(frozen_report, user, now)
    differences = restatements(frozen_figures, present_figures) if present_figures else []
    context = {
        "frozen": frozen_report,
        "today": present_figures,
        "rows": shown_restatements(differences[:MAX_PRINTED]),
        "more": max(len(differences) - MAX_PRINTED, 0),
        "is_cut": any(table.left_out for table in frozen_figures.tables),
    }
    return render(request, "reports/compare.html", context)


def _frozen_for_present_audience(user: User, pk: int) -> QuerySet[FrozenReport]:
    """Return the frozen report with this id if the person is in its present audience."""
    reports = FrozenReport.objects.visible_to_current_audience(user).filter(pk=pk)
    return reports.select_related("organisation", "partnership")


def _present_figures(frozen_report: FrozenReport, now: dt.datetime) -> Snapshot | None:
    """Return the figures of the report today, or None if the report or one of its filters no longer exists."""
    report = find_report(frozen_report.report)
    if report is None:
        return None
    try:
        return audience_snapshot(report, frozen_report.audience, frozen_report.question, now)
    except InvalidFilters:
        return None
