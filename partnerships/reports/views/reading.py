"""The list of reports, and each report as a page and as files."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.kit.active_filters import Chip, active_filters
from partnerships.kit.record_fields import find_without_script, suggestions
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.reports.downloads import file_response, page_context
from partnerships.reports.models import FORMATS, ReportFile
from partnerships.reports.paging import Paging
from partnerships.reports.queries import InvalidFilters, snapshot_of
from partnerships.reports.registry import Report, all_reports, find_report


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show the list of reports by group, with links to the dashboards of the reader's organisations."""
    own_organisations = Organisation.objects.of_person(signed_in(request)).order_by("name", "pk")
    groups: dict[str, list[Report]] = {}
    for report in all_reports():
        groups.setdefault(report.group, []).append(report)
    return render(request, "reports/index.html", {"groups": list(groups.items()), "own": own_organisations})


@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the filters of a report, and its figures as charts and tables."""
    reader = signed_in(request)
    report = report_or_404(slug)
    form = report.form(request.GET, reader)
    if (suggestions_response := suggestions(form, request.GET)) is not None:
        return suggestions_response
    find_without_script(form, request.GET)
    try:
        snapshot = snapshot_of(report, reader, request.GET, now=timezone.now(), form=form)
    except InvalidFilters:
        return render(request, "reports/report.html", {"report": report, "form": form}, status=422)
    context = {
        **page_context(snapshot, Paging(request.GET)),
        "own_files": _own_files(reader, report),
        "may_freeze": bool(Membership.objects.organisations_of(reader, *EDITING_ROLES)),
        "report": report,
        "form": form,
        "chips": active_filters(form, request.GET),
        "clear": request.path,
        "query": request.GET.urlencode(),
        "formats": FORMATS.items(),
    }
    is_htmx = bool(getattr(request, "htmx", False))
    return render(request, "reports/_results.html" if is_htmx else "reports/report.html", context)


def _own_files(reader: User, report: Report) -> list[ReportFile]:
    """Return the files of a long report that the reader has requested, the newest first."""
    if not report.takes_long:
        return []
    # Sent together with the query for the header of the page.
    read_ahead([lookup(_files_of, reader, report.slug)])
    return rows_for(_files_of, reader, report.slug)


def _files_of(reader: User, slug: str) -> QuerySet[ReportFile]:
    """Return the files of a report that the reader has requested, without their content, the newest first."""
    files = ReportFile.objects.filter(person=reader, report=slug).defer("content", "figures")
    return files.order_by("-asked_at", "-pk")


@require_safe
def download(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    """Download a report as a file. A long report redirects to its page, where the reader can request the file."""
    reader = signed_in(request)
    report = report_or_404(slug)
    if form not in FORMATS:
        raise Http404
    if report.takes_long:
        return redirect(report_filters(request, report).report_url)
    try:
        snapshot = snapshot_of(report, reader, request.GET, now=timezone.now())
    except InvalidFilters:  # the report's page shows the errors
        return redirect(f"{reverse('reports:report', kwargs={'slug': slug})}?{request.GET.urlencode()}")
    return file_response(request, snapshot, form)


def report_or_404(slug: str) -> Report:
    """Return the report with this slug, or answer 404."""
    report = find_report(slug)
    if report is None:
        raise Http404
    return report


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFilters:
    """The filters of a report in a URL, without its other parameters."""

    query_string: str
    #: The URL of the report's page with these filters.
    report_url: str
    #: The filters in words.
    chips: list[Chip]


def report_filters(request: HttpRequest, report: Report) -> ReportFilters:
    """Return the report's filters in the URL of the request."""
    form = report.form(request.GET, signed_in(request))
    parameters = request.GET.copy()
    for name in list(parameters):
        if name not in form.fields:
            del parameters[name]
    query_string = parameters.urlencode()
    page = reverse("reports:report", kwargs={"slug": report.slug})
    return ReportFilters(
        query_string=query_string,
        report_url=f"{page}?{query_string}" if query_string else page,
        chips=active_filters(form, request.GET),
    )
