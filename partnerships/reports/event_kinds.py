"""Kinds of event of reports, with their labels in timelines."""

from django.db import models


class EventKind(models.TextChoices):
    """A code never changes, since rows hold it for ever; a label may."""

    FROZEN = "report.frozen", "Froze a report"
    SCHEDULED = "report.scheduled", "Scheduled a report"
    SCHEDULE_ENDED = "report.schedule_ended", "Ended a scheduled report"
