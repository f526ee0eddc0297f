"""Grants and withdraws administration, with a reason that is emailed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.db import transaction
from django.db.models import Q

from partnerships.activity.models import Event
from partnerships.activity.services import record
from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.outbox.services import record_emails
from partnerships.people.event_kinds import EventKind
from partnerships.people.models import SecurityEvent, SecurityEventKind, User
from partnerships.people.rights import rights_over
from partnerships.people.sessions import end_sessions

#: Why a person cannot administer, in words; empty: they can.
Obstacle = Callable[[User], str]
_obstacles: list[Obstacle] = []


class UnableToChangeAdministration(Exception):
    """The change is refused.

    No reason is given, the person cannot administer, or nobody else does.
    """


def register_obstacle(obstacle: Obstacle) -> None:
    """Register a reason why somebody cannot administer."""
    _obstacles.append(obstacle)


def lock_with_administrators(person: User) -> tuple[User, list[User]]:
    """Lock the person and the other active administrators.

    Two administrators who withdraw each other cannot both succeed.
    """
    concerned = User.objects.select_for_update().filter(Q(is_staff=True, is_active=True) | Q(pk=person.pk))
    rows = {person.pk: person for person in concerned.order_by("pk")}
    locked = rows.pop(person.pk)
    return locked, list(rows.values())


def _check(person: User, author: User | None, reason: str) -> None:
    require(rights_over(person, author).may_administer)
    if not reason.strip():
        raise UnableToChangeAdministration("Give a reason.")


@transaction.atomic
def grant_administration(*, person: User, author: User | None, reason: str, now: dt.datetime) -> None:
    """Make somebody an administrator.

    They must sign in again, with a second factor where one is required. The author is an administrator, or None for
    the command line. Raises `UnableToChangeAdministration`.
    """
    locked, _ = lock_with_administrators(person)
    _check(locked, author, reason)
    if not locked.is_active or locked.is_stakeholder:
        raise UnableToChangeAdministration(f"{locked.display_name} has no account.")
    if locked.is_staff:
        raise UnableToChangeAdministration(f"{locked.display_name} is already an administrator.")
    for obstacle in _obstacles:
        if words := obstacle(locked):
            raise UnableToChangeAdministration(words)
    set_administration(locked, granted=True, author=author, reason=reason, now=now)
    person.is_staff = person.is_superuser = True


@transaction.atomic
def withdraw_administration(
    *, person: User, author: User | None, reason: str, now: dt.datetime, even_last: bool = False
) -> None:
    """Withdraw somebody's administration; their account stays.

    At least one other administrator must remain, except with `even_last` (after a restore). Raises
    `UnableToChangeAdministration`.
    """
    locked, others = lock_with_administrators(person)
    _check(locked, author, reason)
    if author is not None and author.pk == locked.pk:
        raise UnableToChangeAdministration("You cannot remove yourself: ask another administrator.")
    if not locked.is_staff:
        raise UnableToChangeAdministration(f"{locked.display_name} is not an administrator.")
    if not others and not even_last:
        raise UnableToChangeAdministration("The network needs an administrator: make somebody else one first.")
    set_administration(locked, granted=False, author=author, reason=reason, now=now)
    person.is_staff = person.is_superuser = False


def set_administration(person: User, *, granted: bool, author: User | None, reason: str, now: dt.datetime) -> None:
    """Set whether a locked person administers: ends their sessions, records and emails it."""
    person.is_staff = person.is_superuser = granted
    person.save(update_fields=["is_staff", "is_superuser"])
    end_sessions(person)
    note_administration(person, granted=granted, now=now)
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


#: The journal's name for whether somebody administers the network.
ADMINISTRATION = "administration"


def note_administration(person: User, *, granted: bool, now: dt.datetime) -> None:
    """Note in the journal whether somebody administers from now on."""
    same = journal.identity(person.pk, person.joined_at)
    journal.note(ADMINISTRATION, now=now, person=person.pk, same=same, undone=granted)


def tell_of_administration(person: User, *, event: Event, granted: bool, now: dt.datetime) -> None:
    """Email the person, unless they have left, and all administrators."""
    record_emails(
        kind="people.administration",
        people=concerned_with(person, administrators=True),
        params={"event": event.pk, "granted": granted},
        now=now,
    )


def concerned_with(person: User, *, administrators: bool) -> list[int]:
    """Ids of the person and, with `administrators`, of all administrators.

    Only people who have not left.
    """
    concerned = Q(pk=person.pk) | Q(is_staff=True) if administrators else Q(pk=person.pk)
    return list(User.objects.filter(concerned, is_active=True).values_list("pk", flat=True))
