"""Helpers of the services for progress reports: locks and events."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.activity.services import record
from partnerships.agreements.models import Partnership
from partnerships.agreements.services.recording import lock_partnership
from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import Report
from partnerships.people.models import User


def lock_report(report: Report) -> Report:
    """Lock the report's partnership and then the report, and return the report as stored.

    The first lock stops the partnership's parties from changing.
    """
    lock_partnership(Report.objects.values_list("round__partnership", flat=True).get(pk=report.pk))
    return Report.objects.for_listing().select_for_update(of=("self",)).get(pk=report.pk)


def record_report(
    report: Report,
    event: EventKind,
    *,
    author: User | None,
    organisation_id: int | None,
    now: dt.datetime,
    **data: Any,
) -> None:
    """Record an event about a report on its partnership. The event must not quote the report."""
    record(
        actor_id=author.pk if author else None,
        organisation_id=organisation_id,
        kind=event,
        target_kind="progress_report",
        target_id=report.pk,
        within_kind="partnership",
        within_id=report.round.partnership_id,
        now=now,
        data={"title": f"{report.party.organisation.display_name}, {report.period_words}", **data},
    )


def record_reporting(
    partnership: Partnership, event: EventKind, *, author: User | None, now: dt.datetime, **data: Any
) -> None:
    """Record an event about how a partnership reports."""
    record(
        actor_id=author.pk if author else None,
        kind=event,
        target_kind="partnership",
        target_id=partnership.pk,
        within_kind="partnership",
        within_id=partnership.pk,
        now=now,
        data={"title": partnership.title, **data},
    )
