"""Lock nominations agreements, record events about them, and note the status of returns in the journal."""

from __future__ import annotations

import datetime as dt

from partnerships.agreements.services import recording
from partnerships.kit.journal import identity, note
from partnerships.nominations.event_kinds import EventKind
from partnerships.nominations.models import NominationsAgreement, NominationsReturn
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

#: The kind of the journal entries that note the status of a return. `restoring` reads them after a restore.
RETURN_JOURNAL_KIND = "nominations_return"


def lock_agreement(agreement: NominationsAgreement) -> NominationsAgreement:
    """Lock the partnership of an agreement, fetch the agreement again, and return it.

    Check rights and status on the returned agreement, because the given one may be out of date.
    """
    partnership = recording.lock_partnership(agreement.partnership_id)
    agreement = NominationsAgreement.objects.for_pages().get(pk=agreement.pk)
    agreement.partnership = partnership
    return agreement


def return_identity(nominations_return: NominationsReturn) -> str:
    """Return the hash by which the journal recognises a return."""
    return identity(nominations_return.agreement_id, nominations_return.starts_on, nominations_return.begun_at)


def journal_status(nominations_return: NominationsReturn, *, now: dt.datetime) -> None:
    """Note the status of a return in the journal.

    After a restore, the journal shows which returns people must bring up to date again (see `restoring`).
    """
    note(
        RETURN_JOURNAL_KIND,
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
    return_id: int,
    quarter: str,
    organisation: Organisation | None,
    author: User | None,
    now: dt.datetime,
) -> None:
    """Record an event about a return in the history of the partnership. `quarter` is text for people."""
    recording.record_event(
        agreement.partnership,
        event,
        author=author,
        now=now,
        organisation=organisation,
        data={"nominations_return": return_id, "after": {"quarter": quarter}},
    )
