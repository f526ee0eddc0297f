"""Items of an agenda, and who may read each."""

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
    """What an item asks of the meeting."""

    DECISION = Purpose.DECISION.value, "Decision"
    DISCUSSION = Purpose.DISCUSSION.value, "Discussion"
    INFORMATION = Purpose.INFORMATION.value, "Information"


class AgendaItemQuerySet(models.QuerySet["AgendaItem"]):
    """Filters by reader."""

    def visible_to(self, user: User | AnonymousUser) -> AgendaItemQuerySet:
        """Items of meetings the person may read, whose subject they may read.

        An item about a record shows its title, so it is shown only to those who may read that record.
        """
        readable, wanted = Q(subject_kind=""), subject_kinds()
        for kind in kinds():
            if kind.name in wanted:
                readable |= Q(subject_kind=kind.name, subject_id__in=kind.visible_ids(user))
        return self.filter(readable, meeting__in=Meeting.objects.visible_to(user).values("pk"))

    def kept(self) -> AgendaItemQuerySet:
        """Items that were not dropped, in order."""
        return self.filter(dropped_at=None).order_by("position", "pk")


@pghistory.track()
class AgendaItem(models.Model):
    """One item: somebody's own, or about a record of another room.

    `source` names who proposed it in the registry (`agreements.agenda`); own items have none. `subject_kind` and
    `subject_id` name the record as timelines do. A dropped item stays, so that it is not proposed again.
    """

    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="agenda")
    position = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=40, blank=True)
    subject_kind = models.CharField(max_length=40, blank=True)
    subject_id = models.PositiveBigIntegerField(null=True, blank=True)
    title = models.CharField(max_length=300)
    detail = models.CharField(max_length=300, blank=True)
    path = models.CharField(max_length=300, blank=True, help_text="Address of the record's page on the site.")
    purpose = models.CharField(max_length=11, choices=ItemPurpose, default=ItemPurpose.DISCUSSION)
    minutes = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Minutes planned for it.")
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
                name="one_agenda_item_a_subject",
            ),
            models.CheckConstraint(
                condition=Q(subject_kind="", subject_id=None) | (~Q(subject_kind="") & Q(subject_id__isnull=False)),
                name="agenda_item_subject",
            ),
        ]

    def __str__(self) -> str:
        return f"Agenda item {self.pk}"

    @property
    def is_dropped(self) -> bool:
        """Whether it was taken off the agenda."""
        return self.dropped_at is not None
