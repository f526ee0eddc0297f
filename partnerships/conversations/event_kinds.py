"""Kinds of event on conversations: codes, and labels for timelines."""

from django.db import models


class EventKind(models.TextChoices):
    """Codes are stored in rows and never change; labels may."""

    PLANNED = "conversation.planned", "Planned a conversation"
    RECORDED = "conversation.recorded", "Recorded a conversation"
    CHANGED = "conversation.changed", "Changed the record"
    CALLED_OFF = "conversation.called_off", "Cancelled the conversation"
    CIRCULATED = "conversation.circulated", "Circulated the record"
    CORRECTION_SUGGESTED = "conversation.correction_suggested", "Suggested a correction"
    CORRECTION_ACCEPTED = "conversation.correction_accepted", "Accepted a correction"
    CORRECTION_ANSWERED = "conversation.correction_answered", "Answered a correction"
    AGREED = "conversation.agreed", "Agreed the record"
    NOTE_WRITTEN = "conversation.note_written", "Wrote a private note"
    JOURNAL_WRITTEN = "journal.written", "Wrote a note"
    JOURNAL_CHANGED = "journal.changed", "Changed a note"
    JOURNAL_DELETED = "journal.deleted", "Deleted a note"
    OBJECTIVE_CLOSED = "objective.closed", "Closed an objective"
    OBSTACLE_CLOSED = "obstacle.closed", "Closed an obstacle"
    OPPORTUNITY_CLOSED = "opportunity.closed", "Closed an opportunity"
    ASK_MADE = "obstacle.made_an_ask", "Made an ask from an obstacle"
    OFFER_MADE = "opportunity.made_an_offer", "Made an offer from an opportunity"
    REPORTING_SET_UP = "reporting.set_up", "Set up progress reports"
    REPORTING_CHANGED = "reporting.changed", "Changed how progress reports are made"
    REPORTING_ENDED = "reporting.ended", "Ended progress reports"
    REPORT_SUBMITTED = "report.submitted", "Submitted a progress report"
    REPORT_ACCEPTED = "report.accepted", "Accepted a progress report"
    REPORT_RETURNED = "report.returned", "Returned a progress report"
    REPORT_WAIVED = "report.waived", "No longer needs a progress report"
