"""The table of the kit room: lines that are not yet in the journal's file."""

from __future__ import annotations

from django.db import models


class WaitingLine(models.Model):
    """A line of the journal that is not in the journal's file yet. It is deleted once it is; see `journal.note`."""

    at = models.DateTimeField()
    text = models.TextField(help_text="One line of JSON: numbers, codes and hashes.")

    def __str__(self) -> str:
        return self.text
