"""Reminders of due dates, for the owners of commitments."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from partnerships.commitments.models.commitments import Commitment
from partnerships.people.models import User


class Reminder(models.Model):
    """A reminder for the owner of a commitment that its due date is near.

    There is one for each commitment, due date and lead time, so that no reminder is sent twice. The row is recorded in
    one transaction with its email.
    """

    commitment = models.ForeignKey(Commitment, on_delete=models.CASCADE, related_name="reminders")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    due_on = models.DateField()
    days_before = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When the email of the reminder was recorded.")
    dropped_at = models.DateTimeField(
        null=True, blank=True, help_text="When the reminder was dropped. No longer used: emails are now in the outbox."
    )

    class Meta:
        verbose_name = "reminder of a due date"
        verbose_name_plural = "reminders of due dates"
        constraints = [
            models.UniqueConstraint(
                fields=["commitment", "person", "due_on", "days_before"], name="unique_reminder_per_lead_time"
            )
        ]
        indexes = [
            models.Index(
                fields=["created_at", "id"],
                condition=Q(sent_at=None, dropped_at=None),
                name="reminder_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"Reminder {self.pk}"
