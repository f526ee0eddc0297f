"""Invite people to act for an organisation, and accept invitations."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.kit.rights import require
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.rights import rights_over
from partnerships.organisations.services.memberships import (
    NO_ADMINISTRATOR,
    email_about_change,
    open_membership,
    with_reason,
)
from partnerships.organisations.services.recording import lock_organisation, lock_person, record_membership_event
from partnerships.outbox.services import record_email
from partnerships.people.limits import add_to_count, count_since
from partnerships.people.models import Invitation, User
from partnerships.people.services import (
    UnableToAcceptInvitation,
    UnableToAddPerson,
    accept_invitation,
    create_invitation,
    hash_token,
    person_for_address,
)

#: The number of invitations that an organisation may send in a day, including repeated ones (docs/safety.md, Limits).
INVITATIONS_A_DAY = 20
#: The number of invitations that all organisations together may send to one person in a day.
INVITATIONS_A_PERSON = 5
_DAY, _HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


class UnableToInviteMember(Exception):
    """Raised if an invitation is refused.

    The address is invalid, the person is already a member or is an administrator, a daily limit is reached, or an
    administrator gives no reason.
    """


class UnableToAcceptMembership(Exception):
    """Raised if the invitation is no longer valid, or the person is an administrator."""


@transaction.atomic
def invite_member(
    *,
    organisation: Organisation,
    email: str,
    role: str,
    author: User,
    now: dt.datetime,
    name: str = "",
    job_title: str = "",
    message: str = "",
    reason: str = "",
) -> Membership:
    """Invite a person by email. The membership is pending until the person accepts.

    An administrator must give a reason, and the organisation's leads are emailed. Raises `UnableToInviteMember`.
    """
    # The rights are also checked here, because `_lock_invited_person` may create a person.
    require(rights_over(organisation, author, now).may_manage_people)
    if author.is_staff and not reason.strip():
        raise UnableToInviteMember("Enter a reason.")

    # All services lock the person before the organisation, so that they cannot deadlock.
    person = _lock_invited_person(email=email, name=name)
    locked_organisation = lock_organisation(organisation.pk)
    require(rights_over(locked_organisation, author, now).may_manage_people)
    _check_can_join(locked_organisation, person)
    _count_invitation(locked_organisation, person, now)

    invitation, token = create_invitation(person=person, invited_by=author, message=message.strip(), now=now)
    membership = Membership.objects.create(
        organisation=locked_organisation,
        person=person,
        role=role,
        job_title=job_title.strip(),
        starts_on=timezone.localdate(now),
        invitation=invitation,
        created_by=author,
    )
    data = with_reason({"after": {"role": role}}, reason)
    event = record_membership_event(membership, EventKind.MEMBER_INVITED, author=author, now=now, data=data)

    _send_invitation(membership, token, now=now)
    if author.is_staff:
        email_about_change("organisations.invited_by_administrator", membership, event, now=now)
    return membership


def _lock_invited_person(*, email: str, name: str) -> User:
    """Return the person with this address, locked; create the person if nobody has the address.

    Raises `UnableToInviteMember` if the address is invalid or belongs to an administrator.
    """
    try:
        person = person_for_address(email=email, name=name)
    except UnableToAddPerson as error:
        raise UnableToInviteMember(str(error)) from error
    if lock_person(person).is_staff:
        raise UnableToInviteMember(NO_ADMINISTRATOR)
    return person


def _check_can_join(organisation: Organisation, person: User) -> None:
    """Raise `UnableToInviteMember` if the organisation has ended, or the person is a member or already invited."""
    if organisation.is_ended:
        raise UnableToInviteMember(f"{organisation.name} has ended, so nobody can act for it any more.")
    membership = open_membership(organisation, person)
    if membership is None:
        return
    if membership.is_pending:
        raise UnableToInviteMember(f"{person.email} has already been invited. Send the email again instead.")
    raise UnableToInviteMember(f"{person.email} already acts for {organisation.name}. Change their role instead.")


def _send_invitation(membership: Membership, token: str, *, now: dt.datetime) -> None:
    """Email the invited person a link with this token."""
    record_email(
        kind="organisations.invitation",
        person_id=membership.person_id,
        params={"membership": membership.pk},
        secrets={"token": token},
        sender_id=membership.organisation_id,
        now=now,
    )


def _count_invitation(organisation: Organisation, person: User, now: dt.datetime) -> None:
    """Count an invitation against the limits of the organisation and of the person.

    Raises `UnableToInviteMember` above a limit, which also rolls the count back.
    """
    if _count_today(f"invitations by organisation {organisation.pk}", now) > INVITATIONS_A_DAY:
        raise UnableToInviteMember(
            f"{organisation.name} has already sent {INVITATIONS_A_DAY} invitations today. Try again tomorrow."
        )
    if _count_today(f"invitations to person {person.pk}", now) > INVITATIONS_A_PERSON:
        raise UnableToInviteMember(
            f"We have already sent {INVITATIONS_A_PERSON} invitations to {person.email} today. Try again tomorrow."
        )


def _count_today(counter: str, now: dt.datetime) -> int:
    """Add one to a counter, and return its total of the last 24 hours."""
    add_to_count(counter, stretch=_HOUR, now=now)
    return count_since(counter, now - _DAY)


@transaction.atomic
def resend_invitation(*, membership: Membership, author: User, now: dt.datetime) -> Invitation:
    """Send an invitation again with a new link, so that the old link stops working.

    Raises `UnableToInviteMember`.
    """
    organisation = lock_organisation(membership.organisation_id)
    require(rights_over(organisation, author, now).may_manage_people)
    locked_membership = (
        Membership.objects.select_for_update(of=("self",)).select_related("person").get(pk=membership.pk)
    )
    person = locked_membership.person
    if not locked_membership.is_pending or locked_membership.ends_on is not None:
        raise UnableToInviteMember("This invitation has already been answered or withdrawn. Invite the person again.")
    if person.is_staff:
        raise UnableToInviteMember(NO_ADMINISTRATOR)
    _count_invitation(organisation, person, now)

    message = locked_membership.invitation.message if locked_membership.invitation else ""
    Invitation.objects.filter(memberships=locked_membership, accepted_at=None, revoked_at=None).update(revoked_at=now)
    invitation, token = create_invitation(person=person, invited_by=author, message=message, now=now)
    locked_membership.invitation = invitation
    locked_membership.save(update_fields=["invitation"])

    record_membership_event(locked_membership, EventKind.INVITATION_SENT_AGAIN, author=author, now=now)
    _send_invitation(locked_membership, token, now=now)
    return invitation


def invitation_for(*, token: str, now: dt.datetime) -> Membership | None:
    """Return the pending membership for a token, with its person, organisation and inviter.

    Returns None if the token is not valid.
    """
    open_invitations = Invitation.objects.open_at(now).filter(token_hash=hash_token(token), person__is_active=True)
    memberships = Membership.objects.filter(invitation__in=open_invitations, accepted_at=None, ends_on=None)
    return memberships.select_related("person", "organisation", "invitation__invited_by").first()


@transaction.atomic
def accept_membership(*, token: str, now: dt.datetime, name: str = "", password: str | None = None) -> Membership:
    """Accept an invitation, so that the membership is in force from now on.

    Raises `UnableToAcceptMembership`, or Django's `ValidationError` if the password is not valid.
    """
    try:
        invitation = accept_invitation(token=token, now=now, name=name, password=password)
    except UnableToAcceptInvitation as error:
        raise UnableToAcceptMembership(str(error)) from error
    if lock_person(invitation.person).is_staff:
        raise UnableToAcceptMembership(NO_ADMINISTRATOR)
    membership = _lock_pending_membership(invitation)

    membership.accepted_at = now
    membership.starts_on = timezone.localdate(now)
    membership.save(update_fields=["accepted_at", "starts_on"])
    record_membership_event(
        membership,
        EventKind.INVITATION_ACCEPTED,
        author=membership.person,
        now=now,
        data={"after": {"role": membership.role}},
    )
    return membership


def _lock_pending_membership(invitation: Invitation) -> Membership:
    """Lock the membership that waits for this invitation, and return it. Raises `UnableToAcceptMembership`."""
    memberships = Membership.objects.select_for_update(of=("self",)).select_related("person", "organisation")
    membership = memberships.filter(invitation=invitation, accepted_at=None, ends_on=None).first()
    if membership is None:
        raise UnableToAcceptMembership(
            "This invitation has been used or withdrawn, or has expired. Ask the person who invited you for a new one."
        )
    return membership
