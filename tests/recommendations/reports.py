"""Helpers that make recommendations, responses and adoptions through the services."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from partnerships.organisations.models import Kind, Organisation
from partnerships.people.models import User
from partnerships.recommendations.models import Adoption, Recommendation, Response, Source
from partnerships.recommendations.services import (
    RecommendationDetails,
    ResponseDetails,
    SourceDetails,
    adopt,
    propose_adoption,
    record_recommendation,
    record_source,
    respond,
)
from tests.conversations.gatherings import held_meeting
from tests.world import World

#: A recommendation to registered providers and councils, in the report that Larkhaven recorded.
SHARE_PLANS = "Share plans before they are settled."


def report_of(world: World, title: str = "Harbour review", **details: Any) -> Source:
    """Record a report of 2016 as Eddie for Larkhaven. `given` are further details of the report."""
    return record_source(
        details=SourceDetails(title, 2016, publisher="Harbour Institute", **details),
        organisation=world.larkhaven,
        author=world.eddie,
        now=timezone.now(),
    )


def make_recommendation(
    world: World, text: str = SHARE_PLANS, source: Source | None = None, **given: Any
) -> Recommendation:
    """Record a recommendation of a report, to registered providers and councils unless `given` has other addressees."""
    details = {"confidence": "seen", "kinds": (Kind.REGISTERED_PROVIDER, Kind.COUNCIL), "themes": ["planning"]} | given
    recommendation, _ = record_recommendation(
        source=source or report_of(world),
        details=RecommendationDetails(text=text, **details),
        organisation=world.larkhaven,
        author=world.eddie,
        now=timezone.now(),
    )
    return recommendation


def answer_recommendation(
    recommendation: Recommendation,
    organisation: Organisation,
    author: User | None,
    status: str = "under_way",
    **given: Any,
) -> Response:
    """Record the response of an organisation to a recommendation, or change the existing one."""
    existing_response = Response.objects.filter(recommendation=recommendation, organisation=organisation).first()
    return respond(
        recommendation=recommendation,
        organisation=organisation,
        new_response=ResponseDetails(status, **given),
        author=author,
        now=timezone.now(),
        revision=existing_response.revision if existing_response else 0,
    )


def proposed(world: World, recommendation: Recommendation | None = None) -> Adoption:
    """Propose a recommendation to the Estuary Partnership, as Eddie."""
    return propose_adoption(
        recommendation=recommendation or make_recommendation(world),
        partnership=world.partnership,
        why="Both sides lost months last year.",
        author=world.eddie,
        now=timezone.now(),
    )


def adopted_recommendation(world: World, recommendation: Recommendation | None = None) -> Adoption:
    """Adopt a recommendation at a meeting of the Estuary Partnership, as Eddie."""
    adoption = proposed(world, recommendation)
    return adopt(adoption=adoption, meeting=held_meeting(world), author=world.eddie, now=timezone.now())


def in_days(days: int) -> dt.date:
    """Return the date this many days from today."""
    return timezone.localdate() + dt.timedelta(days=days)
