"""Corrections that other organisations suggest to a circulated record."""

from __future__ import annotations

import pghistory
from django.db import models
from django.db.models import Q

from partnerships.conversations.models.conversations import Conversation
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


@pghistory.track()
class Correction(models.Model):
    """A correction to a circulated record, suggested by another organisation that took part.

    A correction is open until the organisation that keeps the record accepts or refuses it, with an answer.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="corrections")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    text = models.TextField()
    made_at = models.DateTimeField()

    #: Whether the correction was accepted; None while it is open.
    taken_up = models.BooleanField(null=True, blank=True)
    answer = models.TextField(blank=True)
    answered_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(taken_up=None, answered_at=None) | Q(taken_up__isnull=False, answered_at__isnull=False),
                name="answered_correction_has_time",
            )
        ]

    def __str__(self) -> str:
        return f"Correction {self.pk}"

    @property
    def is_open(self) -> bool:
        """Return whether the correction has no answer yet."""
        return self.answered_at is None
