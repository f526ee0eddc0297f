"""Writing an event down."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.activity.models import Event


def record(
    *,
    actor_id: int | None,
    organisation_id: int | None = None,
    verb: str,
    target_kind: str,
    target_id: int,
    within_kind: str = "",
    within_id: int | None = None,
    now: dt.datetime,
    data: dict[str, Any] | None = None,
) -> Event:
    """Record that `actor_id`, for `organisation_id`, did `verb` to a record.

    `data` carries `before` and `after`, and `reason` where one was given: JSON values only, no restricted text.
    Call inside the transaction of the change itself, so that both stand or fall together.
    """
    return Event.objects.create(
        actor_id=actor_id,
        organisation_id=organisation_id,
        verb=verb,
        target_kind=target_kind,
        target_id=target_id,
        within_kind=within_kind,
        within_id=within_id,
        at=now,
        data=data or {},
    )
