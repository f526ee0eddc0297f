"""Services that invite members, change their roles and end memberships."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.activity.services import record
from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.organisations.departures import Departure, settle
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.models import REASON, Membership, Organisation, Role
from partnerships.organisations.queries import watching
from partnerships.organisations.rights import rights_over
from partnerships.outbox.services import record_email, record_emails
from partnerships.people.limits import count, counted_since
from partnerships.people.models import Invitation, User
from partnerships.people.services import (
    UnableToAcceptInvitation,
    UnableToAddPerson,
    accept_invitation,
    create_invitation,
    hash_token,
    person_for_address,
)
from partnerships.people.sessions import end_sessions

#: Invitations a day from one organisation (resent ones count), and to one person from all (docs/safety.md, Limits).
INVITATIONS_A_DAY = 20
INVITATIONS_A_PERSON = 5
_DAY, _HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


class UnableToInviteMember(Exception):
    """The invitation is refused.

    The address is invalid, the person is a member already or an administrator, a daily limit is reached, or an
    administrator gives no reason.
    """


class UnableToAcceptMembership(Exception):
    """The invitation is not valid any more."""


class UnableToAddMembership(Exception):
    """The membership cannot be added.

    The person is a member already or an administrator, or an administrator gives no reason.
    """


class UnableToChangeRole(Exception):
    """The role cannot be changed.

    Nobody would lead the organisation, the membership is over, or an administrator gives no reason.
    """


class UnableToEndMembership(Exception):
    """Nobody would lead the organisation, or the membership is over already."""


#: Why administrators cannot become members.
_NO_ADMINISTRATOR = "Administrators act for nobody: their rights would know no bounds."


def _note(
    membership: Membership,
    event: EventKind,
    *,
    author: User | None,
    now: dt.datetime,
    data: dict[str, Any] | None = None,
) -> Event:
    return record(
        actor_id=author.pk if author else None,
        organisation_id=membership.organisation_id,
        kind=event,
        target_kind="membership",
        target_id=membership.pk,
        within_kind="organisation",
        within_id=membership.organisation_id,
        now=now,
        data={"person": membership.person_id} | (data or {}),
    )


def _lock(organisation_id: int) -> Organisation:
    """Lock the organisation's row, so that two leads cannot both leave it."""
    return Organisation.objects.select_for_update().get(pk=organisation_id)


def _lock_person(person: User) -> User:
    """Lock the person's row, before that of the organisation.

    Nobody can become an administrator and a member at the same time. Closing an account locks in the same order.
    """
    return User.objects.select_for_update().get(pk=person.pk)


def _open_membership(organisation: Organisation, person: User) -> Membership | None:
    return Membership.objects.filter(organisation=organisation, person=person, ends_on=None).first()


@transaction.atomic
def add_membership(
    *,
    organisation: Organisation,
    person: User,
    role: str,
    author: User | None,
    now: dt.datetime,
    job_title: str = "",
    starts_on: dt.date | None = None,
    reason: str = "",
) -> Membership:
    """Add a membership without an invitation, from today or the given day.

    For loaders, and for administrators, who give a reason; the person and the leads are then emailed. Raises
    `UnableToAddMembership`.
    """
    chosen_administrator = author is not None and (person.pk == author.pk or _lock_person(person).is_staff)
    require(rights_over(_lock(organisation.pk), author, now).may_add_people)
    if author is not None and not reason.strip():
        raise UnableToAddMembership("Say why.")
    if chosen_administrator:
        raise UnableToAddMembership(_NO_ADMINISTRATOR)
    if _open_membership(organisation, person) is not None:
        raise UnableToAddMembership(f"{person.display_name} acts for {organisation.name} already.")
    membership = Membership.objects.create(
        organisation=organisation,
        person=person,
        role=role,
        job_title=job_title,
        starts_on=starts_on or timezone.localdate(now),
        accepted_at=now,
        created_by=author,
    )
    data = {"after": {"role": role}} | ({REASON: reason.strip()} if reason else {})
    event = _note(membership, EventKind.MEMBER_ADDED, author=author, now=now, data=data)
    if organisation.own_sign_in_required:
        end_sessions(person)
    if author is not None:
        _tell("organisations.let_in", membership, event, now=now, own=True)
    return membership


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
    """Invite somebody by email; the membership is pending until they accept.

    An administrator gives a reason, and the organisation's leads are emailed. Raises `UnableToInviteMember`.
    """
    require(rights_over(organisation, author, now).may_manage_people)  # before `person_for_address` creates a row
    if author.is_staff and not reason.strip():
        raise UnableToInviteMember("Say why.")
    try:
        person = person_for_address(email=email, name=name)
    except UnableToAddPerson as error:
        raise UnableToInviteMember(str(error)) from error
    if _lock_person(person).is_staff:
        raise UnableToInviteMember(_NO_ADMINISTRATOR)
    locked = _lock(organisation.pk)
    require(rights_over(locked, author, now).may_manage_people)
    if locked.is_ended:
        raise UnableToInviteMember(f"{locked.name} has ended.")
    known = _open_membership(locked, person)
    if known is not None:
        state = "is invited already: send the email again instead" if known.is_pending else "acts for it already"
        raise UnableToInviteMember(f"{person.email} {state}.")
    _count_invitation(locked, person, now)
    invitation, token = create_invitation(person=person, invited_by=author, message=message.strip(), now=now)
    membership = Membership.objects.create(
        organisation=locked,
        person=person,
        role=role,
        job_title=job_title.strip(),
        starts_on=timezone.localdate(now),
        invitation=invitation,
        created_by=author,
    )
    data = {"after": {"role": role}} | ({REASON: reason.strip()} if reason else {})
    event = _note(membership, EventKind.MEMBER_INVITED, author=author, now=now, data=data)
    _send_invitation(membership, token, now=now)
    if author.is_staff:
        _tell("organisations.invited_by_administrator", membership, event, now=now)
    return membership


