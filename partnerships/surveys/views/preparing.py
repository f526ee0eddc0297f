"""Pages on which other partnerships join a draft, and a moderator agrees to it, before it opens."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from partnerships.kit.http import form_page, post_data, row_number, show_refusal
from partnerships.kit.rights import require
from partnerships.outbox.content import WE_WILL_EMAIL
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.surveys import services
from partnerships.surveys.bodies import group_label
from partnerships.surveys.forms import AgreeForm, JoinForm, ModeratorForm
from partnerships.surveys.models import Joining, Round
from partnerships.surveys.queries.rounds import (
    invitation_list_hash,
    invited_domains,
    joinings_of,
    partnerships_of,
    partnerships_to_ask,
)
from partnerships.surveys.views.rounds import open_partnership, open_round, round_context

_FORM = require_http_methods(["GET", "HEAD", "POST"])
_STEP = "surveys/step.html"


@_FORM
def choose_moderator(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Let a lead name the moderator, or replace the moderator with another person."""
    user, survey_round, rights = open_round(request, pk, number)
    require(rights.may_run)
    form = ModeratorForm(post_data(request), cancel=survey_round.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, services.UnableToRun, field="address"):
            services.name_moderator(
                survey_round=survey_round, address=form.cleaned_data["address"], author=user, now=timezone.now()
            )
            messages.success(
                request,
                "You have chosen who reads comments. When the list of people to ask is ready, ask this person "
                "to agree.",
            )
            return redirect(survey_round)

    heading = "Who reads comments before the members do?"
    return form_page(request, _STEP, form, **round_context(survey_round, heading))


@require_POST
def ask_moderator(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Email the moderator and ask them to agree.

    The message is the same for every address, so that it does not show who has an account.
    """
    user, survey_round, rights = open_round(request, pk, number)
    require(rights.may_run)

    try:
        services.ask_moderator(survey_round=survey_round, author=user, now=timezone.now())
    except services.UnableToRun as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "If this person can read the comments, we will email them now.")
    return redirect(survey_round)


@require_POST
def answer_by_name_instead(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Change an anonymous draft to answers by name, because the partnership is too small."""
    user, survey_round, rights = open_round(request, pk, number)
    require(rights.may_run)

    try:
        services.ask_by_name(survey_round=survey_round, author=user, now=timezone.now())
    except services.UnableToRun as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "People will now answer by name.")
    return redirect(survey_round)


@_FORM
def ask_partnership(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Ask another partnership to run the survey together."""
    user, survey_round, rights = open_round(request, pk, number)
    require(rights.may_run)
    form = JoinForm(
        post_data(request), partnerships=partnerships_to_ask(survey_round, user), cancel=survey_round.get_absolute_url()
    )

    if request.method == "POST" and form.is_valid():
        partnership = form.cleaned_data["partnership"]
        with show_refusal(form, services.UnableToRun, field="partnership"):
            services.ask_to_join(survey_round=survey_round, partnership=partnership, author=user, now=timezone.now())
            messages.success(request, f"{WE_WILL_EMAIL} the leads of “{partnership}” and ask them to join.")
            return redirect(survey_round)

    heading = "Run this survey with another partnership"
    lead = "The results cover all the partnerships together, and each figure is based on at least ten answers."
    return form_page(request, _STEP, form, **round_context(survey_round, heading, lead))


@require_POST
def remove_partnership(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Remove a partnership from the draft, with the people that its leads added."""
    user, survey_round, rights = open_round(request, pk, number)
    require(rights.may_run)
    joining_id = row_number(request.POST.get("joining", ""))
    joining = next((joining for joining in joinings_of(survey_round, user) if joining.pk == joining_id), None)
    if joining is None:
        raise Http404

    try:
        services.remove_joining(joining=joining, author=user, now=timezone.now())
    except services.UnableToRun as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"“{joining.partnership}” and the people that its leads added have been removed.")
    return redirect(survey_round)


@require_POST
def answer_joining(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept or decline, for a partnership that was asked to run a survey together."""
    user, partnership, rights = open_partnership(request, pk)
    require(rights.may_run)
    joinings = Joining.objects.filter(partnership=partnership).select_related("round", "partnership")
    joining = get_object_or_404(joinings, pk=row_number(request.POST.get("joining", "")) or 0)
    joins = request.POST.get("answer") == "join"

    try:
        services.answer_joining(joining=joining, joins=joins, author=user, now=timezone.now())
    except services.UnableToRun as error:
        messages.error(request, str(error))
        return redirect("surveys:overview", pk)

    if joins:
        messages.success(request, "Your partnership will take part. Now add the people to ask.")
        return redirect(joining.round)
    messages.success(request, "Your partnership will not take part.")
    return redirect("surveys:overview", pk)


@_FORM
def answer_moderation(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the person who was asked to be the moderator agree or decline to read the comments.

    The page shows how many people the survey asks, by group and by domain of their addresses. Other people get a 404,
    and so does the moderator once they have agreed.
    """
    user = signed_in(request)
    # An administrator who views the site as the moderator must not answer for them.
    if hasattr(request, "view_as"):
        raise Http404
    survey_round = get_object_or_404(Round.objects.asking_to_moderate(user).for_pages(), pk=pk)
    form = AgreeForm(post_data(request), initial={"list_hash": invitation_list_hash(survey_round)})

    if request.method == "POST" and form.is_valid():
        try:
            message = _save_moderators_answer(survey_round, user, form)
        except services.UnableToRun as error:
            # If the list has changed, the person must read the new list. This form still has the hash of the old one.
            messages.error(request, str(error))
            return redirect("surveys:agree", pk)
        messages.success(request, message)
        return redirect("web:home")

    return form_page(
        request,
        "surveys/agree.html",
        form,
        round=survey_round,
        partnership=survey_round.partnership,
        partnerships=partnerships_of(survey_round),
        questions=survey_round.questions(),
        domains=[(group_label(group), domain, people) for group, domain, people in invited_domains(survey_round)],
    )


def _save_moderators_answer(survey_round: Round, user: User, form: AgreeForm) -> str:
    """Save that the person agrees or declines, and return the message that confirms it."""
    if form.cleaned_data["answer"] == "decline":
        services.decline_to_moderate(survey_round=survey_round, author=user, now=timezone.now())
        return "You have declined. We will email you about this survey again only if the partnership names you again."
    services.agree_to_moderate(
        survey_round=survey_round, list_hash=form.cleaned_data["list_hash"], author=user, now=timezone.now()
    )
    return "Thank you. You will get an email if there are comments to read."
