"""Events of the outbox: their codes, and the labels that timelines show."""

from django.db import models


class EventKind(models.TextChoices):
    """What happened. Codes never change, because the log contains them; labels may."""

    EMAILS_DISCARDED = "email.discarded", "Discarded queued emails"
