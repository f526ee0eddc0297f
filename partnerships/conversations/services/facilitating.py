"""Services that name a facilitator, accept the role and end it."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.activity.services import record
from partnerships.agreements.departures import Consequence, PartyDeparture
from partnerships.agreements.models import Partnership, Party, PartyRole, PartyStatus
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services import UnableToInvite, answer_invitation, invite_organisation, remove_party
from partnerships.agreements.services.recording import lock_partnership
from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import Facilitator
from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.organisations.departures import Departure
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.rights import roles_of
from partnerships.outbox.services import record_email
from partnerships.people.models import User

#: The kind of line in the journal for restores about a role of facilitator that ended.
FACILITATOR = "facilitator"


class UnableToNameFacilitator(Exception):
    """Raised if the person cannot be a facilitator.

    The person does not act for the organisation or is a facilitator already, or the organisation cannot be invited.
    """


class UnableToAcceptFacilitation(Exception):
    """Raised if the role has ended, or the organisation has not accepted its invitation."""


class UnableToEndFacilitation(Exception):
    """Raised if the role has ended, or the reason is missing."""


@transaction.atomic
def name_facilitator(
    *, partnership: Partnership, organisation: Organisation, person: User, author: User | None, now: dt.datetime
) -> Facilitator:
    """Name a facilitator and email the person. Raises `UnableToNameFacilitator`.

    If the person's organisation does not take part in the partnership, it is invited as an observer.
    """
    partnership = lock_partnership(partnership.pk)
    require(rights_over(partnership, author, now).leads)
    if partnership.is_over_on(timezone.localdate(now)):
        raise UnableToNameFacilitator("This partnership has ended, so it needs no facilitator.")
    if not Membership.objects.current().filter(person=person, organisation=organisation).exists():
        raise UnableToNameFacilitator(f"This person does not act for {organisation.name}. Choose someone who does.")
    if Facilitator.objects.not_ended().filter(partnership=partnership, person=person).exists():
        raise UnableToNameFacilitator(
            "This person is already a facilitator of this partnership. Choose another person."
        )

    party = Party.objects.filter(partnership=partnership, organisation=organisation).first()
    needs_invitation = party is None or party.status not in (PartyStatus.INVITED, PartyStatus.ACCEPTED)
    if needs_invitation:
        _invite_as_observer(partnership, organisation, person, author, now)
    facilitator = Facilitator.objects.create(
        partnership=partnership,
        organisation=organisation,
        person=person,
        brought_party=needs_invitation,
        named_by=author,
        named_at=now,
    )

    _record(facilitator, EventKind.FACILITATOR_NAMED, author=author, now=now)
    if person != author:
        record_email(
            kind="conversations.facilitator_named",
            person_id=person.pk,
            params={"facilitator": facilitator.pk},
            sender_id=None,
            now=now,
        )
    return facilitator


def _invite_as_observer(
    partnership: Partnership, organisation: Organisation, person: User, author: User | None, now: dt.datetime
) -> None:
    """Invite the facilitator's organisation to the partnership. Raises `UnableToNameFacilitator`."""
    try:
        invite_organisation(
            partnership=partnership,
            organisation=organisation,
            role=PartyRole.OBSERVER,
            reason=f"{person.name} facilitates the partnership.",
            author=author,
            now=now,
        )
    except UnableToInvite as error:
        raise UnableToNameFacilitator(str(error)) from error


def _lock(facilitator: Facilitator) -> Facilitator:
    """Lock the partnership and then the facilitator, and return the facilitator as stored."""
    lock_partnership(facilitator.partnership_id)
    return Facilitator.objects.for_listing().select_for_update(of=("self",)).get(pk=facilitator.pk)


@transaction.atomic
def accept_facilitation(*, facilitator: Facilitator, author: User, now: dt.datetime) -> None:
    """Accept the role of facilitator, as the person who was named. Raises `UnableToAcceptFacilitation`.

    If the person is a lead, their organisation's invitation to the partnership is accepted at the same time.
    """
    facilitator = _lock(facilitator)
    roles = roles_of(author, now)
    require(facilitator.person_id == author.pk and roles.acts_for(facilitator.organisation_id))
    if not facilitator.is_waiting:
        raise UnableToAcceptFacilitation(
            "You have already answered this request, or your role has ended, so you do not need to answer."
        )

    party = Party.objects.filter(partnership=facilitator.partnership, organisation=facilitator.organisation).first()
    if party is not None and party.is_waiting and roles.leads(party.organisation_id):
        answer_invitation(party=party, accept=True, reason="", author=author, now=now)
    if party is None or not party.is_present:
        raise UnableToAcceptFacilitation(
            f"A lead of {facilitator.organisation.name} must accept the invitation to the partnership first."
        )

    facilitator.accepted_at = now
    facilitator.save(update_fields=["accepted_at"])
    _record(facilitator, EventKind.FACILITATOR_ACCEPTED, author=author, now=now)


