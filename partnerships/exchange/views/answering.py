"""Pages to answer asks and offers, and to decide about the answers."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from partnerships.exchange import services
from partnerships.exchange.forms.answering import (
    AnswerForm,
    AskQuestionForm,
    DecideForm,
    DeclineForm,
    ReferForm,
    RespondForm,
)
from partnerships.exchange.forms.fields import ReasonForm
from partnerships.exchange.models import Question, Response
from partnerships.exchange.rights import rights_over
from partnerships.exchange.views.fetching import answerable_entry
from partnerships.kit.http import form_page, post_data, show_refusal
from partnerships.kit.rights import require
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import signed_in

_FORM = ["GET", "HEAD", "POST"]


@require_POST
def acknowledge_entry(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark an ask or offer as seen by all the person's organisations that may answer it."""
    entry, organisations = answerable_entry(request, pk)

    try:
        for organisation in organisations:
            services.acknowledge_entry(
                entry=entry, organisation=organisation, author=signed_in(request), now=timezone.now()
            )
    except services.UnableToChangeEntry as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{entry.organisation.name} can now see that you have seen this {entry.noun}.")
    return redirect(entry)


@require_http_methods(_FORM)
def respond_to_entry(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer an ask, or take up an offer, in full or in part."""
    entry, organisations = answerable_entry(request, pk)
    initial = {"counterpart": request.GET.get("counterpart")}
    form = RespondForm(post_data(request), entry=entry, organisations=organisations, initial=initial)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToChangeEntry):
            with collect_recipients() as recipients:
                services.respond(entry=entry, author=signed_in(request), now=timezone.now(), **form.cleaned_data)
            messages.success(request, f"{entry.organisation.name} can now see your answer.{recipients.sentence()}")
            return redirect(entry)

    title = "Answer this ask" if entry.is_ask else "Take up this offer"
    return form_page(request, "exchange/act.html", form, entry=entry, title=title)


@require_http_methods(_FORM)
def decline_to_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Decline an ask or offer, with a reason."""
    entry, organisations = answerable_entry(request, pk)
    form = DeclineForm(post_data(request), entry=entry, organisations=organisations)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToChangeEntry):
            with collect_recipients() as recipients:
                services.decline_entry(entry=entry, author=signed_in(request), now=timezone.now(), **form.cleaned_data)
            messages.success(
                request, f"{entry.organisation.name} can now see that you declined, and why.{recipients.sentence()}"
            )
            return redirect(entry)

    kind = entry.get_direction_display().lower()
    return form_page(request, "exchange/act.html", form, entry=entry, title=f"Decline this {kind}")


@require_http_methods(_FORM)
def refer_entry(request: HttpRequest, pk: int) -> HttpResponse:
    """Refer an ask or offer to a colleague."""
    entry, organisations = answerable_entry(request, pk)
    user = signed_in(request)
    form = ReferForm(post_data(request), entry=entry, user=user, organisations=organisations)

    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        with show_refusal(form, services.UnableToChangeEntry):
            with collect_recipients() as recipients:
                services.refer_entry(
                    entry=entry,
                    organisation=data["organisation"],
                    person=data["person"],
                    note_to_them=data["note"],
                    author=user,
                    now=timezone.now(),
                )
            name = data["person"].display_name
            messages.success(request, f"You have referred this {entry.noun} to {name}.{recipients.sentence()}")
            return redirect(entry)

    return form_page(request, "exchange/act.html", form, entry=entry, title="Refer to a colleague")


@require_http_methods(_FORM)
def ask_question(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the organisation a question about its ask or offer, before answering."""
    entry, organisations = answerable_entry(request, pk)
    form = AskQuestionForm(post_data(request), entry=entry, organisations=organisations)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToChangeEntry):
            with collect_recipients() as recipients:
                services.ask_question(entry=entry, author=signed_in(request), now=timezone.now(), **form.cleaned_data)
            messages.success(request, f"{entry.organisation.name} can now see your question.{recipients.sentence()}")
            return redirect(entry)

    return form_page(request, "exchange/act.html", form, entry=entry, title=f"Ask {entry.organisation.name} a question")


@require_http_methods(_FORM)
def answer_question(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer a question about an ask or offer, for the organisation that wrote the entry."""
    user = signed_in(request)
    question = get_object_or_404(
        Question.objects.visible_to(user).select_related("entry__organisation", "organisation"), pk=pk
    )
    require(rights_over(question.entry, user, timezone.now()).may_edit)
    form = AnswerForm(post_data(request), entry=question.entry)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToChangeEntry):
            with collect_recipients() as recipients:
                services.answer_question(question=question, author=user, now=timezone.now(), **form.cleaned_data)
            messages.success(request, f"{question.organisation.name} can now see your answer.{recipients.sentence()}")
            return redirect(question.entry)

    return form_page(
        request, "exchange/act.html", form, entry=question.entry, title="Answer the question", quoted=question.text
    )


@require_http_methods(_FORM)
def decide_response(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept an answer, in full or in part, or decline it, for the organisation that wrote the entry."""
    user = signed_in(request)
    response = _response(request, pk)
    require(rights_over(response.entry, user, timezone.now()).may_edit)
    form = DecideForm(post_data(request), entry=response.entry)

    if request.method == "POST" and form.is_valid():
        decision = form.cleaned_data["decision"]
        with show_refusal(form, services.UnableToChangeEntry):
            with collect_recipients() as recipients:
                services.decide_response(
                    response=response,
                    accept=decision != "decline",
                    part=decision == "part",
                    reason=form.cleaned_data["reason"],
                    author=user,
                    now=timezone.now(),
                )
            verb = "declined" if decision == "decline" else "accepted"
            messages.success(
                request, f"You have {verb} the answer from {response.organisation.name}.{recipients.sentence()}"
            )
            return redirect(response.entry)

    return form_page(
        request,
        "exchange/act.html",
        form,
        entry=response.entry,
        title=f"Accept or decline the answer from {response.organisation.name}",
        quoted=response.text,
        amount=response.amount,
    )


@require_http_methods(_FORM)
def withdraw_response(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw an answer before the other organisation has decided about it."""
    user = signed_in(request)
    response = _response(request, pk)
    require(rights_over(response.entry, user, timezone.now()).may_withdraw(response))
    form = ReasonForm(post_data(request), entry=response.entry, submit="Withdraw answer", danger=True)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToChangeEntry):
            with collect_recipients() as recipients:
                services.withdraw_response(
                    response=response, reason=form.cleaned_data["reason"], author=user, now=timezone.now()
                )
            messages.success(request, f"Your answer has been withdrawn.{recipients.sentence()}")
            return redirect(response.entry)

    return form_page(
        request, "exchange/act.html", form, entry=response.entry, title="Withdraw your answer", quoted=response.text
    )


def _response(request: HttpRequest, pk: int) -> Response:
    """Return an answer that the person may see, or raise 404."""
    visible = Response.objects.visible_to(signed_in(request)).select_related("entry__organisation", "organisation")
    return get_object_or_404(visible, pk=pk)
