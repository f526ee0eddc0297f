"""Files and links attached to conversations, and papers of meetings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
from django.db import models
from django.db.models import Q

from partnerships.agreements.models import Document
from partnerships.conversations.models.agendas import AgendaItem
from partnerships.conversations.models.conversations import Conversation
from partnerships.conversations.models.meetings import Meeting
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.models import Version

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    """Filters for attachments by reader."""

    def visible_to(self, user: User | AnonymousUser) -> AttachmentQuerySet:
        """Return the attachments that the person may read and that were not removed.

        The person must be able to read the conversation or meeting. They must also be able to read the agenda item of a
        paper, and the document or plan that a paper links to.
        """
        conversations = Conversation.objects.visible_to(user).values("pk")
        meetings = Meeting.objects.visible_to(user).values("pk")
        items = AgendaItem.objects.visible_to(user).values("pk")
        documents = Document.objects.visible_to(user).values("pk")
        versions = Version.objects.visible_to(user).values("pk")

        is_in_readable_place = (
            Q(conversation__in=conversations)
            | Q(meeting__in=meetings, item=None)
            | Q(meeting__in=meetings, item__in=items)
        )
        links_to_readable_document = Q(document=None) | Q(document__in=documents)
        links_to_readable_version = Q(version=None) | Q(version__in=versions)
        return self.filter(is_in_readable_place, links_to_readable_document, links_to_readable_version, removed_at=None)


@pghistory.track()
class Attachment(models.Model):
    """A file of a conversation, or a paper of a meeting or of an agenda item.

    A paper is a file, or a link to a document of the partnership or to a published version of a plan. The row of a
    removed attachment shows who removed it and why. Retention later deletes the file, but not the row.
    """

    # The conversation or meeting to which it is attached, and for a paper maybe the item of the agenda.
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, null=True, blank=True, related_name="attachments"
    )
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, null=True, blank=True, related_name="papers")
    item = models.ForeignKey(AgendaItem, on_delete=models.SET_NULL, null=True, blank=True, related_name="papers")

    title = models.CharField(max_length=200)

    # The content, which is a stored file or a link to a document or version.
    file = models.FileField(upload_to="conversations/%Y/%m", max_length=300, blank=True)
    file_name = models.CharField(max_length=200, blank=True)
    content_type = models.CharField(max_length=100, blank=True)
    size = models.PositiveIntegerField(default=0, help_text="Size in bytes.")
    sha256 = models.CharField(max_length=64, blank=True)
    document = models.ForeignKey(Document, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    added_for = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)
    removed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    removed_reason = models.CharField(max_length=300, blank=True)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(conversation__isnull=False, meeting=None) | Q(conversation=None, meeting__isnull=False),
                name="attachment_has_conversation_or_meeting",
            ),
            models.CheckConstraint(
                condition=Q(document=None, version=None) & ~Q(sha256="")
                | Q(document__isnull=False, version=None, sha256="")
                | Q(document=None, version__isnull=False, sha256=""),
                name="attachment_is_file_document_or_version",
            ),
            models.CheckConstraint(
                condition=Q(removed_at=None) | ~Q(removed_reason=""), name="removed_attachment_has_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"Attachment {self.pk}"

    @property
    def is_file(self) -> bool:
        """Return whether the attachment is a file, not a link to a document or plan."""
        return bool(self.sha256)
