"""Lock organisations and people, and record events of organisations and memberships."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.activity.models import Event
from partnerships.activity.services import new_event
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.models import Membership, Organisation
from partnerships.people.models import User


def lock_organisation(organisation_id: int) -> Organisation:
    """Lock an organisation until the transaction ends, and return it.

    For example, the lock prevents two leads from leaving the organisation at the same time.
    """
    return Organisation.objects.select_for_update().get(pk=organisation_id)


def lock_person(person: User) -> User:
    """Lock a person until the transaction ends, and return the person. Lock people before organisations.

    The lock prevents a person from becoming an administrator and a member at the same time.
    """
    return User.objects.select_for_update().get(pk=person.pk)


def record_event(
    organisation: Organisation,
    event: EventKind,
    *,
    author: User | None,
    now: dt.datetime,
    data: dict[str, Any] | None = None,
) -> Event:
    """Record an event of an organisation, and return it."""
    event_row = new_organisation_event(organisation, event, author=author, now=now, data=data)
    event_row.save(force_insert=True)
    return event_row


def new_organisation_event(
    organisation: Organisation,
    event: EventKind,
    *,
    author: User | None,
    now: dt.datetime,
    data: dict[str, Any] | None = None,
) -> Event:
    """Return an unsaved event of an organisation, for `record_all`."""
    return new_event(
        actor_id=author.pk if author else None,
        kind=event,
        target_kind="organisation",
        target_id=organisation.pk,
        now=now,
        data=data,
    )


def record_membership_event(
    membership: Membership,
    event: EventKind,
    *,
    author: User | None,
    now: dt.datetime,
    data: dict[str, Any] | None = None,
) -> Event:
    """Record an event of a membership within its organisation, and return the event."""
    event_row = new_membership_event(membership, event, author=author, now=now, data=data)
    event_row.save(force_insert=True)
    return event_row


def new_membership_event(
    membership: Membership,
    event: EventKind,
    *,
    author: User | None,
    now: dt.datetime,
    data: dict[str, Any] | None = None,
) -> Event:
    """Return an unsaved event of a membership, for `record_all`."""
    return new_event(
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
