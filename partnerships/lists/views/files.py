"""Pages to request a file of a long list, see its progress, download it and remove it."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.kit.exports import count_rows, describe_export
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.lists import find_list
from partnerships.kit.nudging import nudge_after_commit
from partnerships.kit.rights import require
from partnerships.kit.standby import content_of
from partnerships.lists import services
from partnerships.lists.downloads import CONTENT_TYPES, FORMATS, MAX_ROWS, count_of
from partnerships.lists.forms import MakeFileForm
from partnerships.lists.models import ListFile
from partnerships.lists.presenting import chips_of
from partnerships.lists.tasks import make_files
from partnerships.lists.views.asking import listing_of
from partnerships.people.requests import signed_in


def _own_file(request: HttpRequest, pk: int) -> ListFile:
    """Return one of the reader's own files without its content. Raises Http404 for other files."""
    return get_object_or_404(ListFile.objects.defer("content"), pk=pk, person=signed_in(request))


@require_http_methods(["GET", "HEAD", "POST"])
def make_file(request: HttpRequest, kind: str, form: str) -> HttpResponse:
    """Confirm that a worker should make a file of everything that the list shows, and start the worker."""
    if form not in FORMATS:
        raise Http404
    person = signed_in(request)
    listing, back = listing_of(request, kind)
    if not listing.form.is_valid():  # the page of the list says what is wrong
        return redirect(back)
    confirmation_form = MakeFileForm(post_data(request), cancel=back)

    if request.method == "POST" and confirmation_form.is_valid():
        with show_refusal(confirmation_form, services.UnableToMakeFile):
            new_file = services.request_file(listing=listing, file_format=form, person=person, now=timezone.now())
            nudge_after_commit(make_files.delay)
            messages.success(request, "We are making the file.")
            return redirect(new_file)

    count = count_of(listing)
    return form_page(
        request,
        "lists/make_file.html",
        confirmation_form,
        definition=listing.definition,
        format=FORMATS[form],
        count=min(count, MAX_ROWS),
        is_too_long=count > MAX_ROWS,
        chips=chips_of(listing),
        back=back,
    )


@require_safe
def file_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the progress of a file or, once the file is made, its download."""
    own_file = _own_file(request, pk)
    definition = find_list(own_file.kind)
    context = {
        "file": own_file,
        "title": definition.title if definition else own_file.kind,
        "format": FORMATS.get(own_file.form, own_file.form),
        "may_download": services.may_download(own_file, own_file.person, timezone.now()),
    }
    return render(request, "lists/file.html", context)


@require_safe
def file_download(request: HttpRequest, pk: int) -> HttpResponse:
    """Download a file that a worker made."""
    own_file = _own_file(request, pk)
    if not own_file.is_made:
        raise Http404
    require(services.may_download(own_file, own_file.person, timezone.now()))
    response = HttpResponse(content_of(own_file), content_type=CONTENT_TYPES[own_file.form])
    response["Content-Disposition"] = f'attachment; filename="{own_file.kind}.{own_file.form}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    count_rows(response, own_file.total)
    describe_export(response, own_file.asked)
    return response


@require_POST
def file_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a file."""
    own_file = _own_file(request, pk)
    services.remove_file(file=own_file, person=own_file.person)
    messages.success(request, "The file has been removed.")
    return redirect("lists:views")
