"""Kinds of event on nominations agreements, with labels for timelines."""

from django.db import models


class EventKind(models.TextChoices):
    """The kinds of event on nominations agreements.

    Codes are stored in rows and never change. Labels may change. No label contains a figure of a return.
    """

    RETURN_STARTED = "nominations.return_started", "Started a nominations return"
    LETTINGS_READ = "nominations.lettings_read", "Uploaded lettings for a nominations return"
    RETURN_COMPLETED = "nominations.return_completed", "Completed the table of a nominations return"
    RETURN_SENT = "nominations.return_sent", "Sent a nominations return"
    LINES_DECIDED = "nominations.lines_decided", "Confirmed or disputed lines of a nominations return"
    RETURN_AGREED = "nominations.return_agreed", "Confirmed a nominations return"
    RETURN_REOPENED = "nominations.return_reopened", "Began to correct a confirmed nominations return"
