"""Pages of the documents of a partnership.

`require` answers 403 if its condition is false.
"""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.agreements.forms import DocumentForm
from partnerships.agreements.models import Document, TermsSignature
from partnerships.agreements.queries.sharing import data_sharing_state, is_data_sharing_open
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services import UnableToAddDocument, UnableToRemoveDocument, add_document, remove_document
from partnerships.agreements.views.access import get_readable
from partnerships.kit.http import form_page, keyset_page, post_data_and_files, private_file, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.naming import show_names_of_day
from partnerships.people.requests import signed_in


@require_safe
def documents(request: HttpRequest, pk: int) -> HttpResponse:
    """List the documents of a partnership, newest first."""
    user, now = signed_in(request), timezone.now()
    partnership = get_readable(user, pk)
    # A scan of a signature is part of the terms, so the page marks it.
    signatures_on_scan = TermsSignature.objects.filter(scan=OuterRef("pk"))
    rows = (
        Document.objects.visible_to(user)
        .filter(partnership=pk)
        .select_related("added_by", "added_for")
        .annotate(is_signature=Exists(signatures_on_scan))
    )
    page = keyset_page(request, rows, order=("-added_at", "-pk"))
    # Each organisation is shown under the name that it had when it added the document.
    show_names_of_day((timezone.localdate(row.added_at), row.added_for) for row in page.rows)
    rights = rights_over(partnership, user, now)
    organisation_ids = frozenset[int]() if partnership.is_over else rights.adds_documents_for
    context = {
        "partnership": partnership,
        "page": page,
        "may_add": bool(organisation_ids),
        "removes_for": organisation_ids,
        "sharing": data_sharing_state(partnership, timezone.localdate()),
    }
    return render(request, "agreements/documents.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def document_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the form to add a document to a partnership. On POST, save the uploaded file."""
    user = signed_in(request)
    partnership = get_readable(user, pk)
    rights = rights_over(partnership, user, timezone.now())
    require(bool(rights.adds_documents_for))
    organisation = Organisation.objects.filter(pk__in=rights.adds_documents_for).order_by("name", "pk").first()
    form = DocumentForm(*post_data_and_files(request), partnership=partnership)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToAddDocument, field="file"):
            document = add_document(
                partnership=partnership,
                title=form.cleaned_data["title"],
                file=form.cleaned_data["file"],
                personal_data=form.cleaned_data["personal_data"],
                organisation=organisation,
                author=user,
                now=timezone.now(),
            )
            message = f"“{document.title}” has been added to the partnership’s documents."
            messages.success(request, message)
            return redirect("agreements:documents", pk)

    return form_page(request, "agreements/document_add.html", form, partnership=partnership)


@require_safe
def document_download(request: HttpRequest, pk: int, document: int) -> HttpResponseBase:
    """Download a document as an attachment.

    A document with personal data can be downloaded only while data sharing in the partnership is open to the reader.
    """
    user = signed_in(request)
    document_row = get_object_or_404(Document.objects.visible_to(user), pk=document, partnership=pk)
    if document_row.personal_data:
        require(is_data_sharing_open(document_row.partnership, timezone.localdate(), user))
    return private_file(document_row.file, name=document_row.file_name, content_type=document_row.content_type)


@require_http_methods(["GET", "HEAD", "POST"])
def document_remove(request: HttpRequest, pk: int, document: int) -> HttpResponse:
    """Ask whether to remove a document. On POST, remove the document.

    Only editors and leads of the organisation that added the document may remove it.
    """
    user = signed_in(request)
    partnership = get_readable(user, pk)
    document_row = get_object_or_404(Document.objects.visible_to(user), pk=document, partnership=pk)
    require(rights_over(partnership, user, timezone.now()).may_remove(document_row))
    if request.method != "POST":
        context = {"document": document_row, "partnership": partnership}
        return render(request, "agreements/document_remove.html", context)

    try:
        remove_document(document=document_row, organisation=document_row.added_for, author=user, now=timezone.now())
    except UnableToRemoveDocument as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, f"“{document_row.title}” has been removed. An administrator can restore it.")
    return redirect("agreements:documents", pk=pk)
