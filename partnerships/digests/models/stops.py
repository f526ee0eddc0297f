"""Stops of subscriptions, which people can undo for some time."""

from __future__ import annotations

import datetime as dt

from django.db import models

from partnerships.people.models import User

#: How long a stop can be undone.
UNDO_PERIOD = dt.timedelta(days=30)


class Stop(models.Model):
    """One press of "stop" by a person, with what is needed to undo it.

    `before` contains the state of the person's subscriptions before the stop; `services.Stopped` writes and reads it.
    The row is deleted when the stop can no longer be undone.
    """

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    before = models.JSONField()
    undone_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Stop {self.pk} by {self.person_id}"
