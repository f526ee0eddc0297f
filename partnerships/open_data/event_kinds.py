"""Events of open data: their codes, and what timelines say of them."""

from django.db import models


class EventKind(models.TextChoices):
    """A code never changes, since rows hold it for ever; a label may."""

    BEGUN = "open_data.begun", "Started publishing open data"
    ENDED = "open_data.ended", "Stopped publishing open data"
