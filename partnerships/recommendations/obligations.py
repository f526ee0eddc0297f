"""What happens to responses to recommendations when an organisation ends and another succeeds it.

Unfinished responses pass to the successor. Finished ones stay as they are.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet

from partnerships.organisations.models import Organisation
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
    """Return the new values of the response if the successor has its own response to the same recommendation.

    The response of the ending organisation is superseded.
    """
    return {"status": ResponseStatus.SUPERSEDED.value, "reason": move.reason, "status_since": move.now}


def _unfinished_responses(organisation: Organisation, _day: dt.date) -> QuerySet[Response]:
    return Response.objects.unfinished().filter(organisation=organisation).select_related("recommendation")


def _describe_response(response: Response, _organisation: Organisation) -> HeldRecord:
    return HeldRecord(
        pk=response.pk,
        title=response.recommendation.title,
        path=response.get_absolute_url(),
        what=response.get_status_display(),
        generic_title=f"Response {response.pk}",
    )


RESPONSES = Obligation(
    code="recommendations",
    label="Responses to recommendations",
    columns=(Column("recommendations.Response.organisation", end_values=_supersede),),
    records=_unfinished_responses,
    describe=_describe_response,
    target="recommendation_response",
    within=lambda response: ("recommendation", response.recommendation_id),
)


def register() -> None:
    """Register unfinished responses, and the columns that change only in a merge."""
    register_obligation(RESPONSES)
    register_following_columns(
        Column("recommendations.Addressee.organisation", record="recommendation", deletes_duplicate=True),
        "recommendations.Source.recorded_for",
        "recommendations.Adoption.proposed_for",
    )
