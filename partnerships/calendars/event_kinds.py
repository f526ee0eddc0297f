"""Events of calendar addresses: their codes, and the labels that timelines show."""

from django.db import models


class EventKind(models.TextChoices):
    """Codes never change, because the log contains them; labels may."""

    MADE = "calendar.made", "Made a calendar address"
    RENEWED = "calendar.renewed", "Made a new calendar address in place of the old one"
    CHANGED = "calendar.changed", "Chose what a calendar shows"
    ENDED = "calendar.ended", "Turned off a calendar address"
