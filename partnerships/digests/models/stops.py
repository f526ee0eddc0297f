"""What people stopped, kept for a while so that they can undo it."""

from __future__ import annotations

import datetime as dt

from django.db import models

from partnerships.people.models import User

#: How long a stop can be undone.
UNDO_WITHIN = dt.timedelta(days=30)


class Stop(models.Model):
    """One stop by the person, and what they followed before it.

    `before` is as `services.Stopped` writes it. Deleted when it can no longer be undone.
    """

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    before = models.JSONField()
    undone_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Stop {self.pk} by {self.person_id}"