def _send_invitation(membership: Membership, token: str, *, now: dt.datetime) -> None:
    record_email(
        kind="organisations.invitation",
        person_id=membership.person_id,
        params={"membership": membership.pk},
        secrets={"token": token},
        sender_id=membership.organisation_id,
        now=now,
    )


def _tell(kind: str, membership: Membership, event: Event, *, now: dt.datetime, own: bool = False) -> None:
    """Email about an administrator's change to a membership.

    Goes to the leads (or administrators) and, with `own`, to its person.
    """
    people = {person.pk for person in watching(membership)} | ({membership.person_id} if own else set())
    record_emails(kind=kind, people=people, params={"membership": membership.pk, "event": event.pk}, now=now)


def _count_invitation(organisation: Organisation, person: User, now: dt.datetime) -> None:
    """Count an email that is about to be recorded.

    Raises `UnableToInviteMember`, which rolls the count back, above the limit of the organisation or the person.
    """
    limits = (
        (
            f"invitations by organisation {organisation.pk}",
            INVITATIONS_A_DAY,
            f"{organisation.name} has sent {INVITATIONS_A_DAY} invitations today. Try tomorrow.",
        ),
        (
            f"invitations to person {person.pk}",
            INVITATIONS_A_PERSON,
            f"{person.email} has got {INVITATIONS_A_PERSON} invitations today. Try tomorrow.",
        ),
    )
    for what, limit, refusal in limits:
        count(what, stretch=_HOUR, now=now)
        if counted_since(what, now - _DAY) > limit:
            raise UnableToInviteMember(refusal)


@transaction.atomic
def resend_invitation(*, membership: Membership, author: User, now: dt.datetime) -> Invitation:
    """Send the invitation again with a new link; the old link stops working.

    Raises `UnableToInviteMember` when the person has answered or a daily limit is reached.
    """
    organisation = _lock(membership.organisation_id)
    require(rights_over(organisation, author, now).may_manage_people)
    locked = Membership.objects.select_for_update(of=("self",)).select_related("person").get(pk=membership.pk)
    if not locked.is_pending or locked.ends_on is not None:
        raise UnableToInviteMember("There is nothing left to answer.")
    if locked.person.is_staff:
        raise UnableToInviteMember(_NO_ADMINISTRATOR)
    _count_invitation(organisation, locked.person, now)
    message = locked.invitation.message if locked.invitation else ""
    Invitation.objects.filter(memberships=locked, accepted_at=None, revoked_at=None).update(revoked_at=now)
    invitation, token = create_invitation(person=locked.person, invited_by=author, message=message, now=now)
    locked.invitation = invitation
    locked.save(update_fields=["invitation"])
    _note(locked, EventKind.INVITATION_SENT_AGAIN, author=author, now=now)
    _send_invitation(locked, token, now=now)
    return invitation


def invitation_for(*, token: str, now: dt.datetime) -> Membership | None:
    """The pending membership for a token, or None if it is not valid.

    With person, organisation and inviter.
    """
    return (
        Membership.objects.filter(
            invitation__in=Invitation.objects.open(now).filter(token_hash=hash_token(token), person__is_active=True),
            accepted_at=None,
            ends_on=None,
        )
        .select_related("person", "organisation", "invitation__invited_by")
        .first()
    )


@transaction.atomic
def accept_membership(*, token: str, now: dt.datetime, name: str = "", password: str | None = None) -> Membership:
    """Accept an invitation: the membership is in force from now on.

    Raises `UnableToAcceptMembership`, and Django's `ValidationError` when the password is not valid.
    """
    try:
        invitation = accept_invitation(token=token, now=now, name=name, password=password)
    except UnableToAcceptInvitation as error:
        raise UnableToAcceptMembership(str(error)) from error
    if _lock_person(invitation.person).is_staff:
        raise UnableToAcceptMembership(_NO_ADMINISTRATOR)
    membership = (
        Membership.objects.select_for_update(of=("self",))
        .select_related("person", "organisation")
        .filter(invitation=invitation, accepted_at=None, ends_on=None)
        .first()
    )
    if membership is None:
        raise UnableToAcceptMembership("This invitation has been used, withdrawn or has expired.")
    membership.accepted_at = now
    membership.starts_on = timezone.localdate(now)
    membership.save(update_fields=["accepted_at", "starts_on"])
    _note(
        membership,
        EventKind.INVITATION_ACCEPTED,
        author=membership.person,
        now=now,
        data={"after": {"role": membership.role}},
    )
    return membership


