"""Service that declines, withdraws or cancels a commitment."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.commitments.event_kinds import EventKind
from partnerships.commitments.models import Commitment, Status
from partnerships.commitments.registry import call_listeners
from partnerships.commitments.rights import Rights, acting_organisation, rights_over
from partnerships.commitments.services.emails import email_people_concerned
from partnerships.commitments.services.recording import lock_commitment, record_event
from partnerships.kit.rights import require
from partnerships.people.models import User


class UnableToEnd(Exception):
    """The commitment is over, or the reason is missing."""


@transaction.atomic
def end_commitment(*, commitment: Commitment, reason: str, author: User, now: dt.datetime) -> Commitment:
    """Decline or withdraw a proposal, or cancel a commitment, with a reason. Raises `UnableToEnd`."""
    commitment = lock_commitment(commitment)
    rights = rights_over(commitment, author, now)
    if commitment.is_over:
        raise UnableToEnd(f"{commitment.reference} is already {commitment.status_words}, so you cannot end it.")
    require(rights.may_end, "Only leads of the two organisations can end this commitment.")
    if not reason.strip():
        raise UnableToEnd("Enter a reason.")

    acting_for = acting_organisation(rights)
    event = _event_of_ending(rights)
    status_before = commitment.get_status_display()
    commitment.status = Status.CANCELLED
    commitment.status_since = now
    commitment.reason = reason.strip()
    commitment.save(update_fields=["status", "status_since", "reason"])

    record_event(
        commitment,
        event,
        author=author,
        organisation=acting_for,
        now=now,
        before=status_before,
        after=commitment.get_status_display(),
        reason=commitment.reason,
    )
    call_listeners(commitment=commitment, author=author, now=now)
    email_people_concerned("ended", commitment, author=author, now=now, event=event.value)
    return commitment


def _event_of_ending(rights: Rights) -> EventKind:
    """Return the event that is recorded if the person ends the commitment."""
    if not rights.commitment.is_proposed:
        return EventKind.CANCELLED
    return EventKind.PROPOSAL_WITHDRAWN if rights.may_withdraw else EventKind.PROPOSAL_DECLINED
