"""Objectives, obstacles and opportunities, and the asks and offers that they became."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pghistory
import pgtrigger
from django.db import models
from django.db.models import Q

from partnerships.conversations.models.choices import PointKind
from partnerships.conversations.models.conversations import Conversation
from partnerships.exchange.models import Entry
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

#: Trigger code in PL/pgSQL that refuses to change or delete a row of an agreed record.
REFUSE_IF_AGREED_SQL = """
IF EXISTS (
    SELECT 1 FROM conversations_conversation
    WHERE id = OLD.conversation_id AND status = 'agreed'
) THEN
    RAISE EXCEPTION 'The record of conversation % is agreed and locked', OLD.conversation_id;
END IF;
"""


class PointQuerySet(models.QuerySet["Point"]):
    """Filters for points by reader and by status."""

    def visible_to(self, user: User | AnonymousUser) -> PointQuerySet:
        """Return the points of conversations that the person may read."""
        return self.filter(conversation__in=Conversation.objects.visible_to(user))

    def current(self) -> PointQuerySet:
        """Return the points that are not closed."""
        return self.filter(closed_at=None)


@pghistory.track()
class Point(models.Model):
    """An objective, obstacle or opportunity of one organisation, which applies until the organisation closes it.

    The text is part of the record, so the database refuses to change or delete it once the record is agreed. A point
    can still be closed then, with a reason.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="points")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="points")
    kind = models.CharField(max_length=11, choices=PointKind)
    text = models.CharField(max_length=500)

    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    closed_reason = models.CharField(max_length=300, blank=True)

    # What pages show beside the fields. These values depend on the reader, so they are not in the database.
    # `queries.set_point_entries` sets the entry, and `queries.set_point_actions` the permissions.
    #
    #: The ask or offer that the point became, if the reader may see it.
    entry_shown: Entry | None = None
    #: Whether the reader may close the point.
    may_close = False
    #: Whether the reader may turn the point into an ask or an offer.
    may_become = False

    objects = PointQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(closed_at=None) | ~Q(closed_reason=""), name="closed_point_has_reason")
        ]
        indexes = [models.Index(fields=["organisation", "kind"], name="point_organisation")]
        triggers = [
            pgtrigger.Trigger(
                name="point_words_locked",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("conversation", "organisation", "kind", "text"),
                func=f"{REFUSE_IF_AGREED_SQL} RETURN NEW;",
            ),
            pgtrigger.Trigger(
                name="point_kept",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                func=f"{REFUSE_IF_AGREED_SQL} RETURN OLD;",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_current(self) -> bool:
        """Return whether the point is not closed."""
        return self.closed_at is None

    @property
    def direction(self) -> str:
        """Return what the point can become: "ask" for an obstacle, "offer" for an opportunity, "" for an objective."""
        return {PointKind.OBSTACLE: "ask", PointKind.OPPORTUNITY: "offer"}.get(PointKind(self.kind), "")


@pghistory.track()
class PointEntry(models.Model):
    """The ask or offer that a point became."""

    point = models.OneToOneField(Point, on_delete=models.PROTECT, related_name="became")
    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="from_points")
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "point entries"

    def __str__(self) -> str:
        return f"{self.point_id} became {self.entry_id}"
