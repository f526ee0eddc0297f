"""Let administrators view the site as another person, read-only and with a reason that is recorded."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.activity.services import record
from partnerships.kit.rights import require
from partnerships.people.event_kinds import EventKind
from partnerships.people.models import SecurityEvent, SecurityEventKind, User, ViewAs
from partnerships.people.rights import rights_over

#: How long a view lasts. Half an hour is enough to answer one question.
LASTS = dt.timedelta(minutes=30)


class UnableToViewAs(Exception):
    """Raised if the reason is missing, or the administrator may not view the site as this person."""


@transaction.atomic
def begin_view_as(*, administrator: User, person: User, reason: str, now: dt.datetime) -> ViewAs:
    """Start to view the site as the person, and record it in their security log. Raises `UnableToViewAs`."""
    require(rights_over(person, administrator).may_administer)
    if not reason.strip():
        raise UnableToViewAs("Enter a reason.")
    if person.pk == administrator.pk or person.is_staff:
        raise UnableToViewAs(
            "You cannot view the site as yourself or as another administrator. Choose a person who is neither."
        )
    if not person.is_active or person.is_stakeholder:
        raise UnableToViewAs(f"{person.display_name} cannot sign in, so there is nothing to view.")
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
    """End the view, if it is still in force."""
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
    """Return the administrator's view with this id, with its person; None if it has ended or expired."""
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
