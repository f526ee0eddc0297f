"""Items of a meeting's agenda, and who may read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
from django.db import models
from django.db.models import Q

from partnerships.activity.registry import kinds
from partnerships.agreements.agenda import Purpose, subject_kinds
from partnerships.conversations.models.meetings import Meeting
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class ItemPurpose(models.TextChoices):
    """What the meeting is to do with an agenda item."""

    DECISION = Purpose.DECISION.value, "Decision"
    DISCUSSION = Purpose.DISCUSSION.value, "Discussion"
    INFORMATION = Purpose.INFORMATION.value, "Information"


class AgendaItemQuerySet(models.QuerySet["AgendaItem"]):
    """Filters for agenda items by their reader, and for those still on the agenda."""

    def visible_to(self, user: User | AnonymousUser) -> AgendaItemQuerySet:
        """Return the items that the person may read.

        The person must be able to read the meeting, and the record that the item is about,
        because such an item shows the record's title, which may be confidential.
        """
        agenda_kinds = subject_kinds()
        readable = Q(subject_kind="")
        for kind in kinds():
            if kind.name in agenda_kinds:
                readable |= Q(subject_kind=kind.name, subject_id__in=kind.visible_ids(user))
        return self.filter(readable, meeting__in=Meeting.objects.visible_to(user).values("pk"))

    def not_dropped(self) -> AgendaItemQuerySet:
        """Return the items that were not dropped, in the order of the agenda."""
        return self.filter(dropped_at=None).order_by("position", "pk")


@pghistory.track()
class AgendaItem(models.Model):
    """An item of an agenda: written by a person, or suggested by a room about one of its records.

    A dropped item keeps its row, so that it is not suggested again.
    """

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="agenda")
    position = models.PositiveSmallIntegerField()

    # For a suggested item: who suggested it, and which record it is about.
    #: The name of the room's suggestions in the registry (`agreements.agenda`); "" for items that people wrote.
    source = models.CharField(max_length=40, blank=True)
    #: The kind and id of the record, as on timelines.
    subject_kind = models.CharField(max_length=40, blank=True)
    subject_id = models.PositiveBigIntegerField(null=True, blank=True)

    # What the agenda prints.
    title = models.CharField(max_length=300)
    detail = models.CharField(max_length=300, blank=True)
    path = models.CharField(max_length=300, blank=True, help_text="Address of the record's page on the site.")
    purpose = models.CharField(max_length=11, choices=ItemPurpose, default=ItemPurpose.DISCUSSION)
    minutes = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Minutes planned for the item.")
    presenter = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    dropped_at = models.DateTimeField(null=True, blank=True)
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    added_for = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField()

    objects = AgendaItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["meeting", "source", "subject_kind", "subject_id"],
                condition=~Q(source=""),
                name="unique_agenda_item_per_subject",
            ),
            models.CheckConstraint(
                condition=Q(subject_kind="", subject_id=None) | (~Q(subject_kind="") & Q(subject_id__isnull=False)),
                name="agenda_item_subject_has_kind_and_id",
            ),
        ]

    def __str__(self) -> str:
        return f"Agenda item {self.pk}"

    @property
    def is_dropped(self) -> bool:
        """Return whether the item was removed from the agenda."""
        return self.dropped_at is not None
