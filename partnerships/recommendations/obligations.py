"""Responses to recommendations as things that an organisation holds."""

from __future__ import annotations

from typing import Any

from partnerships.organisations.obligations import (
    Column,
    Held,
    Moving,
    Obligation,
    register_following,
    register_obligation,
)
from partnerships.recommendations.models import Response, ResponseStatus


def _supersede(moving: Moving) -> dict[str, Any]:
    """Return the changes that end this response, because the other organisation has a response of its own."""
    return {"status": ResponseStatus.SUPERSEDED.value, "reason": moving.reason, "status_since": moving.now}


RESPONSES = Obligation(
    "recommendations",
    "Responses to recommendations",
    (Column("recommendations.Response.organisation", ending=_supersede),),
    lambda organisation, _: (
        Response.objects.still_open().filter(organisation=organisation).select_related("recommendation")
    ),
    lambda one, _: Held(
        one.pk,
        one.recommendation.title,
        one.get_absolute_url(),
        one.get_status_display(),
        outside=f"Response {one.pk}",
    ),
    target="recommendation_response",
    within=lambda one: ("recommendation", one.recommendation_id),
)


def register() -> None:
    """Register open responses, addressees, and who something was recorded or proposed for."""
    register_obligation(RESPONSES)
    register_following(
        Column("recommendations.Addressee.organisation", "recommendation", dropping=True),
        "recommendations.Source.recorded_for",
        "recommendations.Adoption.proposed_for",
    )
