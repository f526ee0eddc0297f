"""Looking at the site as somebody else: for administrators, for a reason, for half an hour, reading only, written
down."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.activity.services import record
from partnerships.people.event_kinds import EventKind
from partnerships.people.models import SecurityEvent, SecurityEventKind, User, ViewAs

#: Long enough to look into one question.
LASTS = dt.timedelta(minutes=30)


class UnableToViewAs(Exception):
    """Not an administrator, no reason, or somebody whom one cannot look in for."""


@transaction.atomic
def begin_view_as(*, administrator: User, person: User, reason: str, now: dt.datetime) -> ViewAs:
    """Begin to see what the person sees; they read it in their own security log. Raises `UnableToViewAs`."""
    if not (administrator.is_staff and administrator.is_active):
        raise UnableToViewAs("Only administrators may look as somebody else.")
    if not reason.strip():
        raise UnableToViewAs("Say why.")
    if person.pk == administrator.pk or person.is_staff:
        raise UnableToViewAs("Administrators cannot look as themselves or as one another.")
    if not person.is_active or person.is_stakeholder:
        raise UnableToViewAs(f"{person.display_name} cannot sign in, so there is nothing to look at.")
    view = ViewAs.objects.create(
        administrator=administrator, person=person, reason=reason.strip(), began_at=now, expires_at=now + LASTS
    )
    SecurityEvent.objects.create(person=person, kind=SecurityEventKind.VIEWED_AS, at=now)
    record(
        actor_id=administrator.pk,
        kind=EventKind.VIEW_STARTED,
        target_kind="person",
        target_id=person.pk,
        now=now,
        data={"reason": view.reason},
    )
    return view


@transaction.atomic
def end_view_as(*, view: ViewAs, now: dt.datetime) -> None:
    """Stop looking as somebody else."""
    if ViewAs.objects.filter(pk=view.pk, ended_at=None).update(ended_at=now):
        view.ended_at = now
        record(
            actor_id=view.administrator_id,
            kind=EventKind.VIEW_ENDED,
            target_kind="person",
            target_id=view.person_id,
            now=now,
        )


def live_view(*, pk: int, administrator: User, now: dt.datetime) -> ViewAs | None:
    """The view with this number if it still holds for this administrator, with its person."""
    if not (administrator.is_staff and administrator.is_active):
        return None
    return (
        ViewAs.objects.select_related("person")
        .filter(
            pk=pk,
            administrator=administrator,
            ended_at=None,
            expires_at__gt=now,
            person__is_active=True,
            person__is_staff=False,
        )
        .first()
    )
