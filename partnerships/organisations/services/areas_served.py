"""Record which areas an organisation serves."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.kit.rights import require
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.models import Area, AreaServed, Organisation
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services.recording import record_event
from partnerships.people.models import User


@transaction.atomic
def serve_area(
    *,
    organisation: Organisation,
    area: Area,
    author: User | None,
    now: dt.datetime,
    starts_on: dt.date | None = None,
    ends_on: dt.date | None = None,
    source: str = "",
) -> AreaServed:
    """Record that the organisation serves the area from `starts_on` until the day before `ends_on`.

    None leaves the start or the end open. An existing row with the same start is returned unchanged.
    """
    require(roles_of(author, now).may_change_directory)
    served, is_new = AreaServed.objects.get_or_create(
        organisation=organisation,
        area=area,
        starts_on=starts_on,
        defaults={"ends_on": ends_on, "source": source},
    )
    if is_new:
        record_event(organisation, EventKind.AREA_ADDED, author=author, now=now, data={"after": {"area": area.name}})
    return served


@transaction.atomic
def end_area_served(*, served: AreaServed, day: dt.date, author: User | None, now: dt.datetime) -> None:
    """Record that the organisation no longer serves the area from this day on."""
    require(roles_of(author, now).may_change_directory)
    AreaServed.objects.filter(pk=served.pk).update(ends_on=day)
    served.ends_on = day
    data = {"after": {"area": served.area.name, "ends_on": day.isoformat()}}
    record_event(served.organisation, EventKind.AREA_ENDED, author=author, now=now, data=data)
