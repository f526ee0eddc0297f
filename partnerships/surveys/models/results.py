"""The published figures and comments of closed rounds, and the work that was done about them."""

from __future__ import annotations

import datetime as dt
import uuid

import pghistory
import pgtrigger
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from partnerships.agreements.models import Objective
from partnerships.commitments.models import Commitment
from partnerships.conversations.models import Conversation, Meeting
from partnerships.exchange.models import Entry
from partnerships.kit.constraints import exactly_one_is_set
from partnerships.people.models import User
from partnerships.surveys.models.rounds import Round


class FigureQuerySet(models.QuerySet["Figure"]):
    """Filters for published figures by reader."""

    def visible_to(self, user: User | AnonymousUser) -> FigureQuerySet:
        """Return figures of rounds that the person may read."""
        return self.filter(round__in=Round.objects.visible_to(user).values("pk"))


class Figure(models.Model):
    """A mean or share that was published when the round closed, and never changes.

    It is based on at least five answers. A figure that is hidden has no row. `group` is "" for everyone.
    """

    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="figures")
    theme = models.CharField(max_length=40)
    group = models.CharField(max_length=60, blank=True)
    value = models.DecimalField(max_digits=4, decimal_places=1)
    answered_at_least = models.PositiveSmallIntegerField()

    objects = FigureQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["round", "theme", "group"], name="unique_figure_per_theme_and_group"),
            models.CheckConstraint(condition=Q(answered_at_least__gte=5), name="survey_figure_count_from_five"),
        ]
        triggers = [pgtrigger.Protect(name="immutable", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.theme} {self.group}: {self.value}"


#: Unread comments are deleted this long after the end of the survey.
UNREAD_KEPT = dt.timedelta(days=90)


class CommentStatus(models.TextChoices):
    """The status of a comment, which the moderator changes from waiting to shown or withheld."""

    WAITING = "waiting", "Not read yet"
    SHOWN = "shown", "Shown"
    WITHHELD = "withheld", "Withheld"


class Comment(models.Model):
    """A comment without group, score or time, in random order.

    `shown` is the text that the parties read. Comments have no row history, because it would still contain a name that
    the moderator has removed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="comments")
    question = models.CharField(max_length=40)
    text = models.TextField()
    shown = models.TextField(blank=True, help_text="The text that the moderator lets the members read.")
    status = models.CharField(max_length=8, choices=CommentStatus, default=CommentStatus.WAITING)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status="shown") & ~Q(shown="") | ~Q(status="shown") & Q(shown=""),
                name="only_shown_comments_have_text",
            )
        ]

    def __str__(self) -> str:
        return "comment"


#: The fields of `Action` that refer to a record. Exactly one of them is set.
KINDS_OF_ACTION = ("objective", "entry", "commitment", "meeting", "conversation")


@pghistory.track()
class Action(models.Model):
    """A record of work that was done about a theme of a round, for example a commitment or a meeting."""

    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="actions")
    theme = models.CharField(max_length=40)

    # The record: exactly one of these is set.
    objective = models.ForeignKey(Objective, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    commitment = models.ForeignKey(Commitment, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, null=True, blank=True, related_name="+")

    added_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=exactly_one_is_set(*KINDS_OF_ACTION), name="survey_action_has_one_record"),
            *(
                models.UniqueConstraint(fields=["round", "theme", kind], name=f"unique_survey_action_per_{kind}")
                for kind in KINDS_OF_ACTION
            ),
        ]

    def __str__(self) -> str:
        return f"action {self.pk}"
