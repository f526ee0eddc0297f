"""Lock a nominations agreement and record events."""

from __future__ import annotations

import datetime as dt

from partnerships.agreements.services import recording
from partnerships.nominations.event_kinds import EventKind
from partnerships.nominations.models import NominationsAgreement
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


def lock_agreement(agreement: NominationsAgreement) -> NominationsAgreement:
    """The agreement as it is now, its partnership locked. Check what it allows only after this."""
    partnership = recording.lock_partnership(agreement.partnership_id)
    found = NominationsAgreement.objects.for_pages().get(pk=agreement.pk)
    found.partnership = partnership
    return found


def record_event(
    agreement: NominationsAgreement,
    event: EventKind,
    *,
    number: int,
    quarter: str,
    organisation: Organisation | None,
    author: User | None,
    now: dt.datetime,
) -> None:
    """Record on the partnership what happened to the return with this id; `quarter` names it in words."""
    recording.record_event(
        agreement.partnership,
        event,
        author=author,
        now=now,
        organisation=organisation,
        data={"nominations_return": number, "after": {"quarter": quarter}},
    )
