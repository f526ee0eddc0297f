"""Lock a partnership's row and record events."""

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
    """Record an event: what the author did, for an organisation if given."""
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
    """The partnership, locked. Check what it allows only after this."""
    return Partnership.objects.select_for_update().get(pk=partnership_id)
