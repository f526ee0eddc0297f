"""Notes that only the people of one organisation may read: their base class, and private notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pghistory
from django.db import models

from partnerships.conversations.models.conversations import Conversation
from partnerships.organisations.audience import Organisations, visible_to
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from typing import Self

    from django.contrib.auth.models import AnonymousUser

Note = TypeVar("Note", bound="OwnNote")


class OwnNoteQuerySet(models.QuerySet[Note]):
    """Filters for the notes of an organisation by reader."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Return the notes of the person's own organisations."""
        return self.filter(visible_to(self.model, (Organisations("organisation"),), user))


class OwnNote(models.Model):
    """A note that only the people of the organisation that wrote it may read.

    Subclasses must exclude `text` from row history, where administrators could read it.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    written_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    written_at = models.DateTimeField()
    #: Grows with each change.
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        abstract = True


class PrivateNoteQuerySet(OwnNoteQuerySet["PrivateNote"]):
    """Filters for private notes by reader."""


@pghistory.track(exclude=["text"])
class PrivateNote(OwnNote):
    """A note of one organisation about a conversation, which is shown only on the conversation's page."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="private_notes")

    objects = PrivateNoteQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "organisation"], name="unique_private_note_per_side")
        ]

    def __str__(self) -> str:
        return f"Private note {self.pk}"
