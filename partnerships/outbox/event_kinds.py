"""Events of the outbox: their codes, and what timelines say of them."""

from django.db import models


class EventKind(models.TextChoices):
    """A code never changes, since rows hold it for ever; a label may."""

    EMAILS_DISCARDED = "email.discarded", "Discarded queued emails"
