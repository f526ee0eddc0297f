"""Records events of imports."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.activity.services import record
from partnerships.people.models import User
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportRun


def record_import(run: ImportRun, kind: EventKind, *, author: User | None, now: dt.datetime, **data: Any) -> None:
    """Record an event of a saved import, with its title and this data."""
    record(
        actor_id=author.pk if author else None,
        kind=kind,
        target_kind="import",
        target_id=run.pk,
        now=now,
        data={"title": str(run), **data},
    )
