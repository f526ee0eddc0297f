"""Pages for the steps of others before a draft can open: other partnerships join, and a moderator agrees.

A view with a form passes an inner function to `take_step`, which calls it once the posted form is valid, shows its
message and redirects. If the service refuses, the form is shown again with the reason. On GET, `posted(request)` is
None, so that the form is empty. A view of a button without a form uses `press_button` in the same way; the next page
then shows the refusal as a message.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from partnerships.kit.http import form_page, posted, row_number
from partnerships.kit.rights import require
from partnerships.outbox.content import WE_WILL_EMAIL
from partnerships.people.form_steps import press_button, take_step
from partnerships.people.requests import signed_in
from partnerships.surveys import services
from partnerships.surveys.bodies import group_label
from partnerships.surveys.forms import AgreeForm, JoinForm, NameForm
from partnerships.surveys.models import Joining, Round
from partnerships.surveys.queries.rounds import (
    domains_of,
    joinings_of,
    list_hash_of,
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
    form = NameForm(posted(request), cancel=survey_round.get_absolute_url())

    def name_moderator() -> tuple[str, str]:
        services.name_moderator(
            survey_round=survey_round, address=form.cleaned_data["address"], author=user, now=timezone.now()
        )
        return (
            "The name has been saved. When the list of people is ready, ask this person to agree.",
            survey_round.get_absolute_url(),
        )

    context = round_context(survey_round, "Who reads comments before the parties do?")
    # `take_step` calls `name_moderator` once the form is valid. If the service refuses, the form shows why.
    return take_step(request, _STEP, form, name_moderator, {services.UnableToRun: "address"}, **context)


@require_POST
def ask_moderator(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Email the moderator and ask them to agree.

    The message is the same for every address, so that it does not show who has an account.
    """
    user, survey_round, rights = open_round(request, pk, number)
    require(rights.may_run)

    def email_moderator() -> tuple[str, str]:
        services.ask_moderator(survey_round=survey_round, author=user, now=timezone.now())
        return "If this person can read the comments, we will email them now.", survey_round.get_absolute_url()

    # `press_button` calls `email_moderator`, then redirects with its message or the refusal.
    return press_button(request, email_moderator, services.UnableToRun, back=survey_round.get_absolute_url())


@require_POST
def answer_by_name_instead(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Change an anonymous draft to answers by name, because the partnership is too small."""
    user, survey_round, rights = open_round(request, pk, number)
    require(rights.may_run)

    def switch_to_names() -> tuple[str, str]:
        services.ask_by_name(survey_round=survey_round, author=user, now=timezone.now())
        return "People will now answer by name.", survey_round.get_absolute_url()

    return press_button(request, switch_to_names, services.UnableToRun, back=survey_round.get_absolute_url())


@_FORM
def ask_partnership(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Ask another partnership to run the survey together."""
    user, survey_round, rights = open_round(request, pk, number)
    require(rights.may_run)
    form = JoinForm(
        posted(request), partnerships=partnerships_to_ask(survey_round, user), cancel=survey_round.get_absolute_url()
    )

    def ask_chosen_partnership() -> tuple[str, str]:
        partnership = form.cleaned_data["partnership"]
        services.ask_to_join(survey_round=survey_round, partnership=partnership, author=user, now=timezone.now())
        return f"{WE_WILL_EMAIL} the leads of “{partnership}” and ask them to join.", survey_round.get_absolute_url()

    context = round_context(
        survey_round,
        "Run this survey with another partnership",
        "The results cover all the partnerships together, and each figure is based on at least ten answers.",
    )
    return take_step(request, _STEP, form, ask_chosen_partnership, {services.UnableToRun: "partnership"}, **context)


@require_POST
def remove_partnership(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Remove a partnership from the draft, with the people that its leads added."""
    user, survey_round, rights = open_round(request, pk, number)
    require(rights.may_run)
    joining_id = row_number(request.POST.get("joining", ""))
    joining = next((joining for joining in joinings_of(survey_round, user) if joining.pk == joining_id), None)
    if joining is None:
        raise Http404

    def withdraw_request() -> tuple[str, str]:
        services.remove_joining(joining=joining, author=user, now=timezone.now())
        return (
            f"“{joining.partnership}” and the people that its leads added have been removed.",
            survey_round.get_absolute_url(),
        )

    return press_button(request, withdraw_request, services.UnableToRun, back=survey_round.get_absolute_url())


@require_POST
def answer_joining(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept or decline, for a partnership that was asked to run a survey together."""
    user, partnership, rights = open_partnership(request, pk)
    require(rights.may_run)
    rows = Joining.objects.filter(partnership=partnership).select_related("round", "partnership")
    joining = get_object_or_404(rows, pk=row_number(request.POST.get("joining", "")) or 0)
    joins, overview_url = request.POST.get("answer") == "join", reverse("surveys:overview", args=[pk])

    def save_answer() -> tuple[str, str]:
        services.answer_joining(joining=joining, joins=joins, author=user, now=timezone.now())
        if joins:
            return "Your partnership will take part. Now add the people to ask.", joining.round.get_absolute_url()
        return "Your partnership will not take part.", overview_url

    return press_button(request, save_answer, services.UnableToRun, back=overview_url)


@_FORM
def answer_moderation(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the person named as moderator agree or decline to read the comments.

    The page shows how many people are asked, and the domains of their addresses. For anyone else, it answers with 404.
    """
    user = signed_in(request)
    # An administrator who views the site as the moderator must not answer for them.
    if hasattr(request, "view_as"):
        raise Http404
    survey_round = get_object_or_404(Round.objects.asking(user).for_pages(), pk=pk)
    form = AgreeForm(posted(request), initial={"list_hash": list_hash_of(survey_round)})

    def save_answer() -> tuple[str, str]:
        if form.cleaned_data["answer"] == "decline":
            services.decline_to_moderate(survey_round=survey_round, author=user, now=timezone.now())
            return (
                "You have declined. We will email you about this survey again only if the partnership names you again.",
                reverse("web:home"),
            )
        services.agree_to_moderate(
            survey_round=survey_round, list_hash=form.cleaned_data["list_hash"], author=user, now=timezone.now()
        )
        return "Thank you. You will get an email if there are comments to read.", reverse("web:home")

    if form.is_valid():
        # Not `take_step`: if the list has changed, the service refuses, and the person must get the page with the new
        # list. `take_step` would show this form again, which has the hash of the old list.
        return press_button(request, save_answer, services.UnableToRun, back=reverse("surveys:agree", args=[pk]))
    context: dict[str, Any] = {
        "round": survey_round,
        "partnership": survey_round.partnership,
        "partnerships": partnerships_of(survey_round),
        "questions": survey_round.questions(),
        "domains": [(group_label(group), domain, people) for group, domain, people in domains_of(survey_round)],
    }
    return form_page(request, "surveys/agree.html", form, **context)
