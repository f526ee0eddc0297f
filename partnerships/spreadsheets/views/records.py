"""Pages with the templates, exports and uploads of a plan, a partnership or an organisation."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.kit.http import form_page, post_data_and_files
from partnerships.kit.nudging import nudge_after_commit
from partnerships.people.limits import refuse_too_many_uploads
from partnerships.spreadsheets import downloads
from partnerships.spreadsheets.forms import PASTED, UploadForm
from partnerships.spreadsheets.models import Upload
from partnerships.spreadsheets.queries import uploads_for
from partnerships.spreadsheets.services import upload_spreadsheet
from partnerships.spreadsheets.services.kinds import kinds_of
from partnerships.spreadsheets.tasks import work_on_waiting
from partnerships.spreadsheets.views.fetching import Subject, find_kind, find_subject, find_to_import
from partnerships.transfer.reading.problems import UnableToRead

#: The page of a record shows at most this many uploads.
_MAX_UPLOADS = 20


@require_safe
def record_page(request: HttpRequest, record: str, pk: str) -> HttpResponse:
    """Show the spreadsheets to export and to import, and the person's latest uploads."""
    subject = find_subject(request, record, pk)
    # Each kind of spreadsheet, with whether the person may import it.
    kinds = [(kind, subject.may_import(kind)) for kind in kinds_of(subject.target)]
    context = {
        "subject": subject,
        "kinds": kinds,
        "uploads": _uploads(subject)[:_MAX_UPLOADS],
        "may_import": any(may_import for _, may_import in kinds),
    }
    return render(request, "spreadsheets/record.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, record: str, pk: str, kind: str) -> HttpResponse:
    """Upload a file or paste rows, and preview the import. The preview changes nothing yet."""
    subject, sheet_kind = find_to_import(request, record, pk, kind)
    if request.method == "POST" and (too_many_response := refuse_too_many_uploads(request)) is not None:
        return too_many_response
    record_url = reverse("spreadsheets:record", args=[record, pk]) + subject.query
    form = UploadForm(*post_data_and_files(request), cancel=record_url)

    if request.method == "POST" and form.is_valid():
        data, name = form.data_and_name()
        try:
            upload = upload_spreadsheet(
                kind=sheet_kind.code,
                target=subject.target,
                data=data,
                file_name=name,
                author=subject.person,
                now=timezone.now(),
                all_or_nothing=form.cleaned_data["all_or_nothing"],
            )
        except UnableToRead as error:
            field = "rows" if name == PASTED else "file"
            for line in error.lines():
                form.add_error(field, line)
        else:
            if upload.is_at_work:
                nudge_after_commit(work_on_waiting.delay)
            return redirect("spreadsheets:headings" if upload.is_unread else "spreadsheets:upload", upload.pk)

    columns = sheet_kind.columns(subject.target)
    return form_page(
        request, "spreadsheets/new.html", form, subject=subject, kind=sheet_kind, columns=columns, back=record_url
    )


@require_safe
def template(request: HttpRequest, record: str, pk: str, kind: str, form: str) -> HttpResponseBase:
    """Return an empty spreadsheet with the headings, an example and the allowed values."""
    subject, sheet_kind = find_to_import(request, record, pk, kind)
    columns = sheet_kind.columns(subject.target)
    example = [[column.example for column in columns]]
    return downloads.download(f"{sheet_kind.many} template", form, columns, sheet_kind.title, example)


@require_safe
def export(request: HttpRequest, record: str, pk: str, kind: str, form: str) -> HttpResponseBase:
    """Return the records that the person may read, with the columns of the template."""
    subject = find_subject(request, record, pk)
    sheet_kind = find_kind(subject, kind)
    columns = sheet_kind.columns(subject.target)
    rows = sheet_kind.rows(subject.target, subject.person)
    cells = [[row.get(column.code, "") for column in columns] for row in rows]
    name = f"{sheet_kind.many} {subject.target.title} {timezone.localdate()}"
    return downloads.download(name, form, columns, sheet_kind.title, cells)


def _uploads(subject: Subject) -> QuerySet[Upload]:
    """Return the person's uploads for the record. Uploads for a partnership may be for any of its parties."""
    target = subject.target
    return uploads_for(
        subject.person,
        plan=target.plan,
        partnership=target.partnership,
        organisation=None if target.plan or target.partnership else target.organisation,
    )
