"""The rows of the parts of a board pack, which one query reads for all parts.

Each function composes a query for the reader, the ids of the pack's partnerships and the present time. They have the
same parameters, because `read_parts_ahead` calls them all alike. Some do not need each parameter.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.db.models import F, Max, QuerySet
from django.utils import timezone

from partnerships.agreements.agenda import suggestion_lookups
from partnerships.commitments.models import Commitment, CommitmentQuerySet
from partnerships.conversations.models import Meeting, MeetingStatus
from partnerships.exchange.models import Direction, Entry, EntryQuerySet
from partnerships.nominations.models import NominationsAgreement
from partnerships.organisations.audience import Reader
from partnerships.organisations.statements import lookup, read_ahead
from partnerships.plans.models import Plan, Version
from partnerships.recommendations.queries.adoptions import adoption_lookups
from partnerships.reports.kinds.promises_kept import longest_overdue
from partnerships.reports.kinds.unanswered_asks import longest_waiting


def read_parts_ahead(reader: Reader, partnership_ids: list[int], parts: Collection[str], now: dt.datetime) -> None:
    """Read the last meetings, the suggested agenda items and the rows of these parts in one query."""
    lookups = [
        lookup(last_meeting_rows, reader, partnership_ids, now),
        *suggestion_lookups(reader, partnership_ids, now),
    ]
    lookups += [lookup(_ROWS[part], reader, partnership_ids, now) for part in parts if part in _ROWS]
    if "recommendations" in parts:
        lookups += adoption_lookups(reader, partnership_ids)
    read_ahead(lookups)


def last_meeting_rows(
    reader: Reader, partnership_ids: list[int], now: dt.datetime
) -> QuerySet[Meeting, tuple[int, dt.datetime]]:
    """Return the id of each partnership that has met, and when its last meeting started."""
    held_meetings = Meeting.objects.visible_to(reader).filter(
        status=MeetingStatus.HELD, starts_at__lt=now, partnership__in=partnership_ids
    )
    last_meetings = held_meetings.order_by().values("partnership").annotate(last=Max("starts_at"))
    return last_meetings.values_list("partnership", "last")


def commitments(reader: Reader, partnership_ids: list[int]) -> CommitmentQuerySet:
    """Return the commitments of the partnerships that the reader may see."""
    return Commitment.objects.visible_to(reader).filter(partnership__in=partnership_ids)


def overdue_rows(reader: Reader, partnership_ids: list[int], now: dt.datetime) -> CommitmentQuerySet:
    """Return the commitments that are longest overdue."""
    return longest_overdue(commitments(reader, partnership_ids), timezone.localdate(now))


def unanswered_asks(reader: Reader, partnership_ids: list[int]) -> EntryQuerySet:
    """Return the unanswered asks of the partnerships that the reader may see."""
    asks = Entry.objects.visible_to(reader).filter(direction=Direction.ASK, partnership__in=partnership_ids)
    return asks.unanswered()


def unanswered_rows(reader: Reader, partnership_ids: list[int], now: dt.datetime) -> EntryQuerySet:
    """Return the asks that have waited longest for an answer."""
    return longest_waiting(unanswered_asks(reader, partnership_ids))


def nominations_rows(
    reader: Reader, partnership_ids: list[int], now: dt.datetime
) -> QuerySet[NominationsAgreement, NominationsAgreement]:
    """Return the nominations agreements of the partnerships.

    They are not filtered by reader. The pack says that an agreement exists, and `read_by` decides for which agreements
    it shows figures.
    """
    return NominationsAgreement.objects.for_pages().filter(partnership__in=partnership_ids).order_by("pk")


def risk_rows(reader: Reader, partnership_ids: list[int], now: dt.datetime) -> QuerySet[Version, tuple[int, str, Any]]:
    """Return the id and title of each readable plan with the risks in its open version."""
    plans = Plan.objects.fully_readable_by(reader).filter(partnership__in=partnership_ids)
    versions = Version.objects.filter(plan__in=plans, number=F("plan__open_number"))
    return versions.values_list("plan", "plan__title", "content__risks")


_ROWS = {
    "overdue": overdue_rows,
    "unanswered": unanswered_rows,
    "nominations": nominations_rows,
    "risks": risk_rows,
}
