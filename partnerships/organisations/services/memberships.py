"""Add and end memberships, and change roles and job titles."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.organisations.departures import Departure, hand_over_work
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.models import REASON_KEY, Membership, Organisation, Role
from partnerships.organisations.queries import recipients_of_change
from partnerships.organisations.rights import rights_over
from partnerships.organisations.services.recording import lock_organisation, lock_person, record_membership_event
from partnerships.outbox.services import record_emails
from partnerships.people.models import Invitation, User
from partnerships.people.sessions import end_sessions


class UnableToAddMembership(Exception):
    """Raised if the person is already a member or is an administrator, or an administrator gives no reason."""


class UnableToChangeRole(Exception):
    """Raised if the organisation would have no lead, the membership has ended, or an administrator gives no reason."""


class UnableToEndMembership(Exception):
    """Raised if the organisation would have no lead, the membership has ended, or the successor is no colleague."""


#: The message that tells administrators why they cannot become members.
NO_ADMINISTRATOR = "Administrators cannot act for an organisation. Use a different email address."


def open_membership(organisation: Organisation, person: User) -> Membership | None:
    """Return the person's membership that has not ended, even if it is pending; None if there is none."""
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
    """Add a membership without an invitation, from today or from another day.

    Loaders, which have no author, and administrators may do this. An administrator must give a reason, which is emailed
    to the person and the leads. Raises `UnableToAddMembership`.
    """
    is_administrator = False
    if author is not None:
        # All services lock the person before the organisation, so that they cannot deadlock.
        is_administrator = person.pk == author.pk or lock_person(person).is_staff
    locked_organisation = lock_organisation(organisation.pk)
    require(rights_over(locked_organisation, author, now).may_add_people)

    if author is not None and not reason.strip():
        raise UnableToAddMembership("Enter a reason.")
    if is_administrator:
        raise UnableToAddMembership(NO_ADMINISTRATOR)
    if open_membership(organisation, person) is not None:
        raise UnableToAddMembership(
            f"{person.display_name} already acts for {organisation.name}. Change their role instead."
        )

    membership = Membership.objects.create(
        organisation=organisation,
        person=person,
        role=role,
        job_title=job_title,
        starts_on=starts_on or timezone.localdate(now),
        accepted_at=now,
        created_by=author,
    )
    data = with_reason({"after": {"role": role}}, reason)
    event = record_membership_event(membership, EventKind.MEMBER_ADDED, author=author, now=now, data=data)

    if organisation.own_sign_in_required:
        end_sessions(person)
    if author is not None:
        email_about_change("organisations.let_in", membership, event, now=now, includes_person=True)
    return membership


def with_reason(data: dict[str, Any], reason: str) -> dict[str, Any]:
    """Return the data of an event with the reason, or without a reason if there is none."""
    return {**data, REASON_KEY: reason.strip()} if reason else data


def _lock_membership(membership: Membership) -> Membership:
    """Lock a membership, and return it with its organisation and person. Lock the organisation first."""
    memberships = Membership.objects.select_for_update(of=("self",)).select_related("organisation", "person")
    return memberships.get(pk=membership.pk)


def email_about_change(
    kind: str, membership: Membership, event: Event, *, now: dt.datetime, includes_person: bool = False
) -> None:
    """Email the leads (or, if there are none, administrators) about an administrator's change to a membership.

    With `includes_person`, the membership's person is emailed, too.
    """
    recipient_ids = {person.pk for person in recipients_of_change(membership)}
    if includes_person:
        recipient_ids.add(membership.person_id)
    record_emails(kind=kind, people=recipient_ids, params={"membership": membership.pk, "event": event.pk}, now=now)


def _has_other_lead(membership: Membership, now: dt.datetime) -> bool:
    """Return True if another person leads the organisation. Lock the organisation's row first."""
    leads = Membership.objects.current(timezone.localdate(now)).filter(
        organisation=membership.organisation_id, role=Role.LEAD
    )
    return leads.exclude(pk=membership.pk).exists()


def _would_leave_no_lead(membership: Membership, author: User | None, now: dt.datetime) -> bool:
    """Return True if the author may not remove this membership's lead, because it is the organisation's last lead.

    Administrators and the system may remove the last lead.
    """
    if author is None or author.is_staff or not membership.is_lead or membership.is_pending:
        return False
    return not _has_other_lead(membership, now)


