"""Responses to recommendations, whose owner changes when a person leaves an organisation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.utils import timezone

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


def _to_owned_records(responses: Iterable[Response]) -> list[OwnedRecord]:
    return [
        OwnedRecord(
            response.pk,
            response.recommendation.title,
            response.get_absolute_url(),
            str(response.recommendation.source),
        )
        for response in responses
    ]


def _open_responses(organisation_id: int) -> RecommendationResponseQuerySet:
    """Return the organisation's unfinished responses, the earliest review first."""
    responses = Response.objects.unfinished().filter(organisation=organisation_id)
    return responses.select_related("recommendation__source").order_by("review_on", "pk")


def _responses_owned_by(person: User, organisation: Organisation, day: dt.date) -> list[OwnedRecord]:
    return _to_owned_records(_open_responses(organisation.pk).filter(owner=person))


def _responses_of_leavers(organisation_id: int, now: dt.datetime) -> RecommendationResponseQuerySet:
    """Return responses whose owner has left. Responses without an owner are left out, because they do not need one."""
    former_people = former_people_of(organisation_id, timezone.localdate(now))
    return _open_responses(organisation_id).filter(owner__in=former_people)


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
    rows_without_owner=_responses_of_leavers,
    to_records=_to_owned_records,
    hand_over=_hand_over,
    goes_to_colleague=True,
)
