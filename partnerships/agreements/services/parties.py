"""Services for parties: invite an organisation, answer, leave, remove a party, change its role."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.agreements.departures import (
    PartnershipEnding,
    PartyDeparture,
    run_departure_hooks,
    run_observer_hooks,
)
from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import LEADING_ROLES, Partnership, Party, PartyRole, PartyStatus
from partnerships.agreements.past import record_state_for_leavers
from partnerships.agreements.queries.terms import must_give_notice, notice_words
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.notice_effects import set_end_by_notice
from partnerships.agreements.services.recording import lock_partnership, record_event
from partnerships.agreements.services.terms.taking_force import adjust_signatories
from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.organisations.models import Membership, Organisation, Role
from partnerships.organisations.queries import leads_of
from partnerships.outbox.services import record_email, record_emails
from partnerships.people.models import User


class UnableToInvite(Exception):
    """The partnership is over, or the organisation has ended or is a party already."""


class UnableToAnswer(Exception):
    """The invitation is not open, or the reason for declining is missing."""


class UnableToLeave(Exception):
    """The organisation is not a party, is the last one that leads, or must give notice, or the reason is missing."""


class UnableToChangeParty(Exception):
    """The role is unknown, or nobody would lead the partnership."""


#: How many invitations people of a partnership may send in a day. All leads of the invited organisation get an email.
INVITATIONS_A_DAY = 20


def _count_recent_invitations(partnership: Partnership, now: dt.datetime) -> int:
    """Return how many invitations to the partnership people sent in the last day."""
    return Event.objects.filter(
        target_kind="partnership",
        target_id=partnership.pk,
        kind=EventKind.PARTY_INVITED,
        actor_id__isnull=False,
        at__gt=now - dt.timedelta(days=1),
    ).count()


def _lock_party(party: Party) -> tuple[Partnership, Party]:
    """Lock the partnership, then the party, and return both."""
    partnership = lock_partnership(party.partnership_id)
    return partnership, Party.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=party.pk)


def _refresh(party: Party, locked: Party) -> None:
    """Copy the saved columns of the locked row to the caller's object."""
    for name in ("role", "status", "answered_at", "answered_by_id", "reason", "joined_on", "left_on", "left_at"):
        setattr(party, name, getattr(locked, name))


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
        raise UnableToInvite("Give a reason for inviting the organisation.")
    party = Party.objects.select_for_update().filter(partnership=locked_partnership, organisation=organisation).first()
    if party is None:
        party = Party(partnership=locked_partnership, organisation=organisation)
    elif party.status in (PartyStatus.INVITED, PartyStatus.ACCEPTED):
        raise UnableToInvite(f"{organisation.name} already takes part or is invited. Choose another organisation.")
    party.role, party.status = role, PartyStatus.INVITED
    party.invited_at, party.invited_by = now, author
    party.answered_at = party.answered_by = None
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
        sender_id=_acting_for(locked_partnership, author),
        now=now,
    )
    return party


def _acting_for(partnership: Partnership, author: User | None) -> int | None:
    """Return the id of the organisation for which the author acts in the partnership."""
    memberships = Membership.objects.current().of_person(author) if author else Membership.objects.none()
    parties = partnership.parties.present().filter(organisation__in=memberships.values("organisation"))
    return parties.order_by("pk").values_list("organisation_id", flat=True).first()


@transaction.atomic
def answer_invitation(*, party: Party, accept: bool, reason: str, author: User | None, now: dt.datetime) -> None:
    """Accept an invitation, or decline it with a reason, and email its sender. Raises `UnableToAnswer`."""
    partnership, locked = _lock_party(party)
    require(rights_over(partnership, author, now).may_answer(locked))
    if not locked.is_waiting:
        raise UnableToAnswer("This invitation has already been answered or withdrawn, so you need not answer it.")
    if partnership.is_over_on(timezone.localdate(now)):
        raise UnableToAnswer("This partnership has ended, so you can no longer answer the invitation.")
    if not accept and not reason.strip():
        raise UnableToAnswer("Enter why your organisation declines.")
    locked.status = PartyStatus.ACCEPTED if accept else _status_without_acceptance(locked)
    locked.answered_at, locked.answered_by = now, author
    locked.reason = reason.strip()
    _journal(partnership, locked, now=now, takes_part=accept)
    if accept:
        locked.joined_on, locked.left_on, locked.left_at = timezone.localdate(now), None, None
    locked.save(update_fields=["status", "answered_at", "answered_by", "reason", "joined_on", "left_on", "left_at"])
    record_event(
        partnership,
        EventKind.INVITATION_ACCEPTED if accept else EventKind.INVITATION_DECLINED,
        author=author,
        now=now,
        organisation=locked.organisation,
        data={
            "party": locked.organisation_id,
            "after" if accept else "before": {"organisation": locked.organisation.name, "role": locked.role},
            "reason": locked.reason,
        },
    )
    _refresh(party, locked)
    set_end_by_notice(partnership)
    adjust_signatories(partnership, author=author, now=now)
    inviter = locked.invited_by
    if inviter is not None and inviter != author and not inviter.is_stakeholder:
        record_email(
            kind="agreements.answer",
            person_id=inviter.pk,
            params={"party": locked.pk},
            sender_id=locked.organisation_id,
            now=now,
        )


