"""Notices in each person's inbox, and how each person wants to get them."""

from __future__ import annotations

import pghistory
from django.db import models
from django.db.models import Q

from partnerships.agreements.models import Partnership
from partnerships.outbox.groups import NoticeGroup
from partnerships.people.models import User


class NoticeDelivery(models.TextChoices):
    """How a person gets the notices of a group."""

    AT_ONCE = "at_once", "Email at once"
    SUMMARY = "summary", "In my summary"
    INBOX = "inbox", "Inbox only"
    OFF = "off", "Off"


@pghistory.track()
class NoticeChoice(models.Model):
    """How one person wants to get the notices of one group."""

    # The index of the unique constraint begins with the person, so this field needs no index.
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notice_choices", db_index=False)
    group = models.CharField(max_length=12, choices=NoticeGroup)
    way = models.CharField(max_length=8, choices=NoticeDelivery)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "group"], name="unique_notice_choice_per_group")]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.group} {self.way}"


class InboxItemQuerySet(models.QuerySet["InboxItem"]):
    """Filters for items that are unread, or that the next summary will contain."""

    def unread(self) -> InboxItemQuerySet:
        """Return the items that their person has neither opened nor marked as read."""
        return self.filter(read_at=None)

    def for_summary(self) -> InboxItemQuerySet:
        """Return the items that the next summary will contain."""
        return self.filter(told_at=None, due_at__isnull=False)


class InboxItem(models.Model):
    """A notice in the inbox of one person.

    A notice is unread until the person reads it. If the person wants summaries, the notice is due until a summary
    contains it or the person reads it.

    A notice contains codes and ids but no names. Names are looked up when the notice is shown, because the person's
    rights may have changed by then.
    """

    # The index `inbox_newest` begins with the person, so this field needs no index.
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="inbox_items", db_index=False)
    kind = models.CharField(max_length=60)
    group = models.CharField(max_length=12, choices=NoticeGroup)
    params = models.JSONField(default=dict)
    #: The record that the notice is about, if any.
    record_kind = models.CharField(max_length=40, blank=True)
    record_id = models.BigIntegerField(null=True, blank=True)
    partnership = models.ForeignKey(Partnership, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    #: Set while the next summary is to contain the notice. Reading the notice clears it.
    due_at = models.DateTimeField(null=True, blank=True)
    #: When a summary contained the notice.
    told_at = models.DateTimeField(null=True, blank=True)
    delivery_id = models.BigIntegerField(null=True, blank=True, help_text="The summary that contained this notice.")
    left_out = models.CharField(max_length=200, blank=True, help_text="Why no summary contains this notice.")

    objects = InboxItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "record_id"], condition=Q(record_kind="digest"), name="unique_inbox_item_per_digest"
            ),
        ]
        indexes = [
            models.Index(fields=["person", "-created_at", "-id"], name="inbox_newest"),
            models.Index(fields=["person"], name="inbox_unread", condition=Q(read_at=None)),
            models.Index(
                fields=["due_at", "person"], name="inbox_due", condition=Q(told_at=None, due_at__isnull=False)
            ),
            models.Index(fields=["delivery_id"], name="inbox_delivery", condition=Q(delivery_id__isnull=False)),
            models.Index(fields=["created_at"], name="inbox_created"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.person_id}"

    @property
    def is_unread(self) -> bool:
        """Return True if the person has not read the notice."""
        return self.read_at is None
