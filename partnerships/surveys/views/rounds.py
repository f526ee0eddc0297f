"""Pages to prepare a round, invite people, open the round, remind everyone, and end it.

A view with a form passes an inner function to `take_step`, which calls it once the posted form is valid, shows its
message and redirects. If the service refuses, the form is shown again with the reason. On GET, `posted(request)` is
None, so that the form is empty. A view of a button without a form uses `press_button` in the same way; the next page
then shows the refusal as a message.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.agreements.models import Partnership
from partnerships.kit.forms import ReasonForm
from partnerships.kit.http import posted, row_number
from partnerships.kit.rights import require
from partnerships.outbox.content import WE_WILL_EMAIL
from partnerships.people.form_steps import ABOVE_FORM, press_button, take_step
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.surveys import services
from partnerships.surveys.bodies import counted_as, group_label
from partnerships.surveys.forms import InviteForm, PrepareForm
from partnerships.surveys.models import Invitation, Round
from partnerships.surveys.presenting import floor_words
from partnerships.surveys.queries.rounds import (
    asked_by_group,
    asked_to_join,
    invited_to,
    joinings_of,
    newest_question_sets,
    rounds_of,
)
from partnerships.surveys.rights import Rights, may_withdraw, rights_in, rights_over
from partnerships.surveys.services.rounds import why_too_small

_FORM = require_http_methods(["GET", "HEAD", "POST"])
_STEP = "surveys/step.html"


def open_partnership(request: HttpRequest, pk: int) -> tuple[User, Partnership, Rights]:
    """Return the person, the partnership and their rights.

    Raises Http404 unless an organisation of theirs is a present party.
    """
    user = signed_in(request)
    partnership = get_object_or_404(Partnership.objects.present_for(user), pk=pk)
    return user, partnership, rights_over(partnership, user, timezone.now())


def open_round(request: HttpRequest, pk: int, number: int) -> tuple[User, Round, Rights]:
    """Return the person, the round and their rights. Raises Http404 unless they may know of the round."""
    user = signed_in(request)
    survey_round = get_object_or_404(Round.objects.visible_to(user).for_pages(), partnership=pk, number=number)
    return user, survey_round, rights_in(survey_round, user, timezone.now())


class InvitationLine(NamedTuple):
    """A line of the list of people: the invitation, its text, and whether the reader may remove it."""

    invitation: Invitation
    words: str
    may_remove: bool


def _invitation_lines(survey_round: Round, user: User) -> list[InvitationLine]:
    """Return the list of people who are asked. Only the lead who invited a person sees the address."""
    removable = set(may_withdraw(survey_round, user, timezone.now()).values_list("pk", flat=True))
    lines = []
    for invitation in invited_to(survey_round):
        is_own = invitation.invited_by_id == user.pk
        words = invitation.person.email if is_own else "A person invited by another lead"
        lines.append(InvitationLine(invitation, words, invitation.pk in removable))
    return lines


def draft_context(survey_round: Round, user: User) -> dict[str, Any]:
    """Return the context of a draft: the people asked by group, joined groups, and other partnerships."""
    counts = asked_by_group(survey_round)
    joined_code_by_group = counted_as(counts, survey_round.floor)
    return {
        "joinings": joinings_of(survey_round, user),
        "floor": floor_words(survey_round),
        "invitations": _invitation_lines(survey_round, user),
        "asked": [(group_label(group), number) for group, number in sorted(counts.items())],
        "together": sorted({group_label(code) for code in joined_code_by_group.values() if "+" in code}),
        "too_small": why_too_small(sum(counts.values()), survey_round.floor) if survey_round.is_anonymous else "",
    }


@require_safe
def overview(request: HttpRequest, pk: int) -> HttpResponse:
    """Show all rounds of a partnership."""
    _, partnership, rights = open_partnership(request, pk)
    rounds = list(rounds_of(partnership))
    has_current_round = any(
        survey_round.status in ("draft", "open") and survey_round.partnership_id == pk for survey_round in rounds
    )
    context = {
        "partnership": partnership,
        "rounds": rounds,
        "joinings": asked_to_join(partnership) if rights.may_run else [],
        "may_prepare": rights.may_run and not has_current_round and not partnership.is_over,
    }
    return render(request, "surveys/overview.html", context)


@_FORM
def prepare_round(request: HttpRequest, pk: int) -> HttpResponse:
    """Prepare the next round of a partnership."""
    user, partnership, rights = open_partnership(request, pk)
    require(rights.may_run)
    overview_url = reverse("surveys:overview", args=[pk])
    form = PrepareForm(posted(request), sets=newest_question_sets(), cancel=overview_url)

    def prepare_survey() -> tuple[str, str]:
        data = form.cleaned_data
        survey_round = services.prepare_round(partnership=partnership, author=user, now=timezone.now(), **data)
        return "The survey has been prepared. Now add the people to ask.", survey_round.get_absolute_url()

    context: dict[str, Any] = {"heading": "Prepare a survey", "partnership": partnership, "back": overview_url}
    # `take_step` calls `prepare_survey` once the form is valid. If the service refuses, the form shows why.
    return take_step(request, _STEP, form, prepare_survey, {services.UnableToRun: ABOVE_FORM}, **context)


@_FORM
def invite_people(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Add people who answer for one group to a draft. Nobody gets an email before the survey opens."""
    user, survey_round, rights = open_round(request, pk, number)
    require(rights.may_invite)
    form = InviteForm(posted(request), cancel=survey_round.get_absolute_url())

    def add_people() -> tuple[str, str]:
        data = form.cleaned_data
        count = services.invite(
            survey_round=survey_round, addresses=data["addresses"], group=data["group"], author=user, now=timezone.now()
        )
        people = "1 person has been" if count == 1 else f"{count} people have been"
        return f"{people} added. We email nobody before the survey opens.", survey_round.get_absolute_url()

    return take_step(
        request,
        _STEP,
        form,
        add_people,
        {services.UnableToRun: "addresses"},
        **round_context(survey_round, "Add people to ask"),
    )


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
    invitation = row_number(request.POST.get("invitation", "")) or 0

    def withdraw_person() -> tuple[str, str]:
        services.withdraw_invitation(survey_round=survey_round, invitation=invitation, author=user, now=timezone.now())
        return "", survey_round.get_absolute_url()

    # `press_button` calls `withdraw_person`, then redirects with its message or the refusal.
    return press_button(request, withdraw_person, services.UnableToRun, back=survey_round.get_absolute_url())


