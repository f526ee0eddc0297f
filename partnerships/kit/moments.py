"""When a day begins and ends in London."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone


def beginning_of(day: dt.date) -> dt.datetime:
    """Return the first moment of a day."""
    return timezone.make_aware(dt.datetime.combine(day, dt.time.min))


def end_of(day: dt.date) -> dt.datetime:
    """Return the first moment after a day."""
    return beginning_of(day + dt.timedelta(days=1))
