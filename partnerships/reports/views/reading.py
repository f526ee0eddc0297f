"""The page of reports, and each report as a page and as files."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.kit.forms import Chip, active_filters
from partnerships.kit.record_fields import find_without_script, suggestions
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.organisations.queries import acting_memberships
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.reports.downloads import file_of, shown
from partnerships.reports.models import FORMATS, ReportFile
from partnerships.reports.paging import Paging
from partnerships.reports.queries import InvalidFilters, snapshot_of
from partnerships.reports.registry import Report, all_reports, find_report


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The reports that exist, by group, and the dashboards of the reader's organisations."""
    own = Organisation.objects.of_person(signed_in(request)).order_by("name", "pk")
    groups: dict[str, list[Report]] = {}
    for report in all_reports():
        groups.setdefault(report.group, []).append(report)
    return render(request, "reports/index.html", {"groups": list(groups.items()), "own": own})


@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """A report: its filters, and its figures as charts and tables."""
    reader, report = signed_in(request), found_report(slug)
    form = report.form(request.GET, reader)
    if (suggested := suggestions(form, request.GET)) is not None:
        return suggested
    find_without_script(form, request.GET)
    try:
        snapshot = snapshot_of(report, reader, request.GET, now=timezone.now(), form=form)
    except InvalidFilters:
        return render(request, "reports/report.html", {"report": report, "form": form}, status=422)
    context = {
        **shown(snapshot, Paging(request.GET)),
        "own_files": _files_of(reader, report),
        "may_freeze": acting_memberships(reader).filter(role__in=EDITING_ROLES).exists(),
        "report": report,
        "form": form,
        "chips": active_filters(form, request.GET),
        "clear": request.path,
        "query": request.GET.urlencode(),
        "formats": FORMATS.items(),
    }
    partial = bool(getattr(request, "htmx", False))
    return render(request, "reports/_results.html" if partial else "reports/report.html", context)


def _files_of(reader: User, report: Report) -> list[ReportFile]:
    """The files of a long report that the reader has asked for, the newest first."""
    if not report.takes_long:
        return []
    own = ReportFile.objects.filter(person=reader, report=report.slug).defer("content", "figures")
    return list(own.order_by("-asked_at", "-pk"))


@require_safe
def download(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    """A report as a file, with the figures that the page has at that moment; of a long one the page makes files."""
    reader, report = signed_in(request), found_report(slug)
    if form not in FORMATS:
        raise Http404
    if report.takes_long:
        return redirect(filters_in(request, report)[1])
    try:
        snapshot = snapshot_of(report, reader, request.GET, now=timezone.now())
    except InvalidFilters:  # the page says what is wrong
        return redirect(f"{reverse('reports:report', kwargs={'slug': slug})}?{request.GET.urlencode()}")
    return file_of(request, snapshot, form)


def found_report(slug: str) -> Report:
    """The report with this name; 404 if there is none."""
    report = find_report(slug)
    if report is None:
        raise Http404
    return report


def filters_in(request: HttpRequest, report: Report) -> tuple[str, str, list[Chip]]:
    """The filters in an address, without anything else.

    Returns them as a query string, the report's page with them, and their words.
    """
    form = report.form(request.GET, signed_in(request))
    kept = request.GET.copy()
    for name in list(kept):
        if name not in form.fields:
            del kept[name]
    question = kept.urlencode()
    page = reverse("reports:report", kwargs={"slug": report.slug})
    return question, f"{page}?{question}" if question else page, active_filters(form, request.GET)
