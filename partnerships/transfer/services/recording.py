"""Create import runs and record their events."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from partnerships.activity.services import record
from partnerships.people.models import User
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportRun, RunStatus
from partnerships.transfer.reporting import OUTCOMES, Report


def new_run(
    *, register: str, file_name: str, sha256: str, as_of: dt.date | None, author: User | None, now: dt.datetime
) -> ImportRun:
    """Return a run that is not saved yet. `settle_run` adds its report."""
    return ImportRun(
        register=register,
        file_name=file_name[:300],
        sha256=sha256,
        as_of=as_of,
        started_at=now,
        by=author,
        status=RunStatus.APPLIED,
    )


def settle_run(run: ImportRun, report: Report) -> ImportRun:
    """Set the counts, the report and the end of a run, which the caller saves."""
    run.report = report.as_json()
    run.finished_at = timezone.now()
    for outcome in OUTCOMES:
        setattr(run, outcome, report.counts[outcome])
    return run


def record_import(run: ImportRun, kind: EventKind, *, author: User | None, now: dt.datetime, **data: Any) -> None:
    """Record an event about a saved import, with the import's title and this data."""
    record(
        actor_id=author.pk if author else None,
        kind=kind,
        target_kind="import",
        target_id=run.pk,
        now=now,
        data={"title": str(run), **data},
    )
