"""Let a party leave a partnership, remove a party, or change its role."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.departures import PartyDeparture, run_departure_hooks, run_observer_hooks
from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.former_parties import record_state_for_leavers
from partnerships.agreements.models import LEADING_ROLES, Partnership, Party, PartyRole, PartyStatus
from partnerships.agreements.queries.terms import must_give_notice, notice_words
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.invitations import withdraw_invitation
from partnerships.agreements.services.notice_effects import set_end_by_notice
from partnerships.agreements.services.recording import (
    acting_for,
    copy_to_caller,
    journal_party,
    lock_party,
    record_event,
)
from partnerships.agreements.services.terms.taking_force import adjust_signatories
from partnerships.kit.rights import require
from partnerships.organisations.models import Membership, Role
from partnerships.outbox.services import record_emails
from partnerships.people.models import User


class UnableToLeave(Exception):
    """The organisation takes no part, is the last lead, or must give notice, or the reason is missing."""


class UnableToChangeParty(Exception):
    """The role is unknown, or nobody would lead the partnership."""


@transaction.atomic
def leave_partnership(
    *, party: Party, reason: str, author: User | None, now: dt.datetime, after_notice: bool = False
) -> None:
    """End a party's part in a partnership, because the party wants to leave.

    Its people can still read the partnership as it was on this day. `after_notice` allows the party to leave at once
    although the terms require notice. Its notice is over, or it has left before this was recorded here. Raises
    `UnableToLeave`.
    """
    partnership, locked_party = lock_party(party)
    require(rights_over(partnership, author, now).may_leave(locked_party))
    if not after_notice:
        _refuse_without_notice(partnership, locked_party, now)
    _end_party(partnership, locked_party, reason=reason, author=author, now=now, event=EventKind.PARTY_LEFT)
    copy_to_caller(party, locked_party)


@transaction.atomic
def remove_party(
    *, party: Party, reason: str, author: User | None, now: dt.datetime, even_last_lead: bool = False
) -> None:
    """Remove a party or, if it has not answered its invitation yet, withdraw the invitation.

    `even_last_lead` allows the removal of the last party that leads, after a restore. Raises `UnableToLeave`.
    """
    partnership, locked_party = lock_party(party)
    rights = rights_over(partnership, author, now)
    require(rights.leads)
    # An author who leads only this party would otherwise avoid its notice by removing it.
    removes_itself = not rights.roles.is_system and rights.leading == {locked_party.organisation_id}
    if removes_itself:
        _refuse_without_notice(partnership, locked_party, now)
    if party.is_waiting and not locked_party.is_waiting:
        raise UnableToLeave("This invitation has already been answered or withdrawn, so you cannot withdraw it.")

    if locked_party.is_waiting:
        if not reason.strip():
            raise UnableToLeave("Enter why you are withdrawing the invitation.")
        withdraw_invitation(partnership, locked_party, reason=reason, author=author, now=now)
    else:
        _end_party(
            partnership,
            locked_party,
            reason=reason,
            author=author,
            now=now,
            event=EventKind.PARTY_REMOVED,
            even_last_lead=even_last_lead,
        )
    copy_to_caller(party, locked_party)


def _refuse_without_notice(partnership: Partnership, party: Party, now: dt.datetime) -> None:
    """Raise `UnableToLeave` if the party must give notice."""
    if must_give_notice(partnership, party, timezone.localdate(now)):
        raise UnableToLeave(f"The terms ask for {notice_words(partnership)}. Give notice on the page “Dates” instead.")


def _end_party(
    partnership: Partnership,
    party: Party,
    *,
    reason: str,
    author: User | None,
    now: dt.datetime,
    event: EventKind,
    even_last_lead: bool = False,
) -> None:
    """End the part of a locked party that leaves or is removed, and email the leads.

    Terms that await signatures no longer need the party's signature. Other rooms end what depended on the party.
    Raises `UnableToLeave`.
    """
    today = timezone.localdate(now)
    if not party.is_present:
        raise UnableToLeave(f"{party.organisation.name} no longer takes part, so it cannot leave or be removed.")
    # A restore has no author. It ends the part again, even if the partnership is over by now.
    if author is not None and partnership.is_over_on(today):
        raise UnableToLeave("This partnership has ended, so no organisation can leave it or be removed.")
    if not reason.strip():
        raise UnableToLeave("Enter a reason.")
    if not even_last_lead and party.role in LEADING_ROLES and not _another_party_leads(partnership, party):
        raise UnableToLeave(
            "No other party leads this partnership. Make another party chair or lead first, or end the partnership."
        )

    party.status = PartyStatus.LEFT
    party.reason = reason.strip()
    party.left_at = now
    party.left_on = max(today, party.joined_on or dt.date.min)
    party.save(update_fields=["status", "reason", "left_at", "left_on"])
    record_state_for_leavers(partnership)

    is_removed = event == EventKind.PARTY_REMOVED
    record_event(
        partnership,
        event,
        author=author,
        now=now,
        organisation=None if is_removed else party.organisation,
        data={
            "party": party.organisation_id,
            "before": {"organisation": party.organisation.name, "role": party.role},
            "reason": party.reason,
        },
    )
    journal_party(partnership, party, now=now)

    set_end_by_notice(partnership)
    adjust_signatories(partnership, author=author, now=now)
    party.partnership = partnership
    run_departure_hooks(PartyDeparture(party=party, author=author, now=now))
    _email_departure(party, is_removed=is_removed, author=author, now=now)


def _another_party_leads(partnership: Partnership, party: Party) -> bool:
    """Return whether another present party is chair or lead."""
    return partnership.parties.accepted().filter(role__in=LEADING_ROLES).exclude(pk=party.pk).exists()


def _email_departure(party: Party, *, is_removed: bool, author: User | None, now: dt.datetime) -> None:
    """Email the leads of the other parties, and of a party that was removed, except the author."""
    organisation_ids = set(party.partnership.parties.accepted().values_list("organisation", flat=True))
    if is_removed:
        organisation_ids.add(party.organisation_id)
    leads = Membership.objects.current().filter(role=Role.LEAD, organisation__in=organisation_ids)
    acting_organisation_id = acting_for(party.partnership, author)
    record_emails(
        kind="agreements.gone",
        people=leads.exclude(person=author).values_list("person", flat=True),
        params={"party": party.pk, "removed": is_removed, "by": acting_organisation_id if is_removed else None},
        sender_id=acting_organisation_id or party.organisation_id,
        now=now,
    )


@transaction.atomic
def change_party_role(
    *, party: Party, role: str, reason: str, author: User | None, now: dt.datetime, even_last_lead: bool = False
) -> None:
    """Change the role of a party, with a reason. At least one party must remain chair or lead.

    `even_last_lead` allows a change of the last such party, after a restore. Raises `UnableToChangeParty`.
    """
    partnership, locked_party = lock_party(party)
    require(rights_over(partnership, author, now).leads)
    _check_role_can_change(partnership, locked_party, role, author=author, now=now)
    previous_role = locked_party.role
    if role == previous_role:
        return
    reason = reason.strip()
    if not reason:
        raise UnableToChangeParty("Enter a reason.")
    steps_down = role not in LEADING_ROLES and previous_role in LEADING_ROLES
    if not even_last_lead and steps_down and not _another_party_leads(partnership, locked_party):
        raise UnableToChangeParty("No other party leads this partnership. Make another party chair or lead first.")

    locked_party.role = role
    locked_party.save(update_fields=["role"])
    if locked_party.is_present:
        journal_party(partnership, locked_party, now=now, takes_part=True)
    name = locked_party.organisation.name
    record_event(
        partnership,
        EventKind.PARTY_ROLE_CHANGED,
        author=author,
        now=now,
        data={
            "party": locked_party.organisation_id,
            "before": {"organisation": name, "role": previous_role},
            "after": {"organisation": name, "role": role},
            "reason": reason,
        },
    )

    set_end_by_notice(partnership)
    adjust_signatories(partnership, author=author, now=now)
    if role == PartyRole.OBSERVER and locked_party.is_present:
        # The observer hooks read these two from the party. Neither is saved.
        locked_party.partnership = partnership
        locked_party.reason = reason
        run_observer_hooks(PartyDeparture(party=locked_party, author=author, now=now))
    copy_to_caller(party, locked_party)


def _check_role_can_change(
    partnership: Partnership, party: Party, role: str, *, author: User | None, now: dt.datetime
) -> None:
    """Raise `UnableToChangeParty` if the role is unknown, the partnership is over, or the party takes no part."""
    if role not in PartyRole.values:
        raise UnableToChangeParty("Choose a role.")
    # A restore has no author. It changes the role again, even if the partnership is over by now.
    if author is not None and partnership.is_over_on(timezone.localdate(now)):
        raise UnableToChangeParty("This partnership has ended, so roles in it can no longer change.")
    if party.status not in (PartyStatus.INVITED, PartyStatus.ACCEPTED):
        raise UnableToChangeParty(f"{party.organisation.name} no longer takes part, so its role cannot change.")
