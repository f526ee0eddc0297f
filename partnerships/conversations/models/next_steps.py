"""The next steps that a conversation agreed, and the commitments that came from a conversation."""

from __future__ import annotations

import pghistory
from django.db import models

from partnerships.commitments.models import Commitment
from partnerships.conversations.models.conversations import Conversation
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


@pghistory.track()
class NextStep(models.Model):
    """A task that one organisation took on in a conversation. It becomes an action when the record is circulated."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="next_steps")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    text = models.CharField(max_length=500)
    due_on = models.DateField()
    action = models.OneToOneField(Commitment, on_delete=models.PROTECT, null=True, blank=True, related_name="next_step")

    def __str__(self) -> str:
        return f"Next step {self.pk}"


@pghistory.track()
class ConversationCommitment(models.Model):
    """A link from a conversation to a commitment that came from it."""

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="commitments")
    commitment = models.ForeignKey(Commitment, on_delete=models.PROTECT, related_name="from_conversations")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "commitment"], name="unique_commitment_per_conversation")
        ]

    def __str__(self) -> str:
        return f"{self.commitment_id} from {self.conversation_id}"