def _status_without_acceptance(party: Party) -> PartyStatus:
    """Return the status after a declined or withdrawn invitation: "left" for a former party, else "declined"."""
    return PartyStatus.DECLINED if party.left_at is None else PartyStatus.LEFT


def _another_party_leads(partnership: Partnership, party: Party) -> bool:
    """Return whether another present party is chair or lead."""
    return partnership.parties.present().filter(role__in=LEADING_ROLES).exclude(pk=party.pk).exists()


@transaction.atomic
def leave_partnership(
    *, party: Party, reason: str, author: User | None, now: dt.datetime, after_notice: bool = False
) -> None:
    """End a party's part in a partnership, at its own wish. Its people still read the partnership as it was.

    `after_notice` says that the notice which the terms require is over, or that the party left before its leaving was
    recorded here. Raises `UnableToLeave`.
    """
    partnership, locked = _lock_party(party)
    require(rights_over(partnership, author, now).may_leave(locked))
    if not after_notice:
        _refuse_without_notice(partnership, locked, now)
    _end_party(partnership, locked, reason=reason, author=author, now=now, event=EventKind.PARTY_LEFT)
    _refresh(party, locked)


@transaction.atomic
def remove_party(
    *, party: Party, reason: str, author: User | None, now: dt.datetime, even_last_lead: bool = False
) -> None:
    """Remove a party, or withdraw its invitation.

    After a restore, `even_last_lead` allows the removal of the last party that leads. Raises `UnableToLeave`.
    """
    partnership, locked = _lock_party(party)
    rights = rights_over(partnership, author, now)
    require(rights.leads)
    # An author who leads only this party would otherwise avoid its notice by removing it.
    removes_itself = not rights.roles.is_system and rights.leading == {locked.organisation_id}
    if removes_itself:
        _refuse_without_notice(partnership, locked, now)
    if party.is_waiting and not locked.is_waiting:
        raise UnableToLeave("This invitation has already been answered or withdrawn, so nobody can withdraw it.")
    if locked.is_waiting:
        _withdraw(partnership, locked, reason=reason, author=author, now=now)
    else:
        _end_party(
            partnership,
            locked,
            reason=reason,
            author=author,
            now=now,
            event=EventKind.PARTY_REMOVED,
            even_last_lead=even_last_lead,
        )
    _refresh(party, locked)


def _refuse_without_notice(partnership: Partnership, party: Party, now: dt.datetime) -> None:
    """Raise `UnableToLeave` if the party must give notice."""
    if must_give_notice(partnership, party, timezone.localdate(now)):
        raise UnableToLeave(f"The terms ask for {notice_words(partnership)}. Give notice on the page “Dates” instead.")


def _withdraw(partnership: Partnership, locked: Party, *, reason: str, author: User | None, now: dt.datetime) -> None:
    """Withdraw an open invitation. The signature of the organisation is no longer needed."""
    if not reason.strip():
        raise UnableToLeave("Give a reason for withdrawing the invitation.")
    locked.status, locked.reason, locked.answered_at = _status_without_acceptance(locked), reason.strip(), now
    locked.save(update_fields=["status", "reason", "answered_at"])
    _journal(partnership, locked, now=now)
    record_event(
        partnership,
        EventKind.INVITATION_WITHDRAWN,
        author=author,
        now=now,
        data={
            "party": locked.organisation_id,
            "before": {"organisation": locked.organisation.name},
            "reason": locked.reason,
        },
    )
    adjust_signatories(partnership, author=author, now=now)


def withdraw_with_partnership(ending: PartnershipEnding) -> None:
    """Withdraw the open invitations to a partnership that is over."""
    invited = ending.partnership.parties.select_for_update(of=("self",)).filter(status=PartyStatus.INVITED)
    for party in invited.select_related("organisation").order_by("pk"):
        _withdraw(ending.partnership, party, reason=ending.reason, author=ending.author, now=ending.now)


#: Name of the lines in the journal which record that an organisation takes part, or no longer does.
PARTY = "party"


def party_identity(partnership: Partnership, organisation: Organisation) -> str:
    """Return the hash by which the journal recognises the part of an organisation in a partnership."""
    return journal.identity(partnership.pk, partnership.created_at, organisation.pk, organisation.created_at)


def _journal(partnership: Partnership, party: Party, *, now: dt.datetime, takes_part: bool = False) -> None:
    """Note in the journal whether the party takes part from now on."""
    identity = party_identity(partnership, party.organisation)
    journal.note(PARTY, now=now, party=party.pk, same=identity, role=party.role, undone=takes_part)


