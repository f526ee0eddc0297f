"""Events of calendar addresses: their codes, and the labels that timelines show."""

from django.db import models


class EventKind(models.TextChoices):
    """Codes never change, because the log contains them; labels may."""

    MADE = "calendar.made", "Made a calendar address"
    RENEWED = "calendar.renewed", "Replaced a calendar address with a new one"
    CHANGED = "calendar.changed", "Chose what a calendar shows"
    ENDED = "calendar.ended", "Turned off a calendar address"
