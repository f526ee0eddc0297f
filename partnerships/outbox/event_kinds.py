"""The codes of the outbox's event kinds, and the labels that timelines show."""

from django.db import models


class EventKind(models.TextChoices):
    """The kinds of events of the outbox. Codes never change, because the log contains them. Labels may change."""

    EMAILS_DISCARDED = "email.discarded", "Discarded queued emails"
