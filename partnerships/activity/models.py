"""The activity log: one row an event, append-only.

People and records are identified by number only.
"""

from __future__ import annotations

import pgtrigger
from django.db import models

from partnerships.activity.event_kinds import label_of


class Event(models.Model):
    """An event: who did what to which record, and when.

    `kind` is the code of what happened, see `event_kinds`. Code compares codes, people read `label`. This room is below
    people and organisations, so it stores their numbers. `target_*` is the changed record; `within_*` is a record whose
    timeline also shows the event, usually a partnership. `data` holds the values before and after, the reason, and what
    a reader needs to understand the line; never restricted text.
    """

    actor_id = models.BigIntegerField(null=True, help_text="None: the system itself.")
    organisation_id = models.BigIntegerField(null=True, help_text="For whom the actor acted.")
    kind = models.CharField(max_length=60)
    target_kind = models.CharField(max_length=40)
    target_id = models.BigIntegerField()
    within_kind = models.CharField(max_length=40, blank=True)
    within_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    data = models.JSONField(default=dict)
    context_id = models.UUIDField(
        null=True,
        editable=False,
        help_text="The context of row history in which it happened; the database fills it in.",
    )

    class Meta:
        indexes = [
            models.Index(fields=["target_kind", "target_id", "-at"], name="event_target"),
            models.Index(fields=["within_kind", "within_id", "-at"], name="event_within"),
            models.Index(fields=["-at", "-id"], name="event_at"),
            models.Index(fields=["actor_id", "-at"], name="event_actor"),
            models.Index(fields=["context_id"], name="event_context"),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="context",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="NEW.context_id = _pgh_attach_context(); RETURN NEW;",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.target_kind} {self.target_id}"

    @property
    def label(self) -> str:
        """The event's text for timelines."""
        return label_of(self.kind, self.data.get("wording"))


class Export(models.Model):
    """An export to a file: who, what, when and how many rows. Append-only."""

    actor_id = models.BigIntegerField(null=True, help_text="None: somebody who was not signed in.")
    seen_as_id = models.BigIntegerField(null=True, help_text="As whom an administrator was looking.")
    what = models.CharField(max_length=60, help_text="The name of the page that makes it.")
    record_id = models.BigIntegerField(null=True, help_text="The record it is about, where it is about one.")
    rows = models.PositiveIntegerField(null=True, help_text="None: a document, not a list.")
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["-at", "-id"], name="export_at"),
            models.Index(fields=["actor_id", "-at"], name="export_actor"),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.what} {self.record_id or ''}".strip()