@transaction.atomic
def end_facilitation(*, facilitator: Facilitator, reason: str, author: User | None, now: dt.datetime) -> None:
    """End a facilitator's role. Raises `UnableToEndFacilitation`.

    Leads of the leading organisations and the facilitator can do this. If an organisation takes part only because of
    its facilitators, it leaves the partnership with the last of them.
    """
    facilitator = _lock(facilitator)
    is_own = (
        author is not None
        and facilitator.person_id == author.pk
        and roles_of(author, now).acts_for(facilitator.organisation_id)
    )
    require(is_own or rights_over(facilitator.partnership, author, now).leads)
    if facilitator.ended_at is not None:
        raise UnableToEndFacilitation("This person is no longer a facilitator, so you do not need to remove them.")
    if not reason.strip():
        raise UnableToEndFacilitation("Enter a reason.")

    _end(facilitator, reason.strip(), author=author, now=now)
    if facilitator.brought_party:
        _remove_party_of_last(facilitator, now=now)


def _remove_party_of_last(facilitator: Facilitator, *, now: dt.datetime) -> None:
    """Remove an organisation that took part only because of its facilitators, if the last of them has left."""
    partnership, organisation = facilitator.partnership, facilitator.organisation
    if partnership.is_over_on(timezone.localdate(now)):
        return
    if Facilitator.objects.not_ended().filter(partnership=partnership, organisation=organisation).exists():
        return

    observers = Party.objects.filter(
        partnership=partnership,
        organisation=organisation,
        role=PartyRole.OBSERVER,
        status__in=[PartyStatus.INVITED, PartyStatus.ACCEPTED],
    )
    party = observers.select_related("organisation").first()
    if party is not None:
        remove_party(party=party, reason="The facilitator no longer has this role.", author=None, now=now)


def _end(facilitator: Facilitator, reason: str, *, author: User | None, now: dt.datetime) -> None:
    """End the role of a (locked) facilitator, and record it in the journal for restores and in the timeline."""
    facilitator.ended_at = now
    facilitator.ended_by = author
    facilitator.end_reason = reason
    facilitator.save(update_fields=["ended_at", "ended_by", "end_reason"])
    journal.note(FACILITATOR, now=now, facilitator=facilitator.pk, same=facilitator_identity(facilitator))
    _record(facilitator, EventKind.FACILITATOR_ENDED, author=author, now=now, reason=reason)


def facilitator_identity(facilitator: Facilitator) -> str:
    """Return the hash by which the journal for restores recognises a facilitator."""
    return journal.identity(facilitator.partnership_id, facilitator.person_id, facilitator.named_at)


def _record(
    facilitator: Facilitator, event: EventKind, *, author: User | None, now: dt.datetime, reason: str = ""
) -> None:
    """Record an event about a facilitator on the partnership."""
    record(
        actor_id=author.pk if author else None,
        kind=event,
        target_kind="partnership",
        target_id=facilitator.partnership_id,
        within_kind="partnership",
        within_id=facilitator.partnership_id,
        now=now,
        data={
            "title": facilitator.partnership.title,
            "facilitator": facilitator.pk,
            "after": {"organisation": facilitator.organisation.name},
            **({"reason": reason} if reason else {}),
        },
    )


def end_with_party(departure: PartyDeparture) -> None:
    """End the roles of the facilitators of a party that leaves. Call this with the partnership locked."""
    party = departure.party
    facilitators = Facilitator.objects.not_ended().filter(
        partnership=party.partnership_id, organisation=party.organisation_id
    )
    for facilitator in facilitators.for_listing().order_by("pk"):
        _end(facilitator, "Their organisation left the partnership.", author=departure.author, now=departure.now)


def preview_ending(party: Party, reader: User) -> list[Consequence]:
    """Return the facilitators who will lose their role if the party leaves."""
    facilitators = (
        Facilitator.objects.visible_to(reader)
        .not_ended()
        .filter(partnership=party.partnership_id, organisation=party.organisation_id)
    )
    return [
        Consequence(f"{facilitator.person.display_name} will no longer be a facilitator")
        for facilitator in facilitators.for_listing().order_by("pk")
    ]


def end_with_membership(departure: Departure) -> int:
    """End the facilitator's roles of a person who leaves an organisation, and return how many ended."""
    membership = departure.membership
    facilitators = Facilitator.objects.not_ended().filter(
        person=membership.person_id, organisation=membership.organisation_id
    )
    facilitators_of_person = list(facilitators.for_listing().order_by("pk"))
    for facilitator in facilitators_of_person:
        _end(
            facilitator,
            "The facilitator no longer acts for their organisation.",
            author=departure.author,
            now=departure.now,
        )
    return len(facilitators_of_person)