@transaction.atomic
def change_role(*, membership: Membership, role: str, author: User | None, now: dt.datetime, reason: str = "") -> None:
    """Change the role of a membership. Only administrators and the system can demote the last lead.

    An administrator must give a reason, and the person and the leads are emailed. Raises `UnableToChangeRole`.
    """
    organisation = lock_organisation(membership.organisation_id)
    require(rights_over(organisation, author, now).may_manage_people)
    locked_membership = _lock_membership(membership)
    if locked_membership.ends_on is not None:
        raise UnableToChangeRole(
            "This person no longer acts for the organisation, so you do not need to change anything."
        )
    if role not in Role.values:
        raise UnableToChangeRole("Choose a role.")

    old_role = locked_membership.role
    if role == old_role:
        return
    is_by_administrator = author is not None and author.is_staff
    if is_by_administrator and not reason.strip():
        raise UnableToChangeRole("Enter a reason.")
    if role != Role.LEAD and _would_leave_no_lead(locked_membership, author, now):
        raise UnableToChangeRole("The organisation needs a lead. Make another person a lead first.")

    locked_membership.role = role
    locked_membership.save(update_fields=["role"])
    membership.role = role

    _journal(locked_membership, now=now, undone=True)
    data = with_reason({"before": {"role": old_role}, "after": {"role": role}}, reason)
    event = record_membership_event(locked_membership, EventKind.ROLE_CHANGED, author=author, now=now, data=data)
    if is_by_administrator:
        email_about_change(
            "organisations.role_by_administrator", locked_membership, event, now=now, includes_person=True
        )


@transaction.atomic
def change_job_title(*, membership: Membership, job_title: str, author: User | None, now: dt.datetime) -> None:
    """Change the job title of a membership; nothing is recorded if the title is the same."""
    organisation = lock_organisation(membership.organisation_id)
    require(rights_over(organisation, author, now).may_name_post(membership))
    job_title = job_title.strip()
    membership_with_other_title = Membership.objects.filter(pk=membership.pk).exclude(job_title=job_title)
    if membership_with_other_title.update(job_title=job_title):
        membership.job_title = job_title
        record_membership_event(membership, EventKind.JOB_TITLE_CHANGED, author=author, now=now)


@transaction.atomic
def hide_steps(*, membership: Membership, author: User, now: dt.datetime) -> None:
    """Hide the first steps on the author's own home page."""
    require(membership.person_id == author.pk)
    Membership.objects.filter(pk=membership.pk, steps_hidden_at=None).update(steps_hidden_at=now)


#: The kind of journal line about a membership.
MEMBERSHIP = "membership"


def membership_identity(membership: Membership) -> str:
    """Return the journal's hash of a membership's person and organisation. Fetch both with `select_related`."""
    person, organisation = membership.person, membership.organisation
    return journal.identity(person.pk, person.joined_at, organisation.pk, organisation.created_at)


def _journal(membership: Membership, *, now: dt.datetime, undone: bool = False) -> None:
    """Write to the journal that a membership has ended or, if `undone`, is in force with its present role."""
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
    """End a membership with all its rights, or withdraw an invitation.

    `successor` takes over the person's open work for the organisation. Without a successor, the work has no owner until
    the leads name one. Only administrators and the system can end the last lead's membership, unless `even_last_lead`
    is set because the account is closed. Raises `UnableToEndMembership`.
    """
    organisation = lock_organisation(membership.organisation_id)
    locked_membership = _lock_membership(membership)
    require(rights_over(organisation, author, now).may_end(locked_membership))
    if locked_membership.ends_on is not None:
        raise UnableToEndMembership(
            "This person no longer acts for the organisation, so you do not need to change anything."
        )
    if not even_last_lead and _would_leave_no_lead(locked_membership, author, now):
        raise UnableToEndMembership("The organisation needs a lead. Make another person a lead first.")
    if successor is not None and open_membership(locked_membership.organisation, successor) is None:
        raise UnableToEndMembership(
            f"{successor.display_name} does not act for the organisation. Choose someone who does."
        )

    # The work is handed over first, while the person still has the rights to it.
    hand_over_work(Departure(membership=locked_membership, successor=successor, author=author, now=now))
    locked_membership.ends_on = max(timezone.localdate(now), locked_membership.starts_on)
    locked_membership.save(update_fields=["ends_on"])
    membership.ends_on = locked_membership.ends_on
    Invitation.objects.filter(memberships=locked_membership, accepted_at=None, revoked_at=None).update(revoked_at=now)

    _journal(locked_membership, now=now)
    event = EventKind.INVITATION_WITHDRAWN if locked_membership.is_pending else EventKind.MEMBERSHIP_ENDED
    data = {"before": {"role": locked_membership.role}, REASON_KEY: reason}
    record_membership_event(locked_membership, event, author=author, now=now, data=data)
