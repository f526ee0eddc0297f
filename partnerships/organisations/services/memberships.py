"""Add and end memberships, and change roles and job titles."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.organisations.departures import Departure, settle
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.models import REASON, Membership, Organisation, Role
from partnerships.organisations.queries import watching
from partnerships.organisations.rights import rights_over
from partnerships.organisations.services.recording import lock_organisation, lock_person, record_membership_event
from partnerships.outbox.services import record_emails
from partnerships.people.models import Invitation, User
from partnerships.people.sessions import end_sessions


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
NO_ADMINISTRATOR = "Administrators cannot act for an organisation."


def open_membership(organisation: Organisation, person: User) -> Membership | None:
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
    chosen_administrator = author is not None and (person.pk == author.pk or lock_person(person).is_staff)
    require(rights_over(lock_organisation(organisation.pk), author, now).may_add_people)
    if author is not None and not reason.strip():
        raise UnableToAddMembership("Give a reason.")
    if chosen_administrator:
        raise UnableToAddMembership(NO_ADMINISTRATOR)
    if open_membership(organisation, person) is not None:
        raise UnableToAddMembership(f"{person.display_name} already acts for {organisation.name}.")
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
    event = record_membership_event(membership, EventKind.MEMBER_ADDED, author=author, now=now, data=data)
    if organisation.own_sign_in_required:
        end_sessions(person)
    if author is not None:
        email_about_change("organisations.let_in", membership, event, now=now, own=True)
    return membership


def email_about_change(kind: str, membership: Membership, event: Event, *, now: dt.datetime, own: bool = False) -> None:
    """Email about an administrator's change to a membership.

    Goes to the leads (or administrators) and, with `own`, to its person.
    """
    people = {person.pk for person in watching(membership)} | ({membership.person_id} if own else set())
    record_emails(kind=kind, people=people, params={"membership": membership.pk, "event": event.pk}, now=now)


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
    organisation = lock_organisation(membership.organisation_id)
    require(rights_over(organisation, author, now).may_manage_people)
    locked = (
        Membership.objects.select_for_update(of=("self",))
        .select_related("organisation", "person")
        .get(pk=membership.pk)
    )
    if locked.ends_on is not None:
        raise UnableToChangeRole("This person no longer acts for the organisation.")
    if role not in Role.values:
        raise UnableToChangeRole("Choose a role.")
    was = locked.role
    if role == was:
        return
    by_administrator = author is not None and author.is_staff
    if by_administrator and not reason.strip():
        raise UnableToChangeRole("Give a reason.")
    if role != Role.LEAD and _would_leave_nobody(locked, author, now):
        raise UnableToChangeRole("The organisation needs a lead: make somebody else a lead first.")
    locked.role = role
    locked.save(update_fields=["role"])
    membership.role = role
    _journal(locked, now=now, undone=True)
    data = {"before": {"role": was}, "after": {"role": role}} | ({REASON: reason.strip()} if reason else {})
    event = record_membership_event(locked, EventKind.ROLE_CHANGED, author=author, now=now, data=data)
    if by_administrator:
        email_about_change("organisations.role_by_administrator", locked, event, now=now, own=True)


@transaction.atomic
def change_job_title(*, membership: Membership, job_title: str, author: User | None, now: dt.datetime) -> None:
    """Change the job title."""
    require(rights_over(lock_organisation(membership.organisation_id), author, now).may_name_post(membership))
    changed = (
        Membership.objects.filter(pk=membership.pk)
        .exclude(job_title=job_title.strip())
        .update(job_title=job_title.strip())
    )
    if changed:
        membership.job_title = job_title.strip()
        record_membership_event(membership, EventKind.JOB_TITLE_CHANGED, author=author, now=now)


@transaction.atomic
def hide_steps(*, membership: Membership, author: User, now: dt.datetime) -> None:
    """Take the first steps off a lead's home page; only their own."""
    require(membership.person_id == author.pk)
    Membership.objects.filter(pk=membership.pk, steps_hidden_at=None).update(steps_hidden_at=now)


#: The journal's name for somebody's membership.
MEMBERSHIP = "membership"


def membership_identity(membership: Membership) -> str:
    """The journal's hash of a person and the organisation they act for.

    Select both with it.
    """
    person, organisation = membership.person, membership.organisation
    return journal.identity(person.pk, person.joined_at, organisation.pk, organisation.created_at)


def _journal(membership: Membership, *, now: dt.datetime, undone: bool = False) -> None:
    """Note what the membership is from now on; `undone`: it is in force."""
    identity = membership_identity(membership)
    journal.note(MEMBERSHIP, now=now, membership=membership.pk, same=identity, role=membership.role, undone=undone)


@transaction.atomic
def end_membership(
    *,
    membership: Membership,
    author: User | None,
    now: dt.datetime,
    reason: str = "",
    successor: User | None = None,
    even_last_lead: bool = False,
) -> None:
    """End a membership and every right that came with it.

    Their open work for the organisation passes to `successor`, or waits until the leads name one. With
    `even_last_lead`, anyone can end the last lead's membership (when their account is closed). Raises
    `UnableToEndMembership` when it is over already, or when nobody would lead the organisation and the author is not an
    administrator.
    """
    organisation = lock_organisation(membership.organisation_id)
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
    if successor is not None and open_membership(locked.organisation, successor) is None:
        raise UnableToEndMembership(f"{successor.display_name} does not act for the organisation.")
    settle(Departure(membership=locked, successor=successor, author=author, now=now))
    locked.ends_on = max(timezone.localdate(now), locked.starts_on)
    locked.save(update_fields=["ends_on"])
    membership.ends_on = locked.ends_on
    Invitation.objects.filter(memberships=locked, accepted_at=None, revoked_at=None).update(revoked_at=now)
    _journal(locked, now=now)
    event = EventKind.INVITATION_WITHDRAWN if locked.is_pending else EventKind.MEMBERSHIP_ENDED
    record_membership_event(
        locked, event, author=author, now=now, data={"before": {"role": locked.role}, REASON: reason}
    )
