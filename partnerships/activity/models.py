"""What happened: one row an event, kept for ever, naming people and records by number only."""

from __future__ import annotations

import pgtrigger
from django.db import models


class Event(models.Model):
    """Somebody did something to a record at a moment.

    The room stands below people and organisations, so they are kept as numbers. `target_*` is the record it
    happened to; `within_*` the record whose timeline also shows it (a partnership, mostly). `data` holds
    the before and after, the reason, and what a reader needs to understand the line; never restricted text.
    """

    actor_id = models.BigIntegerField(null=True, help_text="None: the system itself.")
    organisation_id = models.BigIntegerField(null=True, help_text="For whom the actor acted.")
    verb = models.CharField(max_length=60)
    target_kind = models.CharField(max_length=40)
    target_id = models.BigIntegerField()
    within_kind = models.CharField(max_length=40, blank=True)
    within_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    data = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["target_kind", "target_id", "-at"], name="event_target"),
            models.Index(fields=["within_kind", "within_id", "-at"], name="event_within"),
            models.Index(fields=["-at", "-id"], name="event_at"),
            models.Index(fields=["actor_id", "-at"], name="event_actor"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.verb} {self.target_kind} {self.target_id}"