def _end_party(
    partnership: Partnership,
    locked: Party,
    *,
    reason: str,
    author: User | None,
    now: dt.datetime,
    event: EventKind,
    even_last_lead: bool = False,
) -> None:
    """End the part of a locked party that leaves or is removed. Raises `UnableToLeave`."""
    if not locked.is_present:
        raise UnableToLeave(f"{locked.organisation.name} no longer takes part, so it cannot leave or be removed.")
    # A restore has no author. It ends the part again, even if the partnership is over by now.
    if author is not None and partnership.is_over_on(timezone.localdate(now)):
        raise UnableToLeave("This partnership has ended, so no organisation can leave it or be removed.")
    if not reason.strip():
        raise UnableToLeave("Give a reason.")
    if not even_last_lead and locked.role in LEADING_ROLES and not _another_party_leads(partnership, locked):
        raise UnableToLeave("No other party leads. Make another party chair or lead first, or end the partnership.")
    locked.status, locked.reason = PartyStatus.LEFT, reason.strip()
    locked.left_at = now
    locked.left_on = max(timezone.localdate(now), locked.joined_on or dt.date.min)
    locked.save(update_fields=["status", "reason", "left_at", "left_on"])
    record_state_for_leavers(partnership)
    record_event(
        partnership,
        event,
        author=author,
        now=now,
        organisation=locked.organisation if event == EventKind.PARTY_LEFT else None,
        data={
            "party": locked.organisation_id,
            "before": {"organisation": locked.organisation.name, "role": locked.role},
            "reason": locked.reason,
        },
    )
    _journal(partnership, locked, now=now)
    set_end_by_notice(partnership)
    adjust_signatories(partnership, author=author, now=now)
    locked.partnership = partnership
    run_departure_hooks(PartyDeparture(party=locked, author=author, now=now))
    _email_departure(locked, is_removed=event == EventKind.PARTY_REMOVED, author=author, now=now)


def _email_departure(party: Party, *, is_removed: bool, author: User | None, now: dt.datetime) -> None:
    """Email the leads of the other parties, and of a party that was removed, except the author."""
    organisation_ids = set(party.partnership.parties.present().values_list("organisation", flat=True))
    if is_removed:
        organisation_ids.add(party.organisation_id)
    leads = Membership.objects.current().filter(role=Role.LEAD, organisation__in=organisation_ids)
    record_emails(
        kind="agreements.gone",
        people=leads.exclude(person=author).values_list("person", flat=True),
        params={"party": party.pk, "removed": is_removed},
        sender_id=_acting_for(party.partnership, author) or party.organisation_id,
        now=now,
    )


@transaction.atomic
def change_party_role(
    *, party: Party, role: str, reason: str, author: User | None, now: dt.datetime, even_last_lead: bool = False
) -> None:
    """Change the role of a party, with a reason. At least one party must be chair or lead.

    After a restore, `even_last_lead` allows a change of the last such party. Raises `UnableToChangeParty`.
    """
    partnership, locked = _lock_party(party)
    require(rights_over(partnership, author, now).leads)
    if role not in PartyRole.values:
        raise UnableToChangeParty("Choose a role.")
    # A restore has no author. It changes the role again, even if the partnership is over by now.
    if author is not None and partnership.is_over_on(timezone.localdate(now)):
        raise UnableToChangeParty("This partnership has ended, so roles in it can no longer change.")
    if locked.status not in (PartyStatus.INVITED, PartyStatus.ACCEPTED):
        raise UnableToChangeParty(f"{locked.organisation.name} no longer takes part, so its role cannot change.")
    previous_role = locked.role
    if role == previous_role:
        return
    if not reason.strip():
        raise UnableToChangeParty("Give a reason.")
    steps_down = role not in LEADING_ROLES and previous_role in LEADING_ROLES
    if not even_last_lead and steps_down and not _another_party_leads(partnership, locked):
        raise UnableToChangeParty("No other party leads. Make another party chair or lead first.")
    locked.role = role
    locked.save(update_fields=["role"])
    if locked.is_present:
        _journal(partnership, locked, now=now, takes_part=True)
    record_event(
        partnership,
        EventKind.PARTY_ROLE_CHANGED,
        author=author,
        now=now,
        data={
            "party": locked.organisation_id,
            "before": {"organisation": locked.organisation.name, "role": previous_role},
            "after": {"organisation": locked.organisation.name, "role": role},
            "reason": reason.strip(),
        },
    )
    set_end_by_notice(partnership)
    adjust_signatories(partnership, author=author, now=now)
    if role == PartyRole.OBSERVER and locked.is_present:
        locked.partnership, locked.reason = partnership, reason.strip()
        run_observer_hooks(PartyDeparture(party=locked, author=author, now=now))
    _refresh(party, locked)
