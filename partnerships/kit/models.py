"""The table of lines that are still to be written to the journal's file."""

from __future__ import annotations

from django.db import models


class WaitingLine(models.Model):
    """A line of the journal that is still to be written to the journal's file (see `journal.note`).

    The row is deleted once the file contains the line.
    """

    at = models.DateTimeField()
    text = models.TextField(help_text="One line of JSON: numbers, codes and hashes.")

    def __str__(self) -> str:
        return self.text
