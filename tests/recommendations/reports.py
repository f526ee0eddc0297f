"""Reports, responses and adoptions for tests, made through services."""

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

#: What the report of Larkhaven recommends, to registered providers and councils.
SHARE_PLANS = "Share plans before they are settled."


def report_of(world: World, title: str = "Harbour review", **given: Any) -> Source:
    """Return a report of 2016 that Eddie records for Larkhaven."""
    return record_source(
        details=SourceDetails(title, 2016, publisher="Harbour Institute", **given),
        organisation=world.larkhaven,
        author=world.eddie,
        now=timezone.now(),
    )


def recommended(world: World, text: str = SHARE_PLANS, source: Source | None = None, **given: Any) -> Recommendation:
    """Return a recommendation of that report, to registered providers and councils unless others are given."""
    said = {"confidence": "seen", "kinds": (Kind.REGISTERED_PROVIDER, Kind.COUNCIL), "themes": ["planning"]} | given
    made, _ = record_recommendation(
        source=source or report_of(world),
        details=RecommendationDetails(text=text, **said),
        organisation=world.larkhaven,
        author=world.eddie,
        now=timezone.now(),
    )
    return made


def says(
    recommendation: Recommendation,
    organisation: Organisation,
    author: User | None,
    status: str = "under_way",
    **given: Any,
) -> Response:
    """Return the response of an organisation to a recommendation."""
    known = Response.objects.filter(recommendation=recommendation, organisation=organisation).first()
    return respond(
        recommendation=recommendation,
        organisation=organisation,
        new_response=ResponseDetails(status, **given),
        author=author,
        now=timezone.now(),
        revision=known.revision if known else 0,
    )


def proposed(world: World, recommendation: Recommendation | None = None) -> Adoption:
    """Return a recommendation that Eddie proposes to the Estuary Partnership."""
    return propose_adoption(
        recommendation=recommendation or recommended(world),
        partnership=world.partnership,
        why="Both sides lost months last year.",
        author=world.eddie,
        now=timezone.now(),
    )


def adopted(world: World, recommendation: Recommendation | None = None) -> Adoption:
    """Return the adoption of a recommendation by a meeting of the Estuary Partnership."""
    made = proposed(world, recommendation)
    return adopt(adoption=made, meeting=held_meeting(world), author=world.eddie, now=timezone.now())


def in_days(days: int) -> dt.date:
    """Return a day some days from today."""
    return timezone.localdate() + dt.timedelta(days=days)
