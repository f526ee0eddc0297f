"""The journal, which has dated notes of one organisation on partnerships and other organisations."""

from __future__ import annotations

import pghistory
from django.db import models
from django.db.models import Q

from partnerships.agreements.models import Partnership
from partnerships.conversations.models.notes import OwnNote, OwnNoteQuerySet
from partnerships.kit.addresses import page_address
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


class JournalNoteQuerySet(OwnNoteQuerySet["JournalNote"]):
    """Filters for journal notes by reader, with the related rows for a list."""

    def for_listing(self) -> JournalNoteQuerySet:
        """Fetch organisations, partnership and people."""
        return self.select_related("organisation", "partnership", "about", "written_by", "deleted_by")


@pghistory.track(exclude=["text", "delete_reason"])
class JournalNote(OwnNote):
    """A dated note about a partnership or an organisation, which only the people of one organisation may read.

    A note can be changed, and deleted with a reason. Its earlier texts are kept as `JournalText` until it is deleted.
    """

    # The partnership or organisation that the note is about.
    partnership = models.ForeignKey(Partnership, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    about = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    dated_on = models.DateField()
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)
    deleted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    delete_reason = models.TextField(blank=True)

    objects = JournalNoteQuerySet.as_manager()

    class Meta:
        verbose_name = "journal note"
        verbose_name_plural = "journal notes"
        constraints = [
            models.CheckConstraint(
                condition=Q(partnership__isnull=False, about=None) | Q(partnership=None, about__isnull=False),
                name="journal_note_has_one_subject",
            ),
            models.CheckConstraint(
                condition=Q(deleted_at=None) | (Q(text="") & ~Q(delete_reason="")),
                name="deleted_journal_note_has_reason",
            ),
        ]
        indexes = [models.Index(fields=["organisation", "-dated_on", "-id"], name="journal_note_listing")]

    def __str__(self) -> str:
        return f"Journal note {self.pk}"

    def get_absolute_url(self) -> str:
        """Return the URL of the note's page."""
        return page_address("conversations:journal-note", self.pk)

    @property
    def is_deleted(self) -> bool:
        """Return whether the note's text was deleted. The row remains, with the reason."""
        return self.deleted_at is not None


class JournalTextQuerySet(models.QuerySet["JournalText"]):
    """Filters for earlier texts of notes by reader."""

    def visible_to(self, user: User) -> JournalTextQuerySet:
        """Return the earlier texts of notes that the person may read."""
        return self.filter(note__in=JournalNote.objects.visible_to(user))


@pghistory.track(exclude=["text"])
class JournalText(models.Model):
    """A text that a journal note had before it was changed."""

    note = models.ForeignKey(JournalNote, on_delete=models.CASCADE, related_name="earlier")
    revision = models.PositiveIntegerField()
    text = models.TextField()
    written_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    written_at = models.DateTimeField()
    replaced_at = models.DateTimeField()

    objects = JournalTextQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["note", "revision"], name="unique_journal_text_per_revision")]

    def __str__(self) -> str:
        return f"Text {self.revision} of journal note {self.note_id}"