@require_POST
def open_for_answers(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Open the round, which emails everyone on the list."""
    user, survey_round, rights = open_round(request, pk, number)
    require(rights.may_run)

    def open_survey() -> tuple[str, str]:
        open_round = services.open_round(survey_round=survey_round, author=user, now=timezone.now())
        message = f"The survey is open. {WE_WILL_EMAIL} a link to 1 person."
        if open_round.people_asked != 1:
            message = f"The survey is open. {WE_WILL_EMAIL} each of {open_round.people_asked:,} people their own link."
        return message, open_round.get_absolute_url()

    return press_button(request, open_survey, services.UnableToRun, back=survey_round.get_absolute_url())


@require_POST
def remind_everyone(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Email a reminder to everyone who was asked, whether or not they have answered."""
    user, survey_round, rights = open_round(request, pk, number)
    require(rights.may_run)

    def email_reminders() -> tuple[str, str]:
        count = services.remind(survey_round=survey_round, author=user, now=timezone.now())
        people = "the one person who was asked" if count == 1 else f"all {count:,} people"
        message = f"{WE_WILL_EMAIL} a reminder to {people}, whether or not they have answered."
        return message, survey_round.get_absolute_url()

    return press_button(request, email_reminders, services.UnableToRun, back=survey_round.get_absolute_url())


@_FORM
def end_round(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """End a round without results, with a reason. All answers are deleted."""
    user, survey_round, rights = open_round(request, pk, number)
    require(rights.may_run)
    form = ReasonForm(
        posted(request), submit="End without results", cancel=survey_round.get_absolute_url(), danger=True
    )

    def abandon_survey() -> tuple[str, str]:
        reason = form.cleaned_data["reason"]
        services.abandon_round(survey_round=survey_round, reason=reason, author=user, now=timezone.now())
        return "The survey has ended without results.", reverse("surveys:overview", args=[pk])

    context = round_context(
        survey_round, "End this survey without results", "We delete all answers, and nobody reads them."
    )
    return take_step(request, _STEP, form, abandon_survey, {services.UnableToRun: "reason"}, **context)
