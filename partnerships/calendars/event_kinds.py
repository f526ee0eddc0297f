"""Codes of the events that calendar addresses record, and their labels on timelines."""

from django.db import models


class EventKind(models.TextChoices):
    """Kinds of event. A code never changes, because saved events contain it; a label may."""

    MADE = "calendar.made", "Made a calendar address"
    RENEWED = "calendar.renewed", "Replaced a calendar address with a new one"
    CHANGED = "calendar.changed", "Chose what a calendar shows"
    ENDED = "calendar.ended", "Turned off a calendar address"
