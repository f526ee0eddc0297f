"""Lock a partnership, and record events about it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import TextChoices

from partnerships.activity.services import record
from partnerships.agreements.models import Partnership
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


def record_event(
    partnership: Partnership,
    event: TextChoices,
    *,
    author: User | None,
    now: dt.datetime,
    organisation: Organisation | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Record an action of the author in a partnership, and the organisation for which the author acted."""
    record(
        actor_id=author.pk if author else None,
        organisation_id=organisation.pk if organisation else None,
        kind=event,
        target_kind="partnership",
        target_id=partnership.pk,
        within_kind="partnership",
        within_id=partnership.pk,
        now=now,
        data={"title": partnership.title} | (data or {}),
    )


def lock_partnership(partnership_id: int) -> Partnership:
    """Lock the partnership and return it. Check rights and status only after locking."""
    return Partnership.objects.select_for_update().get(pk=partnership_id)
