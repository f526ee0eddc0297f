"""Events of calendar addresses: their codes, and what timelines say of them."""

from django.db import models


class EventKind(models.TextChoices):
    """A code never changes, since rows hold it for ever; a label may."""

    MADE = "calendar.made", "Made a calendar address"
    RENEWED = "calendar.renewed", "Made a new calendar address in place of the old one"
    CHANGED = "calendar.changed", "Chose what a calendar shows"
    ENDED = "calendar.ended", "Turned off a calendar address"
