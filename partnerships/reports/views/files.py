"""Pages to request a file of a long report, watch its progress and download it."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from partnerships.documents.downloads import as_file
from partnerships.kit.exports import describe_export
from partnerships.kit.nudging import nudge_after_commit
from partnerships.kit.rights import require
from partnerships.kit.standby import content_of
from partnerships.people.requests import signed_in
from partnerships.reports import services
from partnerships.reports.downloads import CONTENT_TYPES
from partnerships.reports.models import FORMATS, ReportFile
from partnerships.reports.registry import find_report
from partnerships.reports.snapshot import from_json
from partnerships.reports.tasks import make_files
from partnerships.reports.views.reading import report_filters, report_or_404


@require_POST
def make_file(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    """Request a file of a report, with the filters in the URL. A worker then writes it."""
    person = signed_in(request)
    report = report_or_404(slug)
    if form not in FORMATS:
        raise Http404
    filters = report_filters(request, report)

    try:
        file = services.ask_for_file(
            report=slug, query_string=filters.query_string, form=form, person=person, now=timezone.now()
        )
    except services.UnableToMakeFile as error:
        messages.error(request, str(error))
        return redirect(filters.report_url)

    nudge_after_commit(make_files.delay)
    return redirect(file)


def _own_file(request: HttpRequest, pk: int) -> ReportFile:
    """Return the signed-in person's file with this id, or answer 404."""
    return get_object_or_404(ReportFile.objects.defer("content"), pk=pk, person=signed_in(request))


def _report_url(file: ReportFile) -> str:
    """Return the URL of the report with the filters of the file."""
    page = reverse("reports:report", kwargs={"slug": file.report})
    return f"{page}?{file.question}" if file.question else page


@require_safe
def made_file(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the progress of a file, and the link to download it."""
    own_file = _own_file(request, pk)
    report = find_report(own_file.report)
    context = {
        "file": own_file,
        "title": report.title if report else own_file.report,
        "back": _report_url(own_file),
        "percent": 100 * own_file.done // max(own_file.total, 1),
        "format": own_file.format,
        "may_download": services.may_download(own_file, own_file.person, timezone.now()),
    }
    return render(request, "reports/made_file.html", context)


@require_safe
def download_made(request: HttpRequest, pk: int) -> HttpResponse:
    """Download a file that a worker has written."""
    own_file = _own_file(request, pk)
    if not own_file.is_made:
        raise Http404
    require(services.may_download(own_file, own_file.person, timezone.now()))
    response = HttpResponse(content_of(own_file), content_type=CONTENT_TYPES[own_file.form])
    describe_export(response, f"{own_file.report}.{own_file.form}?{own_file.question}")
    return as_file(response, from_json(own_file.figures or {}).title, own_file.form)


@require_POST
def remove_file(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a file of the signed-in person."""
    own_file = _own_file(request, pk)
    services.remove_file(file=own_file, person=own_file.person)
    messages.success(request, "The file has been removed.")
    return redirect(_report_url(own_file))
