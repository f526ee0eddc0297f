"""Today and tomorrow in London, computed at each call, because a run of the tests may pass midnight."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone


def today() -> dt.date:
    """Return today's date in London."""
    return timezone.localdate()


def tomorrow() -> dt.date:
    """Return the day after today in London."""
    return today() + dt.timedelta(days=1)
