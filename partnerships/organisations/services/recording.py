"""Lock rows of organisations, memberships and people, and record events."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.activity.models import Event
from partnerships.activity.services import new_event
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.models import Membership, Organisation
from partnerships.people.models import User


def lock_organisation(organisation_id: int) -> Organisation:
    """The organisation with its row locked until the transaction ends.

    Two leads cannot leave it at the same time.
    """
    return Organisation.objects.select_for_update().get(pk=organisation_id)


def lock_person(person: User) -> User:
    """The person with their row locked; lock it before the organisation's.

    Nobody can become an administrator and a member at the same time. Closing an account locks in the same order.
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
    """Record an event of an organisation."""
    event_made = new_organisation_event(organisation, event, author=author, now=now, data=data)
    event_made.save(force_insert=True)
    return event_made


def new_organisation_event(
    organisation: Organisation,
    event: EventKind,
    *,
    author: User | None,
    now: dt.datetime,
    data: dict[str, Any] | None = None,
) -> Event:
    """An event of an organisation for `record_all`."""
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
    """Record an event of a membership, within its organisation."""
    event_made = new_membership_event(membership, event, author=author, now=now, data=data)
    event_made.save(force_insert=True)
    return event_made


def new_membership_event(
    membership: Membership,
    event: EventKind,
    *,
    author: User | None,
    now: dt.datetime,
    data: dict[str, Any] | None = None,
) -> Event:
    """An event of a membership for `record_all`."""
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
