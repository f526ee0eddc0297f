"""Mark a commitment "Tell stakeholders", or remove the mark."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.agreements.rights import rights_over
from partnerships.commitments.event_kinds import EventKind
from partnerships.commitments.models import Commitment
from partnerships.commitments.services.recording import lock_commitment, record_event
from partnerships.kit.rights import require
from partnerships.people.models import User

ONLY_LEADS = "Only leads of organisations in the partnership can choose what we tell stakeholders."


@transaction.atomic
def mark_for_stakeholders(*, commitment: Commitment, tell: bool, author: User, now: dt.datetime) -> Commitment:
    """Mark or unmark a commitment. Stakeholders get the title, date and status of marked commitments."""
    commitment = lock_commitment(commitment)
    partnership = commitment.partnership
    may_tell = partnership is not None and rights_over(partnership, author, now).may_tell_stakeholders
    require(may_tell, ONLY_LEADS)
    if commitment.tells_stakeholders == tell:
        return commitment

    commitment.tells_stakeholders = tell
    commitment.save(update_fields=["tells_stakeholders"])
    event = EventKind.MARKED if tell else EventKind.UNMARKED
    record_event(commitment, event, author=author, organisation=None, now=now)
    return commitment
