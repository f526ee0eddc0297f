"""Responses to recommendations as work that a person hands over when they leave an organisation."""

from __future__ import annotations

import datetime as dt

from partnerships.organisations.models import Organisation
from partnerships.organisations.owned import (
    OwnedKind,
    OwnedRecord,
    OwnershipHandover,
    UnableToHandOver,
    former_people_of,
)
from partnerships.people.models import User
from partnerships.recommendations.models import RecommendationResponseQuerySet, Response
from partnerships.recommendations.services import UnableToRespond, hand_over_response


def _responses_as_things(responses: RecommendationResponseQuerySet) -> list[OwnedRecord]:
    rows = responses.select_related("recommendation__source").order_by("review_on", "pk")
    return [
        OwnedRecord(row.pk, row.recommendation.title, row.get_absolute_url(), str(row.recommendation.source))
        for row in rows
    ]


def _open_responses(organisation: Organisation) -> RecommendationResponseQuerySet:
    return Response.objects.unfinished().filter(organisation=organisation)


def _responses_owned_by(person: User, organisation: Organisation, day: dt.date) -> list[OwnedRecord]:
    return _responses_as_things(_open_responses(organisation).filter(owner=person))


def _responses_of_leavers(organisation: Organisation, day: dt.date) -> list[OwnedRecord]:
    """Return responses whose owner has left. A response without an owner is not among them, as it needs none."""
    return _responses_as_things(_open_responses(organisation).filter(owner__in=former_people_of(organisation, day)))


def _hand_over(handover: OwnershipHandover) -> None:
    response = Response.objects.get(pk=handover.pk)
    try:
        hand_over_response(response=response, to=handover.to, author=handover.author, now=handover.now)
    except UnableToRespond as error:
        raise UnableToHandOver(str(error)) from error


RESPONSES = OwnedKind(
    code="recommendations",
    label="Responses to recommendations",
    fields=("recommendations.Response.owner",),
    held=_responses_owned_by,
    left=_responses_of_leavers,
    hand_over=_hand_over,
    goes_to_colleague=True,
)
