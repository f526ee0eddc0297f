"""Deletes the names of guests at meetings after two years."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q

from partnerships.conversations.models import MeetingSeat
from partnerships.people.retention import change_in_batches

#: The names of guests are deleted this long after the meeting.
GUESTS_KEPT = dt.timedelta(days=730)


def forget_guests(now: dt.datetime, dry_run: bool) -> int:
    """Empty the names and job titles of guests at old meetings, and return how many guests there were."""
    guest_seats = MeetingSeat.objects.filter(~Q(name="") | ~Q(job_title=""), meeting__starts_at__lte=now - GUESTS_KEPT)
    return change_in_batches(guest_seats, lambda rows: rows.update(name="", job_title=""), dry_run=dry_run)
