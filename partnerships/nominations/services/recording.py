"""Lock a nominations agreement and record events."""

from __future__ import annotations

import datetime as dt

from partnerships.agreements.services import recording
from partnerships.kit.journal import identity, note
from partnerships.nominations.event_kinds import EventKind
from partnerships.nominations.models import NominationsAgreement, NominationsReturn
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


def lock_agreement(agreement: NominationsAgreement) -> NominationsAgreement:
    """The agreement as it is now, its partnership locked.

    Check what it allows only after this.
    """
    partnership = recording.lock_partnership(agreement.partnership_id)
    locked = NominationsAgreement.objects.for_pages().get(pk=agreement.pk)
    locked.partnership = partnership
    return locked


#: Lines of the journal: how far a return is (`restoring`).
RETURN = "nominations_return"


def return_identity(nominations_return: NominationsReturn) -> str:
    """What never changes about a return."""
    return identity(nominations_return.agreement_id, nominations_return.starts_on, nominations_return.begun_at)


def note_status(nominations_return: NominationsReturn, *, now: dt.datetime) -> None:
    """Tell the journal how far a return is, because a restore takes it back."""
    note(
        RETURN,
        now=now,
        **{
            "return": nominations_return.pk,
            "same": return_identity(nominations_return),
            "status": nominations_return.status,
            "sendings": nominations_return.sendings,
        },
    )


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
    """Record on the partnership what happened to the return with this id.

    `quarter` names it in words.
    """
    recording.record_event(
        agreement.partnership,
        event,
        author=author,
        now=now,
        organisation=organisation,
        data={"nominations_return": number, "after": {"quarter": quarter}},
    )
