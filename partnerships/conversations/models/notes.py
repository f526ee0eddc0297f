"""Private notes, which only one organisation reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
from django.db import models

from partnerships.conversations.models.conversations import Conversation
from partnerships.organisations.audience import Organisations, visible_to
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class PrivateNoteQuerySet(models.QuerySet["PrivateNote"]):
    """Filters by reader: only people of the organisation that wrote it."""

    def visible_to(self, user: User | AnonymousUser) -> PrivateNoteQuerySet:
        """Notes of the person's own organisations."""
        return self.filter(visible_to(PrivateNote, (Organisations("organisation"),), user))


@pghistory.track(exclude=["text"])
class PrivateNote(models.Model):
    """What one organisation notes for itself about a conversation.

    Restricted: shown only on the conversation's page, to people of that organisation. Row history keeps author and
    time, but not the text, which administrators could read there.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="private_notes")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    written_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    written_at = models.DateTimeField()
    revision = models.PositiveIntegerField(default=1)

    objects = PrivateNoteQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "organisation"], name="one_private_note_a_side")]

    def __str__(self) -> str:
        return f"Private note {self.pk}"
