"""Kinds of events of the reports room."""

from django.db import models


class EventKind(models.TextChoices):
    """The kinds of events. Codes never change, because rows store them for ever; labels may change."""

    FROZEN = "report.frozen", "Froze a report"
    SCHEDULED = "report.scheduled", "Scheduled a report"
    SCHEDULE_ENDED = "report.schedule_ended", "Ended a scheduled report"
