"""Pages to propose, adopt and drop recommendations in a partnership, and to link their outcomes."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.agreements.former_parties import former_party
from partnerships.agreements.models import Objective, Partnership, Party
from partnerships.commitments.models import Commitment
from partnerships.conversations.models import Meeting
from partnerships.kit.forms import ReasonForm
from partnerships.kit.http import form_page, post_data, row_number, show_refusal
from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.recommendations.forms.adoptions import AdoptForm, OutcomeForm, ProposeForm
from partnerships.recommendations.forms.moved import LOOK_BACK
from partnerships.recommendations.models import Adoption, Outcome, Recommendation
from partnerships.recommendations.queries.adoptions import (
    adoptions_of_partnership,
    commitments_to_link,
    meetings_to_adopt_at,
    objectives_to_link,
    outcomes_of,
    responses_of_parties,
    responses_without_adoption,
)
from partnerships.recommendations.queries.reporting import change_lines_between
from partnerships.recommendations.rights import may_adopt_in, partnerships_to_propose_to
from partnerships.recommendations.services import (
    UnableToAdopt,
    UnableToLink,
    adopt,
    drop_adoption,
    link_outcome,
    propose_adoption,
    unlink_outcome,
)


def _adoption_or_404(user: User, pk: int) -> Adoption:
    """Return the adoption with this id. Raises Http404 unless the person may read it."""
    return get_object_or_404(Adoption.objects.visible_to(user).for_listing(), pk=pk)


def _adoption_to_change(user: User, pk: int) -> Adoption:
    """Return an adoption that the person may change.

    Raises Http404 if they may not read the adoption, and PermissionDenied if they may only read it.
    """
    adoption = _adoption_or_404(user, pk)
    require(may_adopt_in(adoption.partnership, user, timezone.now()))
    return adoption


@require_safe
def partnership_recommendations(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the recommendations of a partnership, and recent changes."""
    user = signed_in(request)
    partnership = get_object_or_404(Partnership.objects.visible_to(user), pk=pk)
    require(Party.objects.person_takes_part(user, pk) or former_party(user, partnership) is not None)
    today = timezone.localdate()
    since = today - LOOK_BACK
    context = {
        "partnership": partnership,
        "rows": adoptions_of_partnership(user, partnership),
        "others": responses_without_adoption(user, partnership),
        "since": since,
        "lines": change_lines_between(user, since, today + dt.timedelta(days=1), partnership),
        "may_adopt": may_adopt_in(partnership, user, timezone.now()) and not partnership.is_over,
    }
    return render(request, "recommendations/of_partnership.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def propose_recommendation(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose a recommendation to a partnership."""
    user = signed_in(request)
    recommendation = get_object_or_404(Recommendation.objects.visible_to(user).for_listing(), pk=pk)
    partnerships = partnerships_to_propose_to(user, recommendation)
    require(partnerships.exists())
    form = ProposeForm(post_data(request), partnerships=partnerships, cancel=recommendation.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToAdopt):
            adoption = propose_adoption(
                recommendation=recommendation,
                partnership=form.cleaned_data["partnership"],
                why=form.cleaned_data["why"],
                author=user,
                now=timezone.now(),
            )
            message = "The recommendation has been proposed. We will suggest it for the agenda of the next meeting."
            messages.success(request, message)
            return redirect(adoption)

    return form_page(request, "recommendations/propose.html", form, recommendation=recommendation)


@require_safe
def adoption_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a recommendation in a partnership, with its outcomes and the responses of the parties."""
    user = signed_in(request)
    adoption = _adoption_or_404(user, pk)
    partnership = adoption.partnership
    context = {
        "adoption": adoption,
        "partnership": partnership,
        "recommendation": adoption.recommendation,
        "outcomes": outcomes_of([adoption], user).get(adoption.pk, []),
        "responses": responses_of_parties(user, partnership, [adoption.recommendation_id]),
        "may_adopt": may_adopt_in(partnership, user, timezone.now()) and not partnership.is_over,
    }
    return render(request, "recommendations/adoption.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def adopt_recommendation(request: HttpRequest, pk: int) -> HttpResponse:
    """Record the meeting that adopted the recommendation."""
    user = signed_in(request)
    adoption = _adoption_to_change(user, pk)
    choices = meetings_to_adopt_at(adoption.partnership, user)
    form = AdoptForm(post_data(request), choices=choices, cancel=adoption.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        meeting = Meeting.objects.get(pk=form.cleaned_data["meeting"])
        with show_refusal(form, UnableToAdopt):
            adopt(adoption=adoption, meeting=meeting, author=user, now=timezone.now())
            message = "The recommendation has been adopted. Now link the objectives and commitments that come from it."
            messages.success(request, message)
            return redirect(adoption)

    return form_page(request, "recommendations/adopt.html", form, adoption=adoption, choices=choices)


@require_http_methods(["GET", "HEAD", "POST"])
def drop_from_partnership(request: HttpRequest, pk: int) -> HttpResponse:
    """Drop a recommendation from a partnership, with a reason. Its objectives and commitments are not changed."""
    user = signed_in(request)
    adoption = _adoption_to_change(user, pk)
    form = ReasonForm(post_data(request), submit="Drop recommendation", cancel=adoption.get_absolute_url())

    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        with show_refusal(form, UnableToAdopt):
            drop_adoption(adoption=adoption, reason=reason, author=user, now=timezone.now())
            message = "The recommendation has been dropped. Its objectives and commitments stay as they are."
            messages.success(request, message)
            return redirect(adoption)

    return form_page(request, "recommendations/drop.html", form, adoption=adoption)


@require_http_methods(["GET", "HEAD", "POST"])
def link_to_outcome(request: HttpRequest, pk: int) -> HttpResponse:
    """Link an objective or a commitment that came from the recommendation to its adoption."""
    user = signed_in(request)
    adoption = _adoption_to_change(user, pk)
    objectives, commitments = objectives_to_link(adoption, user), commitments_to_link(adoption, user)
    form = OutcomeForm(
        post_data(request), objectives=objectives, commitments=commitments, cancel=adoption.get_absolute_url()
    )

    if request.method == "POST" and form.is_valid():
        try:
            link_outcome(
                adoption=adoption, record=_record(user, form.cleaned_data["record"]), author=user, now=timezone.now()
            )
        except UnableToAdopt as error:
            form.add_error(None, str(error))
        except UnableToLink as error:
            form.add_error("record", str(error))
        else:
            messages.success(request, "The link has been added.")
            return redirect(adoption)

    return form_page(
        request, "recommendations/outcome_link.html", form, adoption=adoption, choices=[*objectives, *commitments]
    )


def _record(user: User, choice: str) -> Objective | Commitment:
    """Return the record of a choice in the form, for example `objective-12`."""
    name, _, pk_text = choice.rpartition("-")
    pk = row_number(pk_text)
    if pk is None:
        raise Http404
    if name == "objective":
        return get_object_or_404(Objective.objects.visible_to(user), pk=pk)
    return get_object_or_404(Commitment.objects.visible_to(user), pk=pk)


@require_POST
def unlink_from_outcome(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove the link to an objective or commitment."""
    user = signed_in(request)
    outcomes = Outcome.objects.filter(adoption__in=Adoption.objects.visible_to(user).values("pk"))
    outcome = get_object_or_404(outcomes.select_related("adoption"), pk=pk)

    try:
        unlink_outcome(outcome=outcome, author=user, now=timezone.now())
    except (UnableToAdopt, UnableToLink) as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, "The link has been removed.")
    return redirect(outcome.adoption)
