"""Say what an organisation does about a recommendation."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from partnerships.activity.values import apply_changes
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.queries import people_of
from partnerships.people.models import User
from partnerships.recommendations.event_kinds import EventKind
from partnerships.recommendations.models import NEEDS_REASON, Recommendation, Response, ResponseStatus
from partnerships.recommendations.queries.addressing import is_addressed
from partnerships.recommendations.rights import may_answer_for
from partnerships.recommendations.services.recording import lock_recommendation, record_response


class UnableToRespond(Exception):
    """It is not addressed to the organisation, or what was given is incomplete."""


class ResponseHasChanged(UnableToRespond):
    """Somebody changed it since the author opened the form."""


@dataclass(frozen=True, slots=True)
class ResponseGiven:
    """What an organisation says.

    Owner, review date and note are for its own people.
    """

    status: str
    reason: str = ""
    owner: User | None = None
    review_on: dt.date | None = None
    note: str = ""


@transaction.atomic
def respond(
    *,
    recommendation: Recommendation,
    organisation: Organisation,
    new_response: ResponseGiven,
    author: User | None,
    now: dt.datetime,
    revision: int = 0,
) -> Response:
    """Say what the organisation does about a recommendation, for the first time or again.

    `revision` is that of the response that the author saw, 0 if there was none. Raises `UnableToRespond`.
    """
    locked = lock_recommendation(recommendation.pk)
    require(may_answer_for(organisation, author, now))
    response = _lock_response(locked, organisation, now)
    if author is not None and response.revision != revision:
        raise ResponseHasChanged(
            "A colleague changed this response while you were writing. Compare your text with theirs."
        )
    _check(response, new_response, timezone.localdate(now))
    was = _said(response)
    inside = {"owner": new_response.owner, "review_on": new_response.review_on, "note": new_response.note.strip()}
    inside_before, inside_after = apply_changes(response, inside)
    response.reason = new_response.reason.strip()
    if new_response.status != response.status:
        response.status, response.status_since = new_response.status, now
    if was == _said(response) and not inside_before:
        return response
    response.revision += 1
    response.save()
    if was != _said(response):
        _record_answer(response, was, author=author, now=now)
    if inside_before:
        # A note may be long, and events do not name people: of these, only the review date is recorded.
        before = {name: value for name, value in inside_before.items() if name == "review_on"}
        after = {name: inside_after[name] for name in before}
        record_response(response, EventKind.PLANNED, author=author, now=now, is_inside=True, before=before, after=after)
    return response


def _lock_response(recommendation: Recommendation, organisation: Organisation, now: dt.datetime) -> Response:
    """The organisation's response, locked.

    A new one without a status if it has none. Raises `UnableToRespond` if the recommendation is not addressed to it.
    """
    rows = Response.objects.select_for_update(of=("self",))
    response = rows.filter(recommendation=recommendation, organisation=organisation).first()
    if response is not None:
        response.recommendation = recommendation
        return response
    if not is_addressed(recommendation, organisation, timezone.localdate(now)):
        raise UnableToRespond(f"This recommendation is not addressed to {organisation.name}.")
    return Response(recommendation=recommendation, organisation=organisation, status="", status_since=now, revision=0)


def _record_answer(response: Response, was: dict[str, str], *, author: User | None, now: dt.datetime) -> None:
    """Record a new status or reason, whichever of the two changed."""
    said = _said(response)
    is_new_status = was["status"] != said["status"]
    record_response(
        response,
        EventKind.ANSWERED,
        author=author,
        now=now,
        before={"status": was["status"]} if is_new_status else {},
        after={"status": said["status"]} if is_new_status else {},
        reason=said["reason"] if was["reason"] != said["reason"] else "",
    )


def _said(response: Response) -> dict[str, str]:
    return {"status": response.status, "reason": response.reason}


def _check(response: Response, new_response: ResponseGiven, today: dt.date) -> None:
    if new_response.status not in ResponseStatus.values:
        raise UnableToRespond("Choose a status.")
    if new_response.status in NEEDS_REASON and not new_response.reason.strip():
        raise UnableToRespond("Give a reason.")
    owner = new_response.owner if new_response.owner != response.owner else None
    if owner is not None and not people_of(response.organisation).filter(pk=owner.pk).exists():
        raise UnableToRespond(f"Choose a person who acts for {response.organisation.name}.")
    if (
        new_response.review_on is not None
        and new_response.review_on != response.review_on
        and new_response.review_on < today
    ):
        raise UnableToRespond("The review date must be today or later.")


@transaction.atomic
def hand_over_response(*, response: Response, to: User, author: User, now: dt.datetime) -> Response:
    """Name another owner; the rest stays. Raises `UnableToRespond`."""
    held = Response.objects.select_related("recommendation", "organisation").get(pk=response.pk)
    new_response = ResponseGiven(
        status=held.status, reason=held.reason, owner=to, review_on=held.review_on, note=held.note
    )
    return respond(
        recommendation=held.recommendation,
        organisation=held.organisation,
        new_response=new_response,
        author=author,
        now=now,
        revision=held.revision,
    )
