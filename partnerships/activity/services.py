"""Recording events and exports."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import TextChoices

from partnerships.activity.event_kinds import check_registered
from partnerships.activity.models import Event, Export


def record(
    *,
    actor_id: int | None,
    organisation_id: int | None = None,
    kind: TextChoices,
    target_kind: str,
    target_id: int,
    within_kind: str = "",
    within_id: int | None = None,
    now: dt.datetime,
    data: dict[str, Any] | None = None,
) -> Event:
    """Record that `actor_id`, for `organisation_id`, changed a record.

    `data` has `before`, `after` and, if given, `reason`: JSON values only, no restricted text. Call inside the
    transaction of the change. Raises `UnknownEventKind` if no room has registered `kind`.
    """
    check_registered(kind.value)
    return Event.objects.create(
        actor_id=actor_id,
        organisation_id=organisation_id,
        kind=kind.value,
        target_kind=target_kind,
        target_id=target_id,
        within_kind=within_kind,
        within_id=within_id,
        at=now,
        data=data or {},
    )


def record_export(
    *,
    actor_id: int | None,
    seen_as_id: int | None = None,
    what: str,
    record_id: int | None,
    rows: int | None,
    now: dt.datetime,
) -> Export:
    """Record an export of `what` by `actor_id`; rows None is a document."""
    return Export.objects.create(
        actor_id=actor_id, seen_as_id=seen_as_id, what=what, record_id=record_id, rows=rows, at=now
    )
