"""Pages to prepare a round, invite people, open the round, remind everyone, and end it."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.agreements.models import Partnership
from partnerships.kit.forms import ReasonForm
from partnerships.kit.http import form_page, post_data, row_number, show_refusal
from partnerships.kit.rights import require
from partnerships.outbox.content import WE_WILL_EMAIL
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.surveys import services
from partnerships.surveys.bodies import group_label, join_small_groups
from partnerships.surveys.forms import InviteForm, PrepareForm
from partnerships.surveys.models import Invitation, Round
from partnerships.surveys.presenting import floor_in_words
from partnerships.surveys.queries.rounds import (
    invitations_of,
    joinings_of,
    newest_question_sets,
    people_asked_by_group,
    requests_to_join,
    rounds_of,
)
from partnerships.surveys.rights import Rights, invitations_to_withdraw, rights_in, rights_over
from partnerships.surveys.services.rounds import reason_too_few_asked

_FORM = require_http_methods(["GET", "HEAD", "POST"])
_STEP = "surveys/step.html"


def open_partnership(request: HttpRequest, pk: int) -> tuple[User, Partnership, Rights]:
    """Return the person, the partnership and their rights.

    Raises Http404 unless an organisation of theirs is a present party.
    """
    user = signed_in(request)
    partnership = get_object_or_404(Partnership.objects.with_party_of(user), pk=pk)
    return user, partnership, rights_over(partnership, user, timezone.now())


def open_round(request: HttpRequest, pk: int, number: int) -> tuple[User, Round, Rights]:
    """Return the person, the round and their rights. Raises Http404 unless the round is visible to them."""
    user = signed_in(request)
    survey_round = get_object_or_404(Round.objects.visible_to(user).for_pages(), partnership=pk, number=number)
    return user, survey_round, rights_in(survey_round, user, timezone.now())


class InvitationLine(NamedTuple):
    """A line of the list of people, with the text to show and whether the reader may remove the invitation."""

    invitation: Invitation
    words: str
    may_remove: bool


def _invitation_lines(survey_round: Round, user: User) -> list[InvitationLine]:
    """Return the list of people who are asked. Only the lead who invited a person sees the address."""
    removable = set(invitations_to_withdraw(survey_round, user, timezone.now()).values_list("pk", flat=True))
    lines = []
    for invitation in invitations_of(survey_round):
        is_own = invitation.invited_by_id == user.pk
        words = invitation.person.email if is_own else "A person invited by another lead"
        lines.append(InvitationLine(invitation, words, invitation.pk in removable))
    return lines


def draft_context(survey_round: Round, user: User) -> dict[str, Any]:
    """Return the template context of a draft, with the people asked by group and the other partnerships."""
    counts = people_asked_by_group(survey_round)
    joined_code_by_group = join_small_groups(counts, survey_round.floor)
    too_small = reason_too_few_asked(sum(counts.values()), survey_round.floor) if survey_round.is_anonymous else ""
    return {
        "joinings": joinings_of(survey_round, user),
        "floor": floor_in_words(survey_round),
        "invitations": _invitation_lines(survey_round, user),
        "asked": [(group_label(group), number) for group, number in sorted(counts.items())],
        # The code of several groups that are counted together is, for example, "council+lep".
        "together": sorted({group_label(code) for code in joined_code_by_group.values() if "+" in code}),
        "too_small": too_small,
    }


@require_safe
def overview(request: HttpRequest, pk: int) -> HttpResponse:
    """Show all rounds of a partnership."""
    _, partnership, rights = open_partnership(request, pk)
    rounds = list(rounds_of(partnership))
    # A round that another partnership prepared does not prevent this one from preparing its own.
    own_rounds = [survey_round for survey_round in rounds if survey_round.partnership_id == pk]
    has_current_round = any(survey_round.status in ("draft", "open") for survey_round in own_rounds)
    context = {
        "partnership": partnership,
        "rounds": rounds,
        "joinings": requests_to_join(partnership) if rights.may_run else [],
        "may_prepare": rights.may_run and not has_current_round and not partnership.is_over,
    }
    return render(request, "surveys/overview.html", context)


@_FORM
def prepare_round(request: HttpRequest, pk: int) -> HttpResponse:
    """Prepare the next round of a partnership."""
    user, partnership, rights = open_partnership(request, pk)
    require(rights.may_run)
    overview_url = reverse("surveys:overview", args=[pk])
    form = PrepareForm(post_data(request), question_sets=newest_question_sets(), cancel=overview_url)

    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        with show_refusal(form, services.UnableToRun):
            survey_round = services.prepare_round(partnership=partnership, author=user, now=timezone.now(), **data)
            messages.success(request, "The survey has been prepared. Now add the people to ask.")
            return redirect(survey_round)

    return form_page(request, _STEP, form, heading="Prepare a survey", partnership=partnership, back=overview_url)


@_FORM
def invite_people(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Add people who answer for one group to a draft. Nobody gets an email before the survey opens."""
    user, survey_round, rights = open_round(request, pk, number)
    require(rights.may_invite)
    form = InviteForm(post_data(request), cancel=survey_round.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        with show_refusal(form, services.UnableToRun, field="addresses"):
            count = services.invite_people(
                survey_round=survey_round,
                addresses=data["addresses"],
                group=data["group"],
                author=user,
                now=timezone.now(),
            )
            people = "1 person has been" if count == 1 else f"{count} people have been"
            messages.success(request, f"{people} added. We email nobody before the survey opens.")
            return redirect(survey_round)

    return form_page(request, _STEP, form, **round_context(survey_round, "Add people to ask"))


def round_context(survey_round: Round, heading: str, lead: str = "") -> dict[str, Any]:
    """Return the context of a form about a round."""
    return {
        "heading": heading,
        "lead": lead,
        "partnership": survey_round.partnership,
        "round": survey_round,
        "back": survey_round.get_absolute_url(),
    }


@require_POST
def withdraw_invitation(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Remove a person from the list of a draft. There is no message, because the list shows the change."""
    user, survey_round, rights = open_round(request, pk, number)
    require(rights.may_invite)
    invitation_id = row_number(request.POST.get("invitation", "")) or 0

    try:
        services.withdraw_invitation(
            survey_round=survey_round, invitation=invitation_id, author=user, now=timezone.now()
        )
    except services.UnableToRun as error:
        messages.error(request, str(error))
    return redirect(survey_round)


@require_POST
def open_for_answers(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Open the round, which emails everyone on the list."""
    user, survey_round, rights = open_round(request, pk, number)
    require(rights.may_run)

    try:
        opened_round = services.open_round(survey_round=survey_round, author=user, now=timezone.now())
    except services.UnableToRun as error:
        messages.error(request, str(error))
        return redirect(survey_round)

    if opened_round.people_asked == 1:
        recipients = "a link to 1 person"
    else:
        recipients = f"each of {opened_round.people_asked:,} people their own link"
    messages.success(request, f"The survey is open. {WE_WILL_EMAIL} {recipients}.")
    return redirect(opened_round)


@require_POST
def remind_everyone(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Email a reminder to everyone who was asked, whether or not they have answered."""
    user, survey_round, rights = open_round(request, pk, number)
    require(rights.may_run)

    try:
        count = services.remind_everyone(survey_round=survey_round, author=user, now=timezone.now())
    except services.UnableToRun as error:
        messages.error(request, str(error))
    else:
        people = "the one person who was asked" if count == 1 else f"all {count:,} people"
        message = f"{WE_WILL_EMAIL} a reminder to {people}, whether or not they have answered."
        messages.success(request, message)
    return redirect(survey_round)


@_FORM
def end_round(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """End a round without results, with a reason. All answers are deleted."""
    user, survey_round, rights = open_round(request, pk, number)
    require(rights.may_run)
    form = ReasonForm(
        post_data(request), submit="End without results", cancel=survey_round.get_absolute_url(), danger=True
    )

    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        with show_refusal(form, services.UnableToRun, field="reason"):
            services.abandon_round(survey_round=survey_round, reason=reason, author=user, now=timezone.now())
            messages.success(request, "The survey has ended without results.")
            return redirect("surveys:overview", pk)

    heading = "End this survey without results"
    lead = "We delete all answers, and nobody reads them."
    return form_page(request, _STEP, form, **round_context(survey_round, heading, lead))
