"""Pages to read recommendations by report or addressee, their recent changes, and those that nobody works on."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.kit.http import keyset_page
from partnerships.organisations.models import Organisation
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.people.models import User
from partnerships.people.requests import signed_in
from partnerships.recommendations.forms.moved import ChangesSinceForm
from partnerships.recommendations.models import Adoption, Recommendation, Source
from partnerships.recommendations.models.sources import LIST_ORDER
from partnerships.recommendations.queries.adoptions import outcomes_of
from partnerships.recommendations.queries.evidence import shown_evidence
from partnerships.recommendations.queries.listings import (
    bodies_addressed,
    kinds_addressed,
    recommendations_nobody_works_on,
    recommendations_of,
    responses_to,
    sources_with_counts,
    visible_responses,
    with_responses,
    with_work_counts,
)
from partnerships.recommendations.queries.reporting import change_lines_between, corrections_of, history_of
from partnerships.recommendations.rights import (
    edited_organisations,
    may_answer_for,
    organisations_to_respond_for,
    partnerships_to_propose_to,
)

#: A page has this many recommendations.
_PAGE = 25


@require_safe
def sources(request: HttpRequest) -> HttpResponse:
    """Show the reports, each with the number of its recommendations that are recorded here."""
    return render(request, "recommendations/sources.html", {"sources": sources_with_counts(signed_in(request))})


@require_safe
def source_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a report with its recommendations."""
    user = signed_in(request)
    source = get_object_or_404(Source.objects.visible_to(user).with_recommendation_counts(), pk=pk)
    recommendations = Recommendation.objects.visible_to(user).filter(source=source)
    context = {
        "source": source,
        "rows": with_work_counts(recommendations, user).in_order(),
        "lines": corrections_of(user, source.pk),
    }
    return render(request, "recommendations/source.html", context)


@require_safe
def addressees(request: HttpRequest) -> HttpResponse:
    """Show the kinds of organisation and the organisations to which recommendations are addressed."""
    signed_in(request)
    context = {"kinds": kinds_addressed(), "bodies": bodies_addressed()}
    return render(request, "recommendations/addressees.html", context)


@require_safe
def organisation_recommendations(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the recommendations to an organisation, each with its response."""
    user = signed_in(request)
    organisation = get_object_or_404(Organisation.objects.visible_to(user), pk=pk)
    now = timezone.now()
    recommendations = recommendations_of(organisation, user, timezone.localdate(now))
    page = keyset_page(request, recommendations.rows, order=LIST_ORDER, size=_PAGE)
    context = {
        "organisation": organisation,
        "recommendations": recommendations,
        "page": page,
        "rows": with_responses(page.rows, organisation, user),
        "may_answer": may_answer_for(organisation, user, now),
    }
    return render(request, "recommendations/of_organisation.html", context)


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a recommendation with its responses, their evidence, and the partnerships that adopted it."""
    user = signed_in(request)
    recommendation = get_object_or_404(Recommendation.objects.visible_to(user).for_listing(), pk=pk)
    read_ahead(
        [
            lookup(visible_responses, user, pk),
            lookup(_adoptions, user, pk),
            lookup(edited_organisations, user),
        ]
    )
    responses = responses_to(recommendation, user)
    evidence_by_response = shown_evidence([response.pk for response in responses], user)
    adoptions = rows_for(_adoptions, user, pk)
    outcomes_by_adoption = outcomes_of(adoptions, user)

    own_bodies = organisations_to_respond_for(user, recommendation, timezone.now())
    answered_ids = {response.organisation_id for response in responses}
    context = {
        "recommendation": recommendation,
        "responses": [(response, evidence_by_response.get(response.pk, [])) for response in responses],
        "adoptions": [(adoption, outcomes_by_adoption.get(adoption.pk, [])) for adoption in adoptions],
        "mine": {body.pk for body in own_bodies},
        "to_answer": [body for body in own_bodies if body.pk not in answered_ids],
        "may_propose": partnerships_to_propose_to(user, recommendation).exists(),
        "lines": history_of(user, recommendation.pk, [adoption.pk for adoption in adoptions]),
    }
    return render(request, "recommendations/detail.html", context)


def _adoptions(user: User, recommendation_id: int) -> QuerySet[Adoption]:
    """Return the adoptions of a recommendation that the person may see, the oldest first."""
    return Adoption.objects.visible_to(user).filter(recommendation=recommendation_id).for_listing().order_by("pk")


@require_safe
def recent_changes(request: HttpRequest) -> HttpResponse:
    """Show the changes since a day that the reader can choose."""
    user = signed_in(request)
    today = timezone.localdate()
    form = ChangesSinceForm(request.GET or None, today=today)
    since = form.since
    lines = change_lines_between(user, since, today + dt.timedelta(days=1))
    return render(request, "recommendations/moved.html", {"form": form, "since": since, "lines": lines})


@require_safe
def recommendations_without_work(request: HttpRequest) -> HttpResponse:
    """Show recommendations that nobody is working on."""
    user = signed_in(request)
    rows = recommendations_nobody_works_on(user)
    page = keyset_page(request, rows, order=LIST_ORDER, size=_PAGE)
    context = {"sources": sources_with_counts(user), "number": rows.count(), "page": page, "rows": page.rows}
    return render(request, "recommendations/coverage.html", context)
