"""Pages to attach, download and remove files of conversations and meetings."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.agreements.models import Document
from partnerships.conversations import services
from partnerships.conversations.forms.files import FileForm, PaperForm
from partnerships.conversations.forms.reasons import ReasonForm
from partnerships.conversations.models import Attachment
from partnerships.conversations.queries.agendas import agenda_for
from partnerships.conversations.views.fetching import open_conversation
from partnerships.conversations.views.meetings.opening import acting_party, open_meeting
from partnerships.kit.http import form_page, post_data, post_data_and_files, private_file, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.rights import roles_of
from partnerships.people.requests import signed_in
from partnerships.plans.models import Version


@require_http_methods(["GET", "HEAD", "POST"])
def file_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Attach a file to a conversation."""
    user, conversation, rights = open_conversation(request, pk)
    require(rights.keeps)
    form = FileForm(*post_data_and_files(request), cancel=conversation.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToAttachFile, field="file"):
            attachment = services.attach_file(
                conversation=conversation, **form.cleaned_data, author=user, now=timezone.now()
            )
            messages.success(request, f"“{attachment.title}” has been attached.")
            return redirect(conversation)

    return form_page(request, "conversations/file_add.html", form, conversation=conversation)


@require_http_methods(["GET", "HEAD", "POST"])
def paper_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Add a paper to a meeting."""
    user, meeting, rights = open_meeting(request, pk)
    require(rights.may_edit)
    documents = Document.objects.visible_to(user).filter(partnership=meeting.partnership_id)
    versions = Version.objects.visible_to(user).without_content().filter(plan__partnership=meeting.partnership_id)
    form = PaperForm(
        *post_data_and_files(request),
        items=agenda_for(meeting, user),
        documents=documents.order_by("title", "pk"),
        versions=versions.order_by("title", "-number", "pk"),
        cancel=meeting.get_absolute_url(),
    )

    if request.method == "POST" and form.is_valid():
        # An empty file field has the value False, but a paper without a file has None.
        paper_data = {**form.cleaned_data, "file": form.cleaned_data["file"] or None}
        with show_refusal(form, services.UnableToAttachFile, field="file"):
            paper = services.add_paper(
                meeting=meeting,
                organisation=acting_party(rights),
                paper=services.Paper(**paper_data),
                author=user,
                now=timezone.now(),
            )
            messages.success(request, f"“{paper.title}” has been added to the papers.")
            return redirect(meeting)

    return form_page(request, "conversations/meetings/paper_add.html", form, meeting=meeting)


@require_safe
def file_download(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send a file as a download."""
    attachment = get_object_or_404(Attachment.objects.visible_to(signed_in(request)), pk=pk)
    if not attachment.is_file:
        raise Http404
    return private_file(attachment.file, name=attachment.file_name, content_type=attachment.content_type)


@require_http_methods(["GET", "HEAD", "POST"])
def file_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a file or paper that the person's own organisation added."""
    user = signed_in(request)
    visible = Attachment.objects.visible_to(user).select_related("conversation", "meeting", "added_for")
    attachment = get_object_or_404(visible, pk=pk)
    require(roles_of(user, timezone.now()).may_edit_for(attachment.added_for_id))
    record = attachment.conversation or attachment.meeting
    assert record is not None  # the constraint `attachment_has_conversation_or_meeting` requires one of them
    back = record.get_absolute_url()
    form = ReasonForm(post_data(request), submit="Remove file", cancel=back)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToRemoveFile):
            services.remove_attachment(
                attachment=attachment, reason=form.cleaned_data["reason"], author=user, now=timezone.now()
            )
            messages.success(request, f"“{attachment.title}” has been removed.")
            return redirect(back)

    return form_page(request, "conversations/file_remove.html", form, attachment=attachment, back=back)
