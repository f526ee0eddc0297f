"""Django admin in which administrators upload and preview lists, import them, and review their rows."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.kit.nudging import nudge_after_commit
from partnerships.people.limits import refuse_too_many_uploads
from partnerships.people.requests import signed_in
from partnerships.transfer.downloads import csv_of_rows_set_aside, links_to_files_to_correct
from partnerships.transfer.forms import AnswerForm, HeadingsForm, UploadForm
from partnerships.transfer.models import UPLOADED, Doubt, ImportJob, ImportRun, RunStatus
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.reporting import accounting, sections
from partnerships.transfer.services.registers import (
    Choices,
    UnableToAnswer,
    UnableToApply,
    UnableToConfirm,
    answer_doubt,
    confirm_headings,
    discard_preview,
    last_line,
    proposals_for,
    queue_import,
    receive_list,
)
from partnerships.transfer.services.registers.published_lists import labels_of
from partnerships.transfer.tasks import apply_waiting

#: The most lines of each outcome on the page of an import.
MAX_LINES = 200


def _duration_in_words(seconds: float) -> str:
    """Return a duration in words, such as “about 40 seconds” or “about 3 minutes”."""
    if seconds < 10:
        return "less than 10 seconds"
    if seconds < 90:
        return f"about {round(seconds, -1):.0f} seconds"
    return f"about {round(seconds / 60):.0f} minutes"


def _earlier_durations() -> list[tuple[str, int, str]]:
    """Return the name, the number of organisations and the duration of each register's latest import."""
    latest_runs = (
        ImportRun.objects.filter(register__in=UPLOADED, status=RunStatus.APPLIED)
        .defer("content")
        .order_by("register", "-started_at", "-pk")
        .distinct("register")
    )
    return [
        (run.get_register_display(), run.bodies, _duration_in_words(run.report.get("seconds") or 0))
        for run in latest_runs
    ]


def _redirect_after_upload(run: ImportRun) -> HttpResponseRedirect:
    """Redirect to the page for matching headings if the file has unknown ones, otherwise to the import's page.

    Nudges a worker if the file is too large to be checked while the page loads.
    """
    if run.is_unchecked:
        nudge_after_commit(apply_waiting.delay)
    return redirect(f"admin:transfer_importrun_{'headings' if run.is_unread else 'change'}", run.pk)


