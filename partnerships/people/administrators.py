"""Grant and withdraw administration, with a reason that is emailed."""

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

#: A function that returns why a person cannot be an administrator; "" if the person can.
Obstacle = Callable[[User], str]
_obstacles: list[Obstacle] = []


class UnableToChangeAdministration(Exception):
    """Raised if the reason is missing, the person cannot be an administrator, or no administrator would remain."""


def register_obstacle(obstacle: Obstacle) -> None:
    """Register a function that may return a reason why a person cannot be an administrator."""
    _obstacles.append(obstacle)


def lock_with_administrators(person: User) -> tuple[User, list[User]]:
    """Lock and return the person and the other active administrators.

    The lock prevents two administrators from withdrawing each other's rights at the same time.
    """
    person_or_administrator = Q(is_staff=True, is_active=True) | Q(pk=person.pk)
    locked_people = User.objects.select_for_update().filter(person_or_administrator).order_by("pk")
    locked_by_id = {locked_user.pk: locked_user for locked_user in locked_people}
    locked_person = locked_by_id.pop(person.pk)
    return locked_person, list(locked_by_id.values())


def _check_right_and_reason(person: User, author: User | None, reason: str) -> None:
    require(rights_over(person, author).may_administer)
    if not reason.strip():
        raise UnableToChangeAdministration("Enter a reason.")


@transaction.atomic
def grant_administration(*, person: User, author: User | None, reason: str, now: dt.datetime) -> None:
    """Make a person an administrator. `author` is None on the command line.

    The person must sign in again, with a second factor if administrators need one. Raises
    `UnableToChangeAdministration`.
    """
    locked_person, _ = lock_with_administrators(person)
    _check_right_and_reason(locked_person, author, reason)
    if not locked_person.is_active or locked_person.is_stakeholder:
        raise UnableToChangeAdministration(
            f"{locked_person.display_name} cannot sign in, so they cannot be an administrator."
        )
    if locked_person.is_staff:
        raise UnableToChangeAdministration(
            f"{locked_person.display_name} is already an administrator, so you do not need to do anything."
        )
    for obstacle in _obstacles:
        if explanation := obstacle(locked_person):
            raise UnableToChangeAdministration(explanation)
    set_administration(locked_person, granted=True, author=author, reason=reason, now=now)
    # The caller's object gets the new values, too.
    person.is_staff = person.is_superuser = True


@transaction.atomic
def withdraw_administration(
    *, person: User, author: User | None, reason: str, now: dt.datetime, even_last: bool = False
) -> None:
    """Withdraw a person's administration. The person's account remains open.

    Another administrator must remain, unless `even_last` is set (after a restore). Raises
    `UnableToChangeAdministration`.
    """
    locked_person, other_administrators = lock_with_administrators(person)
    _check_right_and_reason(locked_person, author, reason)
    if author is not None and author.pk == locked_person.pk:
        raise UnableToChangeAdministration("You cannot remove yourself. Ask another administrator to do it.")
    if not locked_person.is_staff:
        raise UnableToChangeAdministration(
            f"{locked_person.display_name} is not an administrator, so you cannot remove them."
        )
    if not other_administrators and not even_last:
        raise UnableToChangeAdministration(
            "The network needs an administrator. Make another person an administrator first."
        )
    set_administration(locked_person, granted=False, author=author, reason=reason, now=now)
    # The caller's object gets the new values, too.
    person.is_staff = person.is_superuser = False


def set_administration(person: User, *, granted: bool, author: User | None, reason: str, now: dt.datetime) -> None:
    """Save whether a locked person is an administrator, end the person's sessions, and record and email the change."""
    person.is_staff = person.is_superuser = granted
    person.save(update_fields=["is_staff", "is_superuser"])
    end_sessions(person)
    journal_administration(person, granted=granted, now=now)
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
    email_administration_change(person, event=event, granted=granted, now=now)


#: The kind of journal line about a person's administration.
ADMINISTRATION = "administration"


def journal_administration(person: User, *, granted: bool, now: dt.datetime) -> None:
    """Write to the journal whether the person is an administrator from now on."""
    same = journal.identity(person.pk, person.joined_at)
    journal.note(ADMINISTRATION, now=now, person=person.pk, same=same, undone=granted)


def email_administration_change(person: User, *, event: Event, granted: bool, now: dt.datetime) -> None:
    """Email the change to all administrators and to the person, unless the person has left."""
    record_emails(
        kind="people.administration",
        people=recipient_ids(person, administrators=True),
        params={"event": event.pk, "granted": granted},
        now=now,
    )


def recipient_ids(person: User, *, administrators: bool) -> list[int]:
    """Return the ids of the person and, with `administrators`, of all administrators, except people who have left."""
    recipients = Q(pk=person.pk)
    if administrators:
        recipients |= Q(is_staff=True)
    return list(User.objects.filter(recipients, is_active=True).values_list("pk", flat=True))
