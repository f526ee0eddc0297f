"""Pages to circulate a record, to correct it and to agree to it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from partnerships.conversations import queries, services
from partnerships.conversations.forms.agreeing import AgreeForm, AnswerCorrectionForm, CorrectionForm
from partnerships.conversations.forms.reasons import ConfirmForm
from partnerships.conversations.models import Conversation, Correction
from partnerships.conversations.rights import rights_over
from partnerships.conversations.views.fetching import open_conversation
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in


@require_http_methods(["GET", "HEAD", "POST"])
def circulate_record(request: HttpRequest, pk: int) -> HttpResponse:
    """Circulate the record, and email the attendees who may read it."""
    user, conversation, rights = open_conversation(request, pk)
    require(rights.keeps)
    form = ConfirmForm(post_data(request), submit="Circulate record", cancel=conversation.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        try:
            with collect_recipients() as recipients:
                services.circulate(conversation=conversation, author=user, now=timezone.now())
        except services.UnableToCirculate as error:
            # The page of the conversation shows the state of the record, which explains the refusal.
            messages.warning(request, str(error))
        else:
            recipients_sentence = recipients.sentence() or " Nobody will get an email."
            messages.success(request, f"“{conversation.subject}” has been circulated.{recipients_sentence}")
        return redirect(conversation)

    return form_page(
        request,
        "conversations/circulate.html",
        form,
        conversation=conversation,
        recipients=_recipients(conversation, user),
    )


def _recipients(conversation: Conversation, author: User) -> list[User]:
    """Return the attendees who may read the record, except the author."""
    return list(queries.attendees_with_access(conversation).exclude(pk=author.pk))


@require_http_methods(["GET", "HEAD", "POST"])
def correct_record(request: HttpRequest, pk: int) -> HttpResponse:
    """Suggest a correction to a record that another organisation keeps."""
    user, conversation, rights = open_conversation(request, pk)
    require(bool(rights.other_sides))
    form = CorrectionForm(post_data(request), conversation=conversation)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToCorrect):
            services.suggest_correction(
                conversation=conversation,
                # Of several organisations that the person edits for, the first corrects.
                organisation=rights.other_sides[0],
                text=form.cleaned_data["text"],
                author=user,
                now=timezone.now(),
            )
            messages.success(request, f"{conversation.organisation.display_name} will answer your correction.")
            return redirect(conversation)

    return form_page(request, "conversations/correct.html", form, conversation=conversation)


@require_http_methods(["GET", "HEAD", "POST"])
def answer_to_correction(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept or refuse a correction with an answer, for the organisation that keeps the record."""
    user = signed_in(request)
    corrections = Correction.objects.filter(conversation__in=Conversation.objects.visible_to(user))
    correction = get_object_or_404(
        corrections.select_related("conversation__organisation", "organisation"),
        pk=pk,
    )
    conversation = correction.conversation
    require(rights_over(conversation, user, timezone.now()).keeps)
    form = AnswerCorrectionForm(post_data(request), conversation=conversation)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToCorrect):
            services.answer_correction(
                correction=correction,
                taken_up=form.cleaned_data["verdict"] == "yes",
                answer=form.cleaned_data["answer"],
                author=user,
                now=timezone.now(),
            )
            messages.success(request, "Your answer has been saved.")
            return redirect(conversation)

    own_organisations = Organisation.objects.of_person(user).values_list("pk", flat=True)
    return form_page(
        request,
        "conversations/answer.html",
        form,
        conversation=conversation,
        correction=correction,
        own_ids=set(own_organisations),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def agree_to_record(request: HttpRequest, pk: int) -> HttpResponse:
    """Agree to the record for one of the person's organisations."""
    user, conversation, rights = open_conversation(request, pk)
    require(rights.edits)
    # If all of the person's organisations have agreed, the service refuses the form and says why.
    organisation = (rights.to_agree_for or rights.sides)[0]
    form = AgreeForm(post_data(request), conversation=conversation, organisation=organisation)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToAgree):
            agreed_conversation = services.agree_record(
                conversation=conversation,
                organisation=organisation,
                revision=form.cleaned_data["revision"],
                author=user,
                now=timezone.now(),
            )
            locked_sentence = (
                " All organisations agree, so the record is now locked." if agreed_conversation.is_locked else ""
            )
            messages.success(request, f"You agreed to the record for {organisation.display_name}.{locked_sentence}")
            return redirect(conversation)

    return form_page(request, "conversations/agree.html", form, conversation=conversation, organisation=organisation)
