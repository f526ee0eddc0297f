"""Lock a nominations agreement and record events."""

from __future__ import annotations

import datetime as dt

from partnerships.activity.services import record
from partnerships.agreements.services.recording import lock_partnership
from partnerships.nominations.event_kinds import EventKind
from partnerships.nominations.models import NominationsAgreement
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


def lock_agreement(agreement: NominationsAgreement) -> NominationsAgreement:
    """The agreement as it is now, its partnership locked. Check what it allows only after this."""
    partnership = lock_partnership(agreement.partnership_id)
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
    record(
        actor_id=author.pk if author else None,
        organisation_id=organisation.pk if organisation else None,
        kind=event,
        target_kind="partnership",
        target_id=agreement.partnership_id,
        within_kind="partnership",
        within_id=agreement.partnership_id,
        now=now,
        data={
            "title": agreement.partnership.title,
            "nominations_return": number,
            "after": {"quarter": quarter},
        },
    )
