"""Kinds of event on surveys."""

from django.db import models


class EventKind(models.TextChoices):
    """The kinds of event on surveys.

    Codes are stored in rows and never change; labels may. No event says who has answered, or how many people have.
    """

    ROUND_DRAFTED = "surveys.round_drafted", "Prepared a survey"
    DRAFT_DROPPED = "surveys.draft_dropped", "Cancelled a survey before it opened"
    ROUND_OPENED = "surveys.round_opened", "Opened a survey"
    ROUND_CLOSED = "surveys.round_closed", "Published the results of a survey"
    ROUND_ABANDONED = "surveys.round_abandoned", "Ended a survey without results"
    COMMENTS_PUBLISHED = "surveys.comments_published", "Published comments from a survey"
    ACTION_LINKED = "surveys.action_linked", "Linked an action to a survey result"
    ACTION_UNLINKED = "surveys.action_unlinked", "Removed the link between an action and a survey result"
