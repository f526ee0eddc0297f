"""Service that declines, withdraws or cancels a commitment."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.commitments.event_kinds import EventKind
from partnerships.commitments.models import Commitment, Status
from partnerships.commitments.registry import call_listeners
from partnerships.commitments.rights import rights_over, side_of
from partnerships.commitments.services.emails import email_concerned
from partnerships.commitments.services.recording import lock_commitment, record_event
from partnerships.kit.rights import require
from partnerships.people.models import User


class UnableToEnd(Exception):
    """The commitment is over, or the reason is missing."""


@transaction.atomic
def end_commitment(*, commitment: Commitment, reason: str, author: User, now: dt.datetime) -> Commitment:
    """Decline or withdraw a proposal, or cancel a commitment, with a reason. Raises `UnableToEnd`."""
    current = lock_commitment(commitment)
    rights = rights_over(current, author, now)
    if current.is_over:
        raise UnableToEnd(f"{current.reference} is already {current.status_words}, so you cannot end it.")
    require(rights.may_end, "Only leads of the two organisations can end this commitment.")
    if not reason.strip():
        raise UnableToEnd("Give a reason.")
    side = side_of(rights)
    status_before = current.get_status_display()
    event = EventKind.CANCELLED
    if current.is_proposed:
        is_own_proposal = side is not None and side.pk == current.proposed_for_id
        event = EventKind.PROPOSAL_WITHDRAWN if is_own_proposal else EventKind.PROPOSAL_DECLINED
    current.status, current.status_since, current.reason = Status.CANCELLED, now, reason.strip()
    current.save(update_fields=["status", "status_since", "reason"])
    record_event(
        current,
        event,
        author=author,
        organisation=side,
        now=now,
        before=status_before,
        after=current.get_status_display(),
        reason=current.reason,
    )
    call_listeners(commitment=current, author=author, now=now)
    email_concerned("ended", current, author=author, now=now)
    return current
