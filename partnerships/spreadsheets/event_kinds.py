"""Events of partners' spreadsheets: their codes, and what timelines say of them."""

from django.db import models


class EventKind(models.TextChoices):
    """A code never changes, since rows hold it for ever; a label may."""

    IMPORTED = "spreadsheet.imported", "Imported a spreadsheet"
    DISCARDED = "spreadsheet.discarded", "Discarded a spreadsheet"
