"""Pages on which an authority's staff import its own plans, agreements and brownfield land."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.kit.http import form_page, post_data, post_data_and_files
from partnerships.kit.nudging import nudge_after_commit
from partnerships.organisations.models import PLANNING_BODIES, Organisation
from partnerships.people.limits import refuse_too_many_uploads
from partnerships.people.requests import signed_in
from partnerships.transfer.downloads import csv_of_rows_set_aside, links_to_files_to_correct
from partnerships.transfer.forms import OwnFilesForm, OwnHeadingsForm
from partnerships.transfer.models import OWN_REGISTERS, ImportJob, ImportRun, Register
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.reporting import accounting, sections
from partnerships.transfer.rights import may_apply, may_upload
from partnerships.transfer.services.registers import (
    Choices,
    UnableToApply,
    UnableToConfirm,
    confirm_headings,
    discard_preview,
    proposals_for,
    queue_import,
    receive_list,
)
from partnerships.transfer.services.registers.published_lists import labels_of
from partnerships.transfer.tasks import apply_waiting

#: The most lines of each outcome on the page of an import.
MAX_LINES = 100
#: The most imports on the page of an organisation.
MAX_RUNS = 20


@require_safe
def organisation_imports(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the files that the authority's staff can import, and its latest imports."""
    organisation = _find_organisation(request, pk)
    runs = ImportRun.objects.filter(organisation=organisation).select_related("by").defer("content", "report")
    registers = [Register(register) for register in OWN_REGISTERS]
    context = {
        "organisation": organisation,
        "registers": registers,
        "runs": runs.order_by("-started_at", "-pk")[:MAX_RUNS],
    }
    return render(request, "transfer/own.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def upload_files(request: HttpRequest, pk: int, register: str) -> HttpResponse:
    """Upload and preview the files of a standard, without changing any record yet."""
    organisation = _find_organisation(request, pk)
    if register not in OWN_REGISTERS:
        raise Http404
    if request.method == "POST" and (too_many_response := refuse_too_many_uploads(request)) is not None:
        return too_many_response
    return_url = reverse("transfer:own", args=[organisation.pk])
    form = OwnFilesForm(*post_data_and_files(request), register=register, cancel=return_url)

    if request.method == "POST" and form.is_valid():
        choices = Choices(
            publisher=organisation.name[:120],
            as_of=form.cleaned_data["as_of"],
            all_or_nothing=form.cleaned_data["all_or_nothing"],
        )
        try:
            run = receive_list(
                register=register,
                files=form.chosen_files,
                author=signed_in(request),
                now=timezone.now(),
                choices=choices,
                organisation=organisation,
            )
        except UnableToRead as error:
            for line in error.lines():
                form.add_error(None, line)
        else:
            return _redirect_after_upload(run)

    label = Register(register).label
    return form_page(request, "transfer/own_upload.html", form, organisation=organisation, label=label, back=return_url)


@require_safe
def run_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the preview of an import, its progress, or its result. Only leads of the authority may apply a preview."""
    run = _find_run(request, pk)
    job = ImportJob.objects.filter(run=run).first()
    is_running = job is not None and job.is_running
    can_change = run.is_waiting and not is_running
    is_lead = may_apply(signed_in(request), timezone.now(), register=run.register, organisation=run.organisation)
    context = {
        "run": run,
        "job": job,
        "accounting": accounting(run.report),
        "remarks": run.report.get("remarks", []),
        "sections": sections(run.report, applied=not run.is_waiting, limit=MAX_LINES),
        "to_correct": links_to_files_to_correct(run, labels_of(run.register)),
        "may_apply": can_change and run.is_previewed and is_lead,
        "waits_for_lead": can_change and run.is_previewed and not is_lead,
        "may_confirm": can_change and not run.is_unchecked,
        "may_discard": can_change,
    }
    return render(request, "transfer/own_run.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def match_headings(request: HttpRequest, pk: int) -> HttpResponse:
    """Show and save which heading of the files is which column of the standard."""
    run = _find_run(request, pk, with_files=True)
    if not (run.is_unread or run.is_previewed):
        return redirect("transfer:own-run", run.pk)
    return_url = reverse("transfer:own-run", args=[run.pk])
    form = OwnHeadingsForm(post_data(request), files=proposals_for(run), cancel=return_url)

    if request.method == "POST" and form.is_valid():
        try:
            checked_run = confirm_headings(
                run=run, publisher="", headings=form.headings, author=signed_in(request), now=timezone.now()
            )
        except UnableToRead as error:
            for line in error.lines():
                form.add_error(None, line)
        except (UnableToConfirm, UnableToApply) as error:
            form.add_error(None, str(error))
        else:
            return _redirect_after_upload(checked_run)

    return form_page(request, "transfer/own_headings.html", form, run=run, back=return_url)


@require_POST
def apply_import(request: HttpRequest, pk: int) -> HttpResponseRedirect:
    """Queue the files for a worker to import. The page of the import then shows the progress."""
    run = _find_run(request, pk)

    try:
        queue_import(run=run, author=signed_in(request), now=timezone.now())
    except UnableToApply as error:
        messages.error(request, str(error))
    else:
        nudge_after_commit(apply_waiting.delay)
    return redirect("transfer:own-run", run.pk)


@require_POST
def discard_upload(request: HttpRequest, pk: int) -> HttpResponseRedirect:
    """Discard the files without importing them."""
    run = _find_run(request, pk)

    try:
        discard_preview(run=run, author=signed_in(request), now=timezone.now())
    except UnableToApply as error:
        messages.error(request, str(error))
        return redirect("transfer:own-run", run.pk)

    messages.success(request, f"{run.file_name} was discarded. Nothing was changed.")
    return redirect("transfer:own", run.organisation_id)


@require_safe
def download_set_aside(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Download the rows of one file that were set aside, to be corrected and uploaded again."""
    run = _find_run(request, pk)
    return csv_of_rows_set_aside(run, labels_of(run.register), request.GET.get("file", ""))


def _find_organisation(request: HttpRequest, pk: int) -> Organisation:
    """Return a planning authority whose files the person may upload.

    Raises Http404 if the organisation is no planning authority, and PermissionDenied if the person may not.
    """
    organisation = get_object_or_404(Organisation, pk=pk, kind__in=PLANNING_BODIES)
    person, now = signed_in(request), timezone.now()
    if not may_upload(person, now, register=OWN_REGISTERS[0], organisation=organisation):
        raise PermissionDenied
    return organisation


def _find_run(request: HttpRequest, pk: int, *, with_files: bool = False) -> ImportRun:
    """Return an import of an organisation's own files, or raise Http404 if the person may not see it."""
    runs = ImportRun.objects.of_person(signed_in(request)).select_related("organisation", "by")
    return get_object_or_404(runs if with_files else runs.defer("content"), pk=pk)


def _redirect_after_upload(run: ImportRun) -> HttpResponseRedirect:
    """Redirect to the page for matching headings if the file has unknown ones, otherwise to the import's page.

    Nudges a worker if the file is too large to be checked while the page loads.
    """
    if run.is_unchecked:
        nudge_after_commit(apply_waiting.delay)
    return redirect("transfer:own-headings" if run.is_unread else "transfer:own-run", run.pk)
