"""Stored counts of the asks and offers that the whole network may read."""

from __future__ import annotations

from django.db import models

from partnerships.exchange.models.words import Direction, Status
from partnerships.kit.vocabularies import VocabularyField


class EntryCount(models.Model):
    """A part of the count of entries that are shared with the whole network, by direction, theme and status.

    The trigger on `Entry` adds a row of +1 or -1 for each change, so a count is the sum of its rows. Only entries that
    everyone may read are counted here; pages add the other entries that their reader can see.
    """

    direction = models.CharField(max_length=5, choices=Direction)
    theme = VocabularyField(vocabulary="exchange.Theme", max_length=20)
    status = models.CharField(max_length=14, choices=Status)
    is_open = models.BooleanField()
    number = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.number} {self.direction} {self.theme} {self.status}"
