"""Services that name and remove the facilitators of one ask or offer."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.exchange.models import Entry, EntryFacilitator
from partnerships.exchange.rights import rights_over
from partnerships.exchange.services.emails import email_facilitator
from partnerships.exchange.services.recording import UnableToChangeEntry, event_kind_of, lock_entry, record_event
from partnerships.kit.rights import require
from partnerships.organisations.departures import Departure
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User


class UnableToFacilitate(UnableToChangeEntry):
    """Raised if the person cannot be named or removed.

    The person cannot read the entry or is a facilitator already, or the reason for removing them is missing.
    """


@transaction.atomic
def name_entry_facilitator(
    *, entry: Entry, organisation: Organisation, person: User, author: User, now: dt.datetime, sends_email: bool = True
) -> EntryFacilitator:
    """Name a facilitator of a shared ask or offer, and email the person. Raises `UnableToFacilitate`.

    The person must be able to read the entry already. Without `sends_email`, the caller sends one email about several
    entries (`email_facilitators`).
    """
    lock_entry(entry)
    require(rights_over(entry, author, now).may_edit)
    if entry.is_draft or entry.is_over:
        raise UnableToFacilitate("Only an open ask or offer can have a facilitator.")
    if not Membership.objects.current().of_person(person).filter(organisation=organisation).exists():
        raise UnableToFacilitate(f"This person does not act for {organisation.name}. Choose someone who does.")
    if not Entry.objects.visible_to(person).filter(pk=entry.pk).exists():
        raise UnableToFacilitate(f"{person.display_name} cannot read this {entry.noun}. Choose someone who can.")
    if entry.facilitators.filter(person=person, ended_at=None).exists():
        raise UnableToFacilitate(f"{person.display_name} is already a facilitator. Choose another person.")

    facilitator = EntryFacilitator.objects.create(
        entry=entry, organisation=organisation, person=person, named_by=author, named_at=now
    )
    _record(facilitator, "facilitator_named", author=author, now=now)
    if sends_email:
        email_facilitator(facilitator, author=author, now=now)
    return facilitator


@transaction.atomic
def end_entry_facilitator(*, facilitator: EntryFacilitator, reason: str, author: User | None, now: dt.datetime) -> None:
    """Remove a facilitator, with a reason. Raises `UnableToFacilitate`.

    Editors of the entry and the facilitators themselves may do this.
    """
    entry = facilitator.entry
    lock_entry(entry)
    facilitator = EntryFacilitator.objects.for_listing().select_for_update(of=("self",)).get(pk=facilitator.pk)
    is_self = author is not None and facilitator.person_id == author.pk
    is_own_role = is_self and roles_of(author, now).acts_for(facilitator.organisation_id)
    require(is_own_role or rights_over(entry, author, now).may_edit)
    if facilitator.ended_at is not None:
        raise UnableToFacilitate(
            f"{facilitator.person.display_name} is no longer a facilitator, so you do not need to remove them."
        )
    if not reason.strip():
        raise UnableToFacilitate("Enter why you are removing this facilitator.")

    _end(facilitator, reason.strip(), author=author, now=now)


def end_with_membership(departure: Departure) -> int:
    """End the facilitator's roles of a person who leaves an organisation, and return how many ended."""
    membership = departure.membership
    facilitators = EntryFacilitator.objects.filter(
        person=membership.person_id, organisation=membership.organisation_id, ended_at=None
    )
    facilitators_to_end = list(facilitators.for_listing().order_by("pk"))
    for facilitator in facilitators_to_end:
        _end(
            facilitator,
            "The facilitator no longer acts for their organisation.",
            author=departure.author,
            now=departure.now,
        )
    return len(facilitators_to_end)


def _end(facilitator: EntryFacilitator, reason: str, *, author: User | None, now: dt.datetime) -> None:
    """End a facilitator's role, and record the event."""
    facilitator.ended_at = now
    facilitator.ended_by = author
    facilitator.end_reason = reason
    facilitator.save(update_fields=["ended_at", "ended_by", "end_reason"])
    _record(facilitator, "facilitator_ended", author=author, now=now, reason=reason)


def _record(
    facilitator: EntryFacilitator, verb: str, *, author: User | None, now: dt.datetime, reason: str = ""
) -> None:
    entry = facilitator.entry
    record_event(
        entry,
        event=event_kind_of(entry, verb),
        author=author,
        organisation=entry.organisation_id if author else None,
        now=now,
        after={"organisation": facilitator.organisation.name},
        reason=reason,
    )
