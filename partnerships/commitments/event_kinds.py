"""Kinds of event on commitments: codes, and labels for timelines."""

from django.db import models


class EventKind(models.TextChoices):
    """The kinds of event on commitments.

    Codes are stored with events, so they never change. Labels may change.
    """

    PROPOSED = "commitment.proposed", "Proposed a commitment"
    ACTION_NOTED = "commitment.action_noted", "Added an action"
    TERMS_CHANGED = "commitment.terms_changed", "Changed the terms"
    GIVING_CONFIRMED = "commitment.giving_confirmed", "Confirmed for the giver"
    RECEIVING_CONFIRMED = "commitment.receiving_confirmed", "Confirmed for the receiver"
    DUE_DATE_MOVED = "commitment.due_date_moved", "Changed the due date"
    PROPOSAL_WITHDRAWN = "commitment.proposal_withdrawn", "Withdrew the proposal"
    PROPOSAL_DECLINED = "commitment.proposal_declined", "Declined the proposal"
    CANCELLED = "commitment.cancelled", "Cancelled the commitment"
    SUPERSEDED = "commitment.superseded", "Replaced the commitment"
    PROGRESS_REPORTED = "commitment.progress_reported", "Reported progress"
    ESCALATED = "commitment.escalated", "Escalated the commitment"
    DELIVERY_VERIFIED = "commitment.delivery_verified", "Verified the delivery"
    DELIVERY_SENT_BACK = "commitment.delivery_sent_back", "Sent the delivery back"
    ACTION_VERIFIED = "commitment.action_verified", "Verified the action"
    ACTION_SENT_BACK = "commitment.action_sent_back", "Sent the action back"
    EVIDENCE_ATTACHED = "commitment.evidence_attached", "Attached evidence"
    EVIDENCE_REMOVED = "commitment.evidence_removed", "Removed evidence"
    OWNER_CHANGED = "commitment.owner_changed", "Changed the owner"
    OWNER_REMINDED = "commitment.owner_reminded", "Reminded the owner"
    MOVED_TO_SUCCESSOR = "commitment.moved_to_successor", "Moved the commitment to a successor"
    MARKED = "commitment.marked_for_stakeholders", "Chose to tell stakeholders about the commitment"
    UNMARKED = "commitment.unmarked_for_stakeholders", "Stopped telling stakeholders about the commitment"
    #: Only old events have this kind. New ones have `person.lead_times_chosen`.
    REMINDERS_CHOSEN = "commitment.reminders_chosen", "Chose when to get reminders"
    READ_FROM_REGISTER = "commitment.read_from_register", "Imported the commitment from a register"
    REPORTS_READ_FROM_REGISTER = "commitment.reports_read_from_register", "Imported further reports from a register"
    WITHDRAWN_IN_REGISTER = (
        "commitment.withdrawn_in_register",
        "Withdrawn in the register",
    )
