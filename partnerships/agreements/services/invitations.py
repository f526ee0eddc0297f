"""Invite organisations to a partnership, and answer or withdraw invitations."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.agreements.departures import PartnershipEnding
from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import Partnership, Party, PartyRole, PartyStatus
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.notice_effects import set_end_by_notice
from partnerships.agreements.services.recording import (
    acting_for,
    copy_to_caller,
    journal_party,
    lock_partnership,
    lock_party,
    record_event,
)
from partnerships.agreements.services.terms.taking_force import adjust_signatories
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.queries import leads_of
from partnerships.outbox.services import record_email, record_emails
from partnerships.people.models import User

#: How many invitations people of a partnership may send in a day. All leads of the invited organisation get an email.
INVITATIONS_A_DAY = 20


class UnableToInvite(Exception):
    """The partnership is over, or the organisation has ended or is a party already."""


class UnableToAnswer(Exception):
    """The invitation is not open, or the reason for declining is missing."""


@transaction.atomic
def invite_organisation(
    *,
    partnership: Partnership,
    organisation: Organisation,
    role: str,
    reason: str,
    author: User | None,
    now: dt.datetime,
) -> Party:
    """Invite an organisation, with a reason, and email its leads.

    An organisation that declined or left may be invited again. Raises `UnableToInvite`.
    """
    locked_partnership = lock_partnership(partnership.pk)
    require(rights_over(locked_partnership, author, now).leads)
    if locked_partnership.is_over_on(timezone.localdate(now)):
        raise UnableToInvite("This partnership has ended, so you can no longer invite an organisation.")
    if organisation.is_ended:
        raise UnableToInvite(f"{organisation.name} has ended. Invite its successor instead.")
    if author is not None and _count_recent_invitations(locked_partnership, now) >= INVITATIONS_A_DAY:
        raise UnableToInvite(f"You have sent {INVITATIONS_A_DAY} invitations today. Try again tomorrow.")
    if role not in PartyRole.values:
        raise UnableToInvite("Choose a role for the organisation.")
    if not reason.strip():
        raise UnableToInvite("Enter why you are inviting the organisation.")

    party = _lock_party_to_invite(locked_partnership, organisation)
    party.role = role
    party.status = PartyStatus.INVITED
    party.invited_at = now
    party.invited_by = author
    party.answered_at = None
    party.answered_by = None
    party.reason = ""
    party.save()

    record_event(
        locked_partnership,
        EventKind.PARTY_INVITED,
        author=author,
        now=now,
        data={
            "party": organisation.pk,
            "after": {"organisation": organisation.name, "role": role},
            "reason": reason.strip(),
        },
    )
    record_emails(
        kind="agreements.invitation",
        people=[lead.pk for lead in leads_of(organisation) if lead != author],
        params={"party": party.pk},
        sender_id=acting_for(locked_partnership, author),
        now=now,
    )
    return party


def _count_recent_invitations(partnership: Partnership, now: dt.datetime) -> int:
    """Return how many invitations to the partnership people sent in the last day."""
    return Event.objects.filter(
        target_kind="partnership",
        target_id=partnership.pk,
        kind=EventKind.PARTY_INVITED,
        actor_id__isnull=False,
        at__gt=now - dt.timedelta(days=1),
    ).count()


def _lock_party_to_invite(partnership: Partnership, organisation: Organisation) -> Party:
    """Lock and return the party if the organisation was invited before, or else return a new, unsaved party.

    Raises `UnableToInvite` if the organisation takes part or is already invited.
    """
    party = Party.objects.select_for_update().filter(partnership=partnership, organisation=organisation).first()
    if party is None:
        return Party(partnership=partnership, organisation=organisation)
    if party.status in (PartyStatus.INVITED, PartyStatus.ACCEPTED):
        raise UnableToInvite(f"{organisation.name} already takes part or is invited. Choose another organisation.")
    return party


@transaction.atomic
def answer_invitation(*, party: Party, accept: bool, reason: str, author: User | None, now: dt.datetime) -> None:
    """Accept an invitation, or decline it with a reason, and email its sender. Raises `UnableToAnswer`."""
    partnership, locked_party = lock_party(party)
    require(rights_over(partnership, author, now).may_answer(locked_party))
    if not locked_party.is_waiting:
        raise UnableToAnswer("This invitation has already been answered or withdrawn, so you do not need to answer it.")
    if partnership.is_over_on(timezone.localdate(now)):
        raise UnableToAnswer("This partnership has ended, so you can no longer answer the invitation.")
    if not accept and not reason.strip():
        raise UnableToAnswer("Enter why your organisation is declining.")

    locked_party.status = PartyStatus.ACCEPTED if accept else _status_without_acceptance(locked_party)
    locked_party.answered_at = now
    locked_party.answered_by = author
    locked_party.reason = reason.strip()
    journal_party(partnership, locked_party, now=now, takes_part=accept)
    if accept:
        locked_party.joined_on = timezone.localdate(now)
        locked_party.left_on = None
        locked_party.left_at = None
    locked_party.save(
        update_fields=["status", "answered_at", "answered_by", "reason", "joined_on", "left_on", "left_at"]
    )
    _record_answer(partnership, locked_party, accept=accept, author=author, now=now)
    copy_to_caller(party, locked_party)

    # The answer may decide whether a notice ends the partnership, and whose signatures its terms need.
    set_end_by_notice(partnership)
    adjust_signatories(partnership, author=author, now=now)
    _email_inviter(locked_party, author=author, now=now)


def _record_answer(
    partnership: Partnership, party: Party, *, accept: bool, author: User | None, now: dt.datetime
) -> None:
    """Record the event that an organisation accepted or declined."""
    record_event(
        partnership,
        EventKind.INVITATION_ACCEPTED if accept else EventKind.INVITATION_DECLINED,
        author=author,
        now=now,
        organisation=party.organisation,
        data={
            "party": party.organisation_id,
            "after" if accept else "before": {"organisation": party.organisation.name, "role": party.role},
            "reason": party.reason,
        },
    )


def _email_inviter(party: Party, *, author: User | None, now: dt.datetime) -> None:
    """Email the answer to the person who sent the invitation, unless the system or the author sent it."""
    inviter = party.invited_by
    if inviter is None or inviter == author or inviter.is_stakeholder:
        return
    record_email(
        kind="agreements.answer",
        person_id=inviter.pk,
        params={"party": party.pk},
        sender_id=party.organisation_id,
        now=now,
    )


def _status_without_acceptance(party: Party) -> PartyStatus:
    """Return the status of a party whose invitation was declined or withdrawn.

    A party that took part before is "left" again. Any other party is "declined".
    """
    return PartyStatus.DECLINED if party.left_at is None else PartyStatus.LEFT


def withdraw_invitation(
    partnership: Partnership, party: Party, *, reason: str, author: User | None, now: dt.datetime
) -> None:
    """Withdraw the open invitation of a locked party, so that terms no longer need its signature.

    Does not check rights.
    """
    party.status = _status_without_acceptance(party)
    party.reason = reason.strip()
    party.answered_at = now
    party.save(update_fields=["status", "reason", "answered_at"])
    journal_party(partnership, party, now=now)

    record_event(
        partnership,
        EventKind.INVITATION_WITHDRAWN,
        author=author,
        now=now,
        data={
            "party": party.organisation_id,
            "before": {"organisation": party.organisation.name},
            "reason": party.reason,
        },
    )
    adjust_signatories(partnership, author=author, now=now)


def withdraw_with_partnership(ending: PartnershipEnding) -> None:
    """Withdraw the open invitations to a partnership that is over."""
    partnership = ending.partnership
    invited_parties = partnership.parties.select_for_update(of=("self",)).filter(status=PartyStatus.INVITED)
    for party in invited_parties.select_related("organisation").order_by("pk"):
        withdraw_invitation(partnership, party, reason=ending.reason, author=ending.author, now=ending.now)
