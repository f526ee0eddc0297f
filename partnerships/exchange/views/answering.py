"""Pages to answer asks and offers, and to decide about the answers.

A view with a form passes an inner function to `take_entry_step`, which calls it once the posted form is valid, shows
its message and redirects. If the service refuses, the form is shown again with the reason. On GET, `posted(request)`
is None, so that the form is empty. A view of a button without a form uses `press_button` in the same way; the next
page then shows the refusal as a message.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
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
from partnerships.exchange.views.steps import answerable_entry, take_entry_step
from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.people.form_steps import press_button
from partnerships.people.requests import signed_in

_FORM = ["GET", "HEAD", "POST"]


@require_POST
def acknowledge_entry(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark an ask or offer as seen by all the person's organisations that may answer it."""
    entry, organisations = answerable_entry(request, pk)

    def mark_as_seen() -> tuple[str, str]:
        for organisation in organisations:
            services.acknowledge_entry(
                entry=entry, organisation=organisation, author=signed_in(request), now=timezone.now()
            )
        return f"{entry.organisation.name} can now see that you have seen this.", entry.get_absolute_url()

    # `press_button` calls `mark_as_seen`, then redirects with its message or the refusal.
    return press_button(request, mark_as_seen, services.UnableToChangeEntry, back=entry.get_absolute_url())


@require_http_methods(_FORM)
def respond_to_entry(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer an ask, or take up an offer, in full or in part."""
    entry, organisations = answerable_entry(request, pk)
    initial = {"counterpart": request.GET.get("counterpart")}
    form = RespondForm(posted(request), entry=entry, organisations=organisations, initial=initial)

    def send_answer() -> str:
        services.respond(entry=entry, author=signed_in(request), now=timezone.now(), **form.cleaned_data)
        return f"{entry.organisation.name} can now see your answer."

    title = "Answer this ask" if entry.is_ask else "Take up this offer"
    # `take_entry_step` calls `send_answer` once the form is valid. If the service refuses, the form shows why.
    return take_entry_step(request, form, send_answer, entry=entry, title=title)


@require_http_methods(_FORM)
def decline_to_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Decline an ask or offer, with a reason."""
    entry, organisations = answerable_entry(request, pk)
    form = DeclineForm(posted(request), entry=entry, organisations=organisations)

    def decline_entry() -> str:
        services.decline_entry(entry=entry, author=signed_in(request), now=timezone.now(), **form.cleaned_data)
        return f"{entry.organisation.name} can now see that you declined, and why."

    return take_entry_step(
        request, form, decline_entry, entry=entry, title=f"Decline this {entry.get_direction_display().lower()}"
    )


@require_http_methods(_FORM)
def refer_entry(request: HttpRequest, pk: int) -> HttpResponse:
    """Refer an ask or offer to a colleague."""
    entry, organisations = answerable_entry(request, pk)
    user = signed_in(request)
    form = ReferForm(posted(request), entry=entry, user=user, organisations=organisations)

    def refer_to_colleague() -> str:
        chosen = form.cleaned_data
        services.refer_entry(
            entry=entry,
            organisation=chosen["organisation"],
            person=chosen["person"],
            note_to_them=chosen["note"],
            author=user,
            now=timezone.now(),
        )
        return f"You have referred this {entry.noun} to {chosen['person'].display_name}."

    return take_entry_step(request, form, refer_to_colleague, entry=entry, title="Refer to a colleague")


@require_http_methods(_FORM)
def ask_question(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the organisation a question about its ask or offer, before answering."""
    entry, organisations = answerable_entry(request, pk)
    form = AskQuestionForm(posted(request), entry=entry, organisations=organisations)

    def send_question() -> str:
        services.ask_question(entry=entry, author=signed_in(request), now=timezone.now(), **form.cleaned_data)
        return f"{entry.organisation.name} can now see your question."

    return take_entry_step(request, form, send_question, entry=entry, title=f"Ask {entry.organisation.name} a question")


@require_http_methods(_FORM)
def answer_question(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer a question about an ask or offer, for the organisation that wrote the entry."""
    user = signed_in(request)
    question = get_object_or_404(
        Question.objects.visible_to(user).select_related("entry__organisation", "organisation"), pk=pk
    )
    require(rights_over(question.entry, user, timezone.now()).may_edit)
    form = AnswerForm(posted(request), entry=question.entry)

    def send_reply() -> str:
        services.answer_question(question=question, author=user, now=timezone.now(), **form.cleaned_data)
        return f"{question.organisation.name} can now see your answer."

    return take_entry_step(
        request, form, send_reply, entry=question.entry, title="Answer the question", quoted=question.text
    )


@require_http_methods(_FORM)
def decide_response(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept an answer, in full or in part, or decline it, for the organisation that wrote the entry."""
    user = signed_in(request)
    response = _response(request, pk)
    require(rights_over(response.entry, user, timezone.now()).may_edit)
    form = DecideForm(posted(request), entry=response.entry)

    def save_decision() -> str:
        decision = form.cleaned_data["decision"]
        services.decide_response(
            response=response,
            accept=decision != "decline",
            part=decision == "part",
            reason=form.cleaned_data["reason"],
            author=user,
            now=timezone.now(),
        )
        verb = "declined" if decision == "decline" else "accepted"
        return f"You have {verb} the answer from {response.organisation.name}."

    return take_entry_step(
        request,
        form,
        save_decision,
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
    form = ReasonForm(posted(request), entry=response.entry, submit="Withdraw answer", danger=True)

    def withdraw_answer() -> str:
        services.withdraw_response(
            response=response, reason=form.cleaned_data["reason"], author=user, now=timezone.now()
        )
        return "Your answer has been withdrawn."

    return take_entry_step(
        request, form, withdraw_answer, entry=response.entry, title="Withdraw your answer", quoted=response.text
    )


def _response(request: HttpRequest, pk: int) -> Response:
    visible = Response.objects.visible_to(signed_in(request)).select_related("entry__organisation", "organisation")
    return get_object_or_404(visible, pk=pk)
