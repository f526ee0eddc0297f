"""Retention of the names of guests at meetings."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q

from partnerships.conversations.models import MeetingSeat
from partnerships.people.retention import change_in_batches

#: How long after a meeting the names of its guests are kept.
GUESTS_KEPT = dt.timedelta(days=730)


def forget_guests(now: dt.datetime, dry_run: bool) -> int:
    """Empty names and job titles of old guests; returns how many."""
    named = MeetingSeat.objects.filter(~Q(name="") | ~Q(job_title=""), meeting__starts_at__lte=now - GUESTS_KEPT)
    return change_in_batches(named, lambda rows: rows.update(name="", job_title=""), dry_run=dry_run)
