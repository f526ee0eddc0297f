"""Responses to recommendations, which are transferred when an organisation is succeeded by another."""

from __future__ import annotations

from typing import Any

from partnerships.organisations.obligations import (
    Column,
    HeldRecord,
    Obligation,
    RecordMove,
    register_following_columns,
    register_obligation,
)
from partnerships.recommendations.models import Response, ResponseStatus


def _supersede(move: RecordMove) -> dict[str, Any]:
    """Return the changes that mark this response as superseded.

    They are made if the successor has already responded to the same recommendation.
    """
    return {"status": ResponseStatus.SUPERSEDED.value, "reason": move.reason, "status_since": move.now}


RESPONSES = Obligation(
    "recommendations",
    "Responses to recommendations",
    (Column("recommendations.Response.organisation", end_values=_supersede),),
    lambda organisation, _: (
        Response.objects.unfinished().filter(organisation=organisation).select_related("recommendation")
    ),
    lambda response, _: HeldRecord(
        response.pk,
        response.recommendation.title,
        response.get_absolute_url(),
        response.get_status_display(),
        generic_title=f"Response {response.pk}",
    ),
    target="recommendation_response",
    within=lambda response: ("recommendation", response.recommendation_id),
)


def register() -> None:
    """Register open responses and addressees, and the organisations for which sources and proposals were recorded."""
    register_obligation(RESPONSES)
    register_following_columns(
        Column("recommendations.Addressee.organisation", "recommendation", deletes_duplicate=True),
        "recommendations.Source.recorded_for",
        "recommendations.Adoption.proposed_for",
    )