def _leads_besides(membership: Membership, now: dt.datetime) -> bool:
    """Whether somebody else leads the organisation.

    Its row must be locked.
    """
    return (
        Membership.objects.current(timezone.localdate(now))
        .filter(organisation=membership.organisation_id, role=Role.LEAD)
        .exclude(pk=membership.pk)
        .exists()
    )


def _would_leave_nobody(membership: Membership, author: User | None, now: dt.datetime) -> bool:
    if author is None or author.is_staff or not membership.is_lead or membership.is_pending:
        return False
    return not _leads_besides(membership, now)


@transaction.atomic
def change_role(*, membership: Membership, role: str, author: User | None, now: dt.datetime, reason: str = "") -> None:
    """Change the role. Only an administrator can demote the last lead.

    An administrator gives a reason, and the person and the leads are emailed. Raises `UnableToChangeRole`.
    """
    organisation = _lock(membership.organisation_id)
    require(rights_over(organisation, author, now).may_manage_people)
    locked = Membership.objects.select_for_update(of=("self",)).get(pk=membership.pk)
    if locked.ends_on is not None:
        raise UnableToChangeRole("This person no longer acts for the organisation.")
    if role not in Role.values:
        raise UnableToChangeRole("Choose a role.")
    was = locked.role
    if role == was:
        return
    by_administrator = author is not None and author.is_staff
    if by_administrator and not reason.strip():
        raise UnableToChangeRole("Say why.")
    if role != Role.LEAD and _would_leave_nobody(locked, author, now):
        raise UnableToChangeRole("The organisation needs a lead: make somebody else a lead first.")
    locked.role = role
    locked.save(update_fields=["role"])
    membership.role = role
    data = {"before": {"role": was}, "after": {"role": role}} | ({REASON: reason.strip()} if reason else {})
    event = _note(locked, EventKind.ROLE_CHANGED, author=author, now=now, data=data)
    if by_administrator:
        _tell("organisations.role_by_administrator", locked, event, now=now, own=True)


@transaction.atomic
def change_job_title(*, membership: Membership, job_title: str, author: User | None, now: dt.datetime) -> None:
    """Change the job title."""
    require(rights_over(_lock(membership.organisation_id), author, now).may_name_post(membership))
    changed = (
        Membership.objects.filter(pk=membership.pk)
        .exclude(job_title=job_title.strip())
        .update(job_title=job_title.strip())
    )
    if changed:
        membership.job_title = job_title.strip()
        _note(membership, EventKind.JOB_TITLE_CHANGED, author=author, now=now)


#: The journal's name for an ended membership.
MEMBERSHIP_ENDED = "membership ended"


@transaction.atomic
def end_membership(
    *,
    membership: Membership,
    author: User | None,
    now: dt.datetime,
    reason: str = "",
    heir: User | None = None,
    even_last_lead: bool = False,
) -> None:
    """End a membership and every right that came with it.

    What the person owed for the organisation passes to the colleague `heir`, or waits until the leads name one. With
    `even_last_lead`, the last lead's membership can be ended by anyone (when their account is closed).

    Raises `UnableToEndMembership` when it is over already, or when nobody would lead the organisation and the author
    is not an administrator.
    """
    organisation = _lock(membership.organisation_id)
    locked = (
        Membership.objects.select_for_update(of=("self",))
        .select_related("organisation", "person")
        .get(pk=membership.pk)
    )
    require(rights_over(organisation, author, now).may_end(locked))
    if locked.ends_on is not None:
        raise UnableToEndMembership("This person no longer acts for the organisation.")
    if not even_last_lead and _would_leave_nobody(locked, author, now):
        raise UnableToEndMembership("The organisation needs a lead: make somebody else a lead first.")
    if heir is not None and _open_membership(locked.organisation, heir) is None:
        raise UnableToEndMembership(f"{heir.display_name} does not act for the organisation.")
    settle(Departure(membership=locked, heir=heir, author=author, now=now))
    locked.ends_on = max(timezone.localdate(now), locked.starts_on)
    locked.save(update_fields=["ends_on"])
    membership.ends_on = locked.ends_on
    Invitation.objects.filter(memberships=locked, accepted_at=None, revoked_at=None).update(revoked_at=now)
    journal.note(MEMBERSHIP_ENDED, now=now, membership=locked.pk)
    event = EventKind.INVITATION_WITHDRAWN if locked.is_pending else EventKind.MEMBERSHIP_ENDED
    _note(locked, event, author=author, now=now, data={"before": {"role": locked.role}, REASON: reason})
