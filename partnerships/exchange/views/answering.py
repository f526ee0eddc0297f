"""Pages to answer asks and offers, and to decide the answers."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from partnerships.exchange import services
from partnerships.exchange.forms.answering import (
    AnswerForm,
    AskBackForm,
    DecideForm,
    DeclineForm,
    ReferForm,
    RespondForm,
)
from partnerships.exchange.forms.fields import ReasonForm
from partnerships.exchange.models import Entry, Question, Response
from partnerships.exchange.rights import rights_over
from partnerships.exchange.views.writing import answer
from partnerships.kit.http import posted
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation, OrganisationQuerySet
from partnerships.people.requests import signed_in
from partnerships.people.told import noting_told

_FORM = ["GET", "HEAD", "POST"]


def _asked(request: HttpRequest, pk: int) -> tuple[Entry, OrganisationQuerySet]:
    """The entry and the organisations the person may answer for.

    404 if they cannot see it, 403 if they can only read it.
    """
    user = signed_in(request)
    entry = get_object_or_404(Entry.objects.visible_to(user).select_related("organisation"), pk=pk)
    answers_for = rights_over(entry, user, timezone.now()).answers_for
    require(bool(answers_for))
    return entry, Organisation.objects.filter(pk__in=answers_for).order_by("name", "pk")


@require_POST
def acknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark an entry as seen by the person's organisations."""
    entry, organisations = _asked(request, pk)
    try:
        for organisation in organisations:
            services.acknowledge_entry(
                entry=entry, organisation=organisation, author=signed_in(request), now=timezone.now()
            )
    except services.UnableToChangeEntry as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Marked as seen. {entry.organisation.name} can see this too.")
    return redirect(entry)


@require_http_methods(_FORM)
def respond(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer an entry, for all or part of it."""
    entry, organisations = _asked(request, pk)
    initial = {"counterpart": request.GET.get("counterpart")}
    form = RespondForm(posted(request), entry=entry, organisations=organisations, initial=initial)
    if form.is_valid():
        try:
            with noting_told() as told:
                services.respond(entry=entry, author=signed_in(request), now=timezone.now(), **form.cleaned_data)
        except services.UnableToChangeEntry as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{entry.organisation.name} can now see your answer.{told.words()}")
            return redirect(entry)
    title = "Answer this ask" if entry.is_ask else "Take up this offer"
    return answer(request, "exchange/act.html", form, entry=entry, title=title)


@require_http_methods(_FORM)
def decline(request: HttpRequest, pk: int) -> HttpResponse:
    """Decline an entry, with a reason."""
    entry, organisations = _asked(request, pk)
    form = DeclineForm(posted(request), entry=entry, organisations=organisations)
    if form.is_valid():
        try:
            with noting_told() as told:
                services.decline_entry(entry=entry, author=signed_in(request), now=timezone.now(), **form.cleaned_data)
        except services.UnableToChangeEntry as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{entry.organisation.name} can see that you declined, and why.{told.words()}")
            return redirect(entry)
    return answer(
        request, "exchange/act.html", form, entry=entry, title=f"Decline this {entry.get_direction_display().lower()}"
    )


@require_http_methods(_FORM)
def refer(request: HttpRequest, pk: int) -> HttpResponse:
    """Refer an entry to a colleague."""
    entry, organisations = _asked(request, pk)
    user = signed_in(request)
    form = ReferForm(posted(request), entry=entry, user=user, organisations=organisations)
    if form.is_valid():
        chosen = form.cleaned_data
        try:
            with noting_told() as told:
                services.refer_entry(
                    entry=entry,
                    organisation=chosen["organisation"],
                    person=chosen["person"],
                    note_to_them=chosen["note"],
                    author=user,
                    now=timezone.now(),
                )
        except services.UnableToChangeEntry as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"Referred to {chosen['person'].display_name}.{told.words()}")
            return redirect(entry)
    return answer(request, "exchange/act.html", form, entry=entry, title="Refer to a colleague")


@require_http_methods(_FORM)
def ask_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a question before answering."""
    entry, organisations = _asked(request, pk)
    form = AskBackForm(posted(request), entry=entry, organisations=organisations)
    if form.is_valid():
        try:
            with noting_told() as told:
                services.ask_back(entry=entry, author=signed_in(request), now=timezone.now(), **form.cleaned_data)
        except services.UnableToChangeEntry as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{entry.organisation.name} can now see your question.{told.words()}")
            return redirect(entry)
    return answer(request, "exchange/act.html", form, entry=entry, title=f"Ask {entry.organisation.name} a question")


@require_http_methods(_FORM)
def answer_question(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer a question about an entry."""
    user = signed_in(request)
    question = get_object_or_404(
        Question.objects.visible_to(user).select_related("entry__organisation", "organisation"), pk=pk
    )
    require(rights_over(question.entry, user, timezone.now()).may_edit)
    form = AnswerForm(posted(request), entry=question.entry)
    if form.is_valid():
        try:
            with noting_told() as told:
                services.answer_question(question=question, author=user, now=timezone.now(), **form.cleaned_data)
        except services.UnableToChangeEntry as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{question.organisation.name} can now see your answer.{told.words()}")
            return redirect(question.entry)
    return answer(
        request, "exchange/act.html", form, entry=question.entry, title="Answer the question", quoted=question.text
    )


@require_http_methods(_FORM)
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept or decline an answer."""
    user = signed_in(request)
    response = get_object_or_404(
        Response.objects.visible_to(user).select_related("entry__organisation", "organisation"), pk=pk
    )
    require(rights_over(response.entry, user, timezone.now()).may_edit)
    form = DecideForm(posted(request), entry=response.entry)
    if form.is_valid():
        decision = form.cleaned_data["decision"]
        try:
            with noting_told() as told:
                services.decide_response(
                    response=response,
                    accept=decision != "decline",
                    part=decision == "part",
                    reason=form.cleaned_data["reason"],
                    author=user,
                    now=timezone.now(),
                )
        except services.UnableToChangeEntry as error:
            form.add_error(None, str(error))
        else:
            done = "declined" if decision == "decline" else "accepted"
            messages.success(request, f"The answer from {response.organisation.name} is {done}.{told.words()}")
            return redirect(response.entry)
    return answer(
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
    """Withdraw an answer before it is decided."""
    user = signed_in(request)
    response = get_object_or_404(
        Response.objects.visible_to(user).select_related("entry__organisation", "organisation"), pk=pk
    )
    require(rights_over(response.entry, user, timezone.now()).may_withdraw(response))
    entry = response.entry
    form = ReasonForm(posted(request), entry=entry, submit="Withdraw answer", danger=True)
    if form.is_valid():
        try:
            services.withdraw_response(
                response=response, reason=form.cleaned_data["reason"], author=user, now=timezone.now()
            )
        except services.UnableToChangeEntry as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Your answer is withdrawn.")
            return redirect(entry)
    return answer(request, "exchange/act.html", form, entry=entry, title="Withdraw your answer", quoted=response.text)
