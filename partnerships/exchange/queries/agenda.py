"""Suggests asks and offers for the agenda of a partnership's meeting."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from partnerships.agreements.agenda import AgendaSuggestion, LookBack, Purpose, first_rows_of_each, ids_of
from partnerships.agreements.models import Partnership
from partnerships.exchange.models import Entry, Status
from partnerships.kit.dates import long_date
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User


def suggest_waiting_entries(user: User, partnerships: Sequence[Partnership], since: LookBack) -> list[AgendaSuggestion]:
    """Suggest the open asks and offers of the partnerships, the unanswered ones first."""
    return [
        AgendaSuggestion(
            partnership_id=entry.partnership_id,
            subject_kind="entry",
            subject_id=entry.pk,
            title=f"{entry.get_direction_display()}: {entry.title}",
            path=entry.get_absolute_url(),
            purpose=Purpose.DISCUSSION,
            detail=_detail(entry),
        )
        for entry in rows_for(waiting_entry_rows, user, ids_of(partnerships), since.now)
    ]


def waiting_entry_rows(user: User, partnership_ids: list[int], now: dt.datetime) -> QuerySet[Any, Any]:
    """Return the first open asks and offers of each partnership, the unanswered ones first."""
    entries = (
        Entry.objects.visible_to(user)
        .filter(partnership__in=partnership_ids, is_open=True)
        .exclude(status=Status.DRAFT)
        .select_related("organisation")
    )
    return first_rows_of_each(entries, "answered_at", "shared_at", "pk")


def _detail(entry: Entry) -> str:
    """Return text such as `Larkhaven Homes, answered, closes 3 March 2027`."""
    words = f"{entry.organisation.display_name}, {entry.status_words.lower()}"
    return f"{words}, closes {long_date(entry.closes_on)}" if entry.closes_on else words
