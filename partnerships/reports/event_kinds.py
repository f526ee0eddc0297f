"""Kinds of events of the reports room."""

from django.db import models


class EventKind(models.TextChoices):
    """Codes never change, because rows hold them for ever; labels may."""

    FROZEN = "report.frozen", "Froze a report"
    SCHEDULED = "report.scheduled", "Scheduled a report"
    SCHEDULE_ENDED = "report.schedule_ended", "Ended a scheduled report"