@admin.register(ImportRun)
class ImportRunAdmin(admin.ModelAdmin[ImportRun]):
    """The imports of lists, with pages to upload a file, preview the import, and apply or discard it."""

    list_display = (
        "__str__",
        "status",
        "as_of",
        "created",
        "changed",
        "closed",
        "joined",
        "missing",
        "undecided",
        "started_at",
        "by",
    )
    list_filter = ("register", "status")
    search_fields = ("file_name", "sha256")
    list_select_related = ("by",)
    ordering = ("-started_at", "-pk")
    date_hierarchy = "started_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportRun]:
        """Leave out each import's file and report, which are large and which the list does not show."""
        return super().get_queryset(request).defer("content", "report")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False, because import runs are never changed."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False, because import runs are never deleted."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses to apply or discard a preview, match headings and download the rows set aside."""
        preview_urls = [
            path(
                "<int:pk>/apply/", self.admin_site.admin_view(require_POST(self.apply)), name="transfer_importrun_apply"
            ),
            path(
                "<int:pk>/discard/",
                self.admin_site.admin_view(require_POST(self.discard)),
                name="transfer_importrun_discard",
            ),
            path("<int:pk>/headings/", self.admin_site.admin_view(self.headings), name="transfer_importrun_headings"),
            path(
                "<int:pk>/set-aside.csv",
                self.admin_site.admin_view(require_safe(self.set_aside)),
                name="transfer_importrun_set_aside",
            ),
        ]
        return [*preview_urls, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Upload a list and preview it, without changing the directory yet."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None)
        problem_lines: list[str] = []
        if request.method == "POST":
            too_many_response = refuse_too_many_uploads(request)
            if too_many_response is not None:
                return too_many_response
        if request.method == "POST" and form.is_valid():
            try:
                run = receive_list(
                    register=form.cleaned_data["register"],
                    files=form.chosen_files,
                    author=signed_in(request),
                    now=timezone.now(),
                    choices=Choices.from_values(form.cleaned_data),
                )
            except UnableToRead as error:
                problem_lines = error.lines()
            else:
                return _redirect_after_upload(run)
        failed = bool(problem_lines or form.errors)
        context = {
            **self.admin_site.each_context(request),
            "title": "Import a list",
            "form": form,
            "faults": problem_lines,
            "earlier": _earlier_durations(),
            "opts": self.opts,
        }
        return TemplateResponse(request, "transfer/upload.html", context, status=422 if failed else 200)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the result of an import or, if it was not applied yet, its preview."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = get_object_or_404(ImportRun.objects.defer("content").select_related("by"), pk=object_id)
        job = ImportJob.objects.filter(run=run).first()
        is_running = job is not None and job.is_running
        # An authority's own files are imported by its staff.
        is_for_administrators = run.organisation_id is None
        is_undecided = run.is_waiting and not is_running
        can_change = is_undecided and is_for_administrators and self.has_add_permission(request)
        context = {
            **self.admin_site.each_context(request),
            "title": str(run),
            "run": run,
            "opts": self.opts,
            "last_line": last_line(run, applied=not run.is_waiting),
            "sections": sections(run.report, applied=not run.is_waiting, limit=MAX_LINES),
            "accounting": accounting(run.report),
            "to_correct": links_to_files_to_correct(run, labels_of(run.register)),
            "remarks": run.report.get("remarks", []),
            "too_many_missing": run.report.get("too_many_missing"),
            "duration": _duration_in_words(run.report.get("seconds") or 0),
            "may_confirm": can_change and not run.is_unchecked,
            "job": job,
            "may_apply": can_change and run.status == RunStatus.PREVIEWED,
            "may_discard": can_change,
        }
        return TemplateResponse(request, "transfer/run.html", context)

    def apply(self, request: HttpRequest, pk: int) -> HttpResponseRedirect:
        """Queue the previewed file for a worker to import. The page of the import then shows the progress."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        run = get_object_or_404(ImportRun, pk=pk)
        try:
            queue_import(
                run=run,
                author=signed_in(request),
                now=timezone.now(),
                accept_missing="accept_missing" in request.POST,
            )
        except UnableToApply as error:
            messages.error(request, str(error))
        else:
            nudge_after_commit(apply_waiting.delay)
        return redirect("admin:transfer_importrun_change", pk)

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def headings(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show and save which heading of an uploaded file is which column of the list."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        run = get_object_or_404(ImportRun, pk=pk, status__in=(RunStatus.UNREAD, RunStatus.PREVIEWED))
        proposals = proposals_for(run)
        form = HeadingsForm(request.POST or None, files=proposals, initial={"publisher": run.publisher})
        problem_lines: list[str] = []
        if request.method == "POST" and form.is_valid():
            try:
                checked_run = confirm_headings(
                    run=run,
                    publisher=form.cleaned_data["publisher"],
                    headings=form.headings,
                    author=signed_in(request),
                    now=timezone.now(),
                )
            except UnableToRead as error:
                problem_lines = error.lines()
            except (UnableToConfirm, UnableToApply) as error:
                problem_lines = [str(error)]
            else:
                return _redirect_after_upload(checked_run)
        failed = bool(problem_lines or form.errors)
        context = {
            **self.admin_site.each_context(request),
            "title": "Match headings to columns",
            "form": form,
            "faults": problem_lines,
            "run": run,
            "opts": self.opts,
        }
        return TemplateResponse(request, "transfer/headings.html", context, status=422 if failed else 200)

    def set_aside(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Download the rows of one file that were set aside, to be corrected and uploaded again."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = get_object_or_404(ImportRun.objects.defer("content"), pk=pk)
        return csv_of_rows_set_aside(run, labels_of(run.register), request.GET.get("file", ""))

    def discard(self, request: HttpRequest, pk: int) -> HttpResponseRedirect:
        """Discard a previewed file without importing it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        run = get_object_or_404(ImportRun, pk=pk)
        try:
            discard_preview(run=run, author=signed_in(request), now=timezone.now())
        except UnableToApply as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"You discarded {run.file_name}, so we changed nothing.")
        return redirect("admin:transfer_importrun_changelist")


@admin.register(Doubt)
class DoubtAdmin(admin.ModelAdmin[Doubt]):
    """The rows of lists that match no organisation with certainty, for an administrator to decide."""

    list_display = ("name", "key", "register", "why", "answer", "organisation", "answered_by")
    list_filter = ("answer", "register")
    search_fields = ("name", "key")
    list_select_related = ("organisation", "answered_by")
    ordering = ("answer", "register", "name", "pk")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False, because only imports add rows to review."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False, because the next import would add the row again."""
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a row, the organisations it may mean, and the form for the administrator's decision."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        doubt = get_object_or_404(Doubt.objects.select_related("run", "organisation", "answered_by"), pk=object_id)
        form = AnswerForm(request.POST or None, doubt=doubt)
        if request.method == "POST":
            if not self.has_change_permission(request):
                raise PermissionDenied
            if form.is_valid() and self._save_answer(request, doubt, form):
                return HttpResponseRedirect(reverse("admin:transfer_doubt_changelist"))
        row = {name.replace("_", " "): value for name, value in doubt.row.items() if value not in ("", None, [])}
        context = {
            **self.admin_site.each_context(request),
            "title": str(doubt),
            "doubt": doubt,
            "row": row,
            "form": form,
            "candidates": doubt.candidates.prefetch_related("identifiers").order_by("name", "pk"),
            "opts": self.opts,
            "may_answer": doubt.is_open and self.has_change_permission(request),
        }
        return TemplateResponse(request, "transfer/doubt.html", context, status=422 if form.errors else 200)

    def _save_answer(self, request: HttpRequest, doubt: Doubt, form: AnswerForm) -> bool:
        """Save the decision about a row, and return whether that worked. The form shows why if it did not."""
        try:
            answered_doubt = answer_doubt(
                doubt=doubt,
                answer=form.cleaned_data["answer"],
                organisation=form.cleaned_data["organisation"],
                reason=form.cleaned_data["reason"],
                author=signed_in(request),
                now=timezone.now(),
            )
        except UnableToAnswer as error:
            form.add_error(None, str(error))
            return False
        result = answered_doubt.organisation.name if answered_doubt.organisation else "left out"
        messages.success(request, f"{doubt.name} ({doubt.key}): {result}.")
        return True
