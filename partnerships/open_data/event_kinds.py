"""Codes of the events that open data records, and their labels on timelines."""

from django.db import models


class EventKind(models.TextChoices):
    """Kinds of event. A code never changes, because saved events contain it. A label may change."""

    BEGUN = "open_data.begun", "Started publishing open data"
    ENDED = "open_data.ended", "Stopped publishing open data"
