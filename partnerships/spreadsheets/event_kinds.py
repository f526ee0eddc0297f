"""Kinds of event on partners' spreadsheets."""

from django.db import models


class EventKind(models.TextChoices):
    """The kinds of event on spreadsheets.

    Codes are stored in rows and never change; labels may.
    """

    IMPORTED = "spreadsheet.imported", "Imported a spreadsheet"
    DISCARDED = "spreadsheet.discarded", "Discarded a spreadsheet"
