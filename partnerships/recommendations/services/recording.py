"""Locks and events of recommendations."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.activity.models import Event
from partnerships.activity.services import new_event, record
from partnerships.activity.subjects import SubjectKind
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.recommendations.event_kinds import EventKind
from partnerships.recommendations.models import Adoption, Evidence, Recommendation, Response, Source


def recommendation_event(
    recommendation: Recommendation, kind: EventKind, *, author: User | None, now: dt.datetime, **data: Any
) -> Event:
    """Return an event on a recommendation, for `record_all`."""
    return new_event(
        actor_id=author.pk if author else None,
        kind=kind,
        target_kind="recommendation",
        target_id=recommendation.pk,
        now=now,
        data={"title": recommendation.title, **data},
    )


def source_event(source: Source, *, author: User | None, now: dt.datetime, **data: Any) -> Event:
    """Return an event on a report that was corrected, for `record_all`."""
    return new_event(
        actor_id=author.pk if author else None,
        kind=EventKind.SOURCE_CORRECTED,
        target_kind="recommendation_source",
        target_id=source.pk,
        now=now,
        data={"title": str(source), **data},
    )


def record_response(
    response: Response,
    kind: EventKind,
    *,
    author: User | None,
    now: dt.datetime,
    evidence: Evidence | None = None,
    is_inside: bool = False,
    **data: Any,
) -> None:
    """Record an event on a response or its evidence, for the histories of the recommendation and the organisation.

    With `is_inside`, only the organisation's own people see the event.
    """
    if is_inside:
        target_kind, target_id = "recommendation_response_inside", response.pk
    elif evidence is not None:
        target_kind, target_id = "recommendation_evidence", evidence.pk
    else:
        target_kind, target_id = "recommendation_response", response.pk
    record(
        actor_id=author.pk if author else None,
        organisation_id=response.organisation_id,
        kind=kind,
        target_kind=target_kind,
        target_id=target_id,
        within_kind="recommendation",
        within_id=response.recommendation_id,
        now=now,
        data={"title": response.recommendation.title, "recommendation": response.recommendation_id, **data},
        also=[(SubjectKind.ORGANISATION, response.organisation_id)],
    )


def record_adoption(
    adoption: Adoption,
    kind: EventKind,
    *,
    author: User | None,
    organisation: Organisation | None,
    now: dt.datetime,
    **data: Any,
) -> None:
    """Record an event on an adoption, for the histories of the recommendation and the partnership."""
    record(
        actor_id=author.pk if author else None,
        organisation_id=organisation.pk if organisation else None,
        kind=kind,
        target_kind="recommendation_adoption",
        target_id=adoption.pk,
        within_kind="partnership",
        within_id=adoption.partnership_id,
        now=now,
        data={"title": adoption.recommendation.title, "recommendation": adoption.recommendation_id, **data},
    )


def lock_recommendation(pk: int) -> Recommendation:
    """Lock and return the recommendation, so that its responses and adoptions are created one after another."""
    return Recommendation.objects.select_for_update(of=("self",)).select_related("source").get(pk=pk)
