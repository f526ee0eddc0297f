"""Decisions in the record of a conversation."""

from __future__ import annotations

import pghistory
import pgtrigger
from django.db import models

from partnerships.conversations.models.conversations import Conversation
from partnerships.conversations.models.points import REFUSE_IF_AGREED_SQL


@pghistory.track()
class RecordedDecision(models.Model):
    """A decision in the record of a conversation; it can no longer change once the record is agreed."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="decisions")
    position = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=500)

    class Meta:
        triggers = [
            pgtrigger.Trigger(
                name="decision_words_locked",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func=f"{REFUSE_IF_AGREED_SQL} RETURN NEW;",
            ),
            pgtrigger.Trigger(
                name="decision_kept",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                func=f"{REFUSE_IF_AGREED_SQL} RETURN OLD;",
            ),
        ]

    def __str__(self) -> str:
        return f"RecordedDecision {self.pk}"
