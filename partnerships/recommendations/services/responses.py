"""Services that record the responses of organisations to recommendations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from partnerships.activity.values import apply_changes
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.queries import people_of
from partnerships.people.models import User
from partnerships.recommendations.event_kinds import EventKind
from partnerships.recommendations.models import STATUSES_WITH_REASON, Recommendation, Response, ResponseStatus
from partnerships.recommendations.queries.addressing import is_addressed
from partnerships.recommendations.rights import may_answer_for
from partnerships.recommendations.services.recording import lock_recommendation, record_response


class UnableToRespond(Exception):
    """Raised if the recommendation is not addressed to the organisation, or the response is incomplete."""


class ResponseHasChanged(UnableToRespond):
    """Raised if a colleague has changed the response since the author opened the form."""


@dataclass(frozen=True, slots=True)
class ResponseDetails:
    """The fields of a response. Only the organisation's own people see owner, review date and note."""

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
    new_response: ResponseDetails,
    author: User | None,
    now: dt.datetime,
    revision: int = 0,
) -> Response:
    """Record or change an organisation's response to a recommendation.

    `revision` is the revision that the author saw, or 0 if there was no response. Raises `UnableToRespond`.
    """
    recommendation = lock_recommendation(recommendation.pk)
    require(may_answer_for(organisation, author, now))
    response = _lock_response(recommendation, organisation, now)
    if author is not None and response.revision != revision:
        raise ResponseHasChanged(
            "A colleague changed this response while you were writing. Compare your text with theirs."
        )
    _check(response, new_response, timezone.localdate(now))

    public_before = _public_values(response)
    private_before, private_after = _set_values(response, new_response, now)
    is_public_change = _public_values(response) != public_before
    if not is_public_change and not private_before:
        return response
    response.revision += 1
    response.save()

    if is_public_change:
        _record_answer(response, public_before, author=author, now=now)
    if private_before:
        _record_plan(response, private_before, private_after, author=author, now=now)
    return response


def _set_values(
    response: Response, new_response: ResponseDetails, now: dt.datetime
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Set the new values on the response, without saving it.

    Returns the earlier and the new values of the private fields that have changed.
    """
    response.reason = new_response.reason.strip()
    if new_response.status != response.status:
        response.status = new_response.status
        response.status_since = now
    private_values = {
        "owner": new_response.owner,
        "review_on": new_response.review_on,
        "note": new_response.note.strip(),
    }
    return apply_changes(response, private_values)


def _record_plan(
    response: Response,
    private_before: Mapping[str, Any],
    private_after: Mapping[str, Any],
    *,
    author: User | None,
    now: dt.datetime,
) -> None:
    """Record for the organisation's own people that the owner, review date or note has changed.

    The event contains only the review date, because a note may be long and events do not name people.
    """
    before = {name: value for name, value in private_before.items() if name == "review_on"}
    after = {name: private_after[name] for name in before}
    record_response(response, EventKind.PLANNED, author=author, now=now, is_inside=True, before=before, after=after)


def _lock_response(recommendation: Recommendation, organisation: Organisation, now: dt.datetime) -> Response:
    """Lock and return the organisation's response, or return a new response without a status.

    Raises `UnableToRespond` if the recommendation is not addressed to the organisation.
    """
    responses = Response.objects.select_for_update(of=("self",))
    response = responses.filter(recommendation=recommendation, organisation=organisation).first()
    if response is not None:
        response.recommendation = recommendation
        return response
    if not is_addressed(recommendation, organisation, timezone.localdate(now)):
        raise UnableToRespond(f"This recommendation is not addressed to {organisation.name}, so it cannot respond.")
    return Response(recommendation=recommendation, organisation=organisation, status="", status_since=now, revision=0)


def _record_answer(response: Response, public_before: dict[str, str], *, author: User | None, now: dt.datetime) -> None:
    """Record the new status and reason, if they have changed."""
    has_new_status = response.status != public_before["status"]
    has_new_reason = response.reason != public_before["reason"]
    record_response(
        response,
        EventKind.ANSWERED,
        author=author,
        now=now,
        before={"status": public_before["status"]} if has_new_status else {},
        after={"status": response.status} if has_new_status else {},
        reason=response.reason if has_new_reason else "",
    )


def _public_values(response: Response) -> dict[str, str]:
    """Return the values that everybody signed in may read."""
    return {"status": response.status, "reason": response.reason}


def _check(response: Response, new_response: ResponseDetails, today: dt.date) -> None:
    """Raise `UnableToRespond` if the status, a reason, the owner or the review date is invalid.

    The owner and the review date are checked only if they have changed.
    """
    if new_response.status not in ResponseStatus.values:
        raise UnableToRespond("Choose a status.")
    if new_response.status in STATUSES_WITH_REASON and not new_response.reason.strip():
        raise UnableToRespond(f"Enter a reason for “{ResponseStatus(new_response.status).label}”.")
    owner, review_on = new_response.owner, new_response.review_on
    people = people_of(response.organisation)
    if owner is not None and owner != response.owner and not people.filter(pk=owner.pk).exists():
        raise UnableToRespond(f"Choose a person who acts for {response.organisation.name}.")
    if review_on is not None and review_on != response.review_on and review_on < today:
        raise UnableToRespond("The review date is in the past. Choose today or a later day.")


@transaction.atomic
def hand_over_response(*, response: Response, to: User, author: User, now: dt.datetime) -> Response:
    """Change only the owner of a response. Raises `UnableToRespond`."""
    response = Response.objects.select_related("recommendation", "organisation").get(pk=response.pk)
    return respond(
        recommendation=response.recommendation,
        organisation=response.organisation,
        new_response=ResponseDetails(
            status=response.status,
            reason=response.reason,
            owner=to,
            review_on=response.review_on,
            note=response.note,
        ),
        author=author,
        now=now,
        revision=response.revision,
    )
