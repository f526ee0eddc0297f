"""Pages to match the headings of an upload, check its preview, import it, and see its result."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.kit.exports import csv_response
from partnerships.kit.http import form_page, post_data
from partnerships.kit.nudging import nudge_after_commit
from partnerships.people.requests import signed_in
from partnerships.spreadsheets.forms import HeadingsForm
from partnerships.spreadsheets.services import (
    UnableToApply,
    UnableToConfirm,
    ask_to_import,
    confirm_headings,
    discard_upload,
    heading_proposals,
)
from partnerships.spreadsheets.tasks import work_on_waiting
from partnerships.spreadsheets.views.fetching import find_upload
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.reporting import accounting, files_to_correct, rows_to_correct, sections

#: The page shows at most this many lines for each outcome.
MAX_LINES = 100


@require_safe
def upload_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the preview of an upload, its progress, or its result."""
    upload, kind = find_upload(request, pk)
    has_used_rows = upload.report.get("rows", {}).get("used", 0) > 0
    is_refused = upload.all_or_nothing and bool(upload.report.get("set_aside"))
    context = {
        "upload": upload,
        "kind": kind,
        "record": reverse("spreadsheets:record", args=[upload.record, upload.record_id]),
        "accounting": accounting(upload.report, is_done=not upload.is_previewed),
        "remarks": upload.report.get("remarks", []),
        "sections": sections(upload.report, applied=upload.is_applied, limit=MAX_LINES),
        "has_set_aside": bool(files_to_correct(upload.report)),
        "may_import": upload.is_previewed and not is_refused and has_used_rows,
        "is_refused": upload.is_previewed and is_refused,
    }
    return render(request, "spreadsheets/upload.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def headings(request: HttpRequest, pk: int) -> HttpResponse:
    """Match the headings of the file with columns."""
    upload, kind = find_upload(request, pk)
    if upload.is_over or upload.is_at_work:
        return redirect(upload)

    person = signed_in(request)
    proposals = heading_proposals(upload, person, timezone.now())
    record_url = reverse("spreadsheets:record", args=[upload.record, upload.record_id])
    form = HeadingsForm(post_data(request), proposals=proposals, cancel=record_url)

    if request.method == "POST" and form.is_valid():
        try:
            confirm_headings(upload=upload, headings=form.headings, author=person, now=timezone.now())
        except UnableToRead as error:
            for line in error.lines():
                form.add_error(None, line)
        except (UnableToConfirm, UnableToApply) as error:
            form.add_error(None, str(error))
        else:
            nudge_after_commit(work_on_waiting.delay)
            return redirect(upload)

    return form_page(request, "spreadsheets/headings.html", form, upload=upload, kind=kind, back=record_url)


@require_POST
def import_rows(request: HttpRequest, pk: int) -> HttpResponseRedirect:
    """Import the good rows. A worker imports a large file."""
    upload, kind = find_upload(request, pk)

    try:
        upload = ask_to_import(upload=upload, author=signed_in(request), now=timezone.now())
    except (UnableToApply, UnableToRead) as error:
        messages.error(request, str(error))
        return redirect(upload)

    if upload.is_applied:
        messages.success(request, f"{kind.title} imported.")
    else:
        nudge_after_commit(work_on_waiting.delay)
    return redirect(upload)


@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponseRedirect:
    """Delete the file of an upload without importing it."""
    upload, _kind = find_upload(request, pk)

    try:
        discard_upload(upload=upload, author=signed_in(request), now=timezone.now())
    except UnableToApply as error:
        messages.error(request, str(error))
        return redirect(upload)

    messages.success(request, "The spreadsheet has been discarded. We did not change anything.")
    return redirect("spreadsheets:record", upload.record, upload.record_id)


@require_safe
def set_aside(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Return the rows that were set aside, as a file to correct and upload again."""
    upload, kind = find_upload(request, pk)
    if not files_to_correct(upload.report):
        raise Http404
    heading, rows = rows_to_correct(upload.report)
    return csv_response(f"set-aside-{kind.code}.csv", heading, rows)
