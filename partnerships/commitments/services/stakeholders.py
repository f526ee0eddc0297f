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
def tell_stakeholders(*, commitment: Commitment, tell: bool, author: User, now: dt.datetime) -> Commitment:
    """Mark or unmark a commitment. Stakeholders get the title, date and status of marked commitments."""
    current = lock_commitment(commitment)
    require(
        current.partnership is not None and rights_over(current.partnership, author, now).may_tell_stakeholders,
        ONLY_LEADS,
    )
    if current.tells_stakeholders != tell:
        current.tells_stakeholders = tell
        current.save(update_fields=["tells_stakeholders"])
        event = EventKind.MARKED if tell else EventKind.UNMARKED
        record_event(current, event, author=author, organisation=None, now=now)
    return current
