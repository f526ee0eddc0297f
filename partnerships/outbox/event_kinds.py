"""The event kinds of the outbox: their codes, and the labels that timelines show."""

from django.db import models


class EventKind(models.TextChoices):
    """The kinds of events of the outbox. Codes never change, because the log contains them; labels may change."""

    EMAILS_DISCARDED = "email.discarded", "Discarded queued emails"
