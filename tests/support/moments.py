"""Today, as the services reckon it, asked again each time: a run of the tests may pass midnight."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone


def today() -> dt.date:
    """Today's date in London."""
    return timezone.localdate()


def tomorrow() -> dt.date:
    """The day after today in London."""
    return today() + dt.timedelta(days=1)
