"""Who administers the network: made so, and no longer, each time for a reason that all who administer it are told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.db import transaction
from django.db.models import Q

from partnerships.activity.models import Event
from partnerships.activity.services import record
from partnerships.outbox.services import record_emails
from partnerships.people.event_kinds import EventKind
from partnerships.people.models import SecurityEvent, SecurityEventKind, User
from partnerships.people.sessions import end_sessions

#: From a person to what keeps them from administering, in words; empty: nothing.
Obstacle = Callable[[User], str]
_obstacles: list[Obstacle] = []


class UnableToChangeAdministration(Exception):
    """No administrator asks, no reason is given, the person cannot administer, or nobody else would."""


def register_obstacle(obstacle: Obstacle) -> None:
    """Say what keeps somebody from administering: rooms above know for whom people act."""
    _obstacles.append(obstacle)


def lock_with_administrators(person: User) -> tuple[User, list[User]]:
    """The person and the other active administrators, all locked: two who withdraw each other cannot both succeed."""
    concerned = User.objects.select_for_update().filter(Q(is_staff=True, is_active=True) | Q(pk=person.pk))
    rows = {one.pk: one for one in concerned.order_by("pk")}
    locked = rows.pop(person.pk)
    return locked, list(rows.values())


def _check(author: User | None, others: list[User], reason: str) -> None:
    if not reason.strip():
        raise UnableToChangeAdministration("Say why.")
    if author is not None and author.pk not in {one.pk for one in others}:
        raise UnableToChangeAdministration("Only another administrator can do this.")


@transaction.atomic
def grant_administration(*, person: User, author: User | None, reason: str, now: dt.datetime) -> None:
    """Make somebody a network administrator; they sign in anew, with a second factor where one is asked for.

    The author is an administrator, or None for the operators' command line. Raises `UnableToChangeAdministration`.
    """
    locked, others = lock_with_administrators(person)
    _check(author, others, reason)
    if not locked.is_active or locked.is_stakeholder:
        raise UnableToChangeAdministration(f"{locked.display_name} has no account to administer with.")
    if locked.is_staff:
        raise UnableToChangeAdministration(f"{locked.display_name} is an administrator already.")
    for obstacle in _obstacles:
        if words := obstacle(locked):
            raise UnableToChangeAdministration(words)
    _set(locked, granted=True, author=author, reason=reason, now=now)
    person.is_staff = person.is_superuser = True


@transaction.atomic
def withdraw_administration(*, person: User, author: User | None, reason: str, now: dt.datetime) -> None:
    """Take somebody's administration away; their account stays. Somebody else always administers.

    Raises `UnableToChangeAdministration`.
    """
    locked, others = lock_with_administrators(person)
    if author is not None and author.pk == locked.pk:
        raise UnableToChangeAdministration("Nobody takes their own administration away: ask another administrator.")
    _check(author, others, reason)
    if not locked.is_staff:
        raise UnableToChangeAdministration(f"{locked.display_name} is no administrator.")
    if not others:
        raise UnableToChangeAdministration("Nobody would administer the network: make somebody else one first.")
    _set(locked, granted=False, author=author, reason=reason, now=now)
    person.is_staff = person.is_superuser = False


def _set(person: User, *, granted: bool, author: User | None, reason: str, now: dt.datetime) -> None:
    person.is_staff = person.is_superuser = granted
    person.save(update_fields=["is_staff", "is_superuser"])
    end_sessions(person)
    SecurityEvent.objects.create(person=person, kind=SecurityEventKind.ADMINISTRATION, at=now)
    event = record(
        actor_id=author.pk if author else None,
        kind=EventKind.ADMINISTRATION_GRANTED if granted else EventKind.ADMINISTRATION_WITHDRAWN,
        target_kind="person",
        target_id=person.pk,
        now=now,
        data={
            "before": {"administrator": not granted},
            "after": {"administrator": granted},
            "reason": reason.strip(),
        },
    )
    tell_of_administration(person, event=event, granted=granted, now=now)


def tell_of_administration(person: User, *, event: Event, granted: bool, now: dt.datetime) -> None:
    """Tell the person, while they have an account, and all who administer the network."""
    record_emails(
        kind="people.administration",
        people=concerned_with(person, administrators=True),
        params={"event": event.pk, "granted": granted},
        now=now,
    )


def concerned_with(person: User, *, administrators: bool) -> list[int]:
    """The numbers of the person and, where it concerns them, of all who administer the network, while they are here."""
    concerned = Q(pk=person.pk) | Q(is_staff=True) if administrators else Q(pk=person.pk)
    return list(User.objects.filter(concerned, is_active=True).values_list("pk", flat=True))
