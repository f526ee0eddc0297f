"""Conversations: who met, what was said, points and next steps."""

from partnerships.conversations.models.choices import (
    HELD,
    OPEN_FOR_CORRECTION,
    Attribution,
    Format,
    PointKind,
    Status,
)
from partnerships.conversations.models.conversations import (
    READ_BY_SIDE,
    ROUTES,
    Attendee,
    Conversation,
    ConversationQuerySet,
    Side,
)
from partnerships.conversations.models.corrections import Correction
from partnerships.conversations.models.journal import JournalNote, JournalText
from partnerships.conversations.models.next_steps import ConversationCommitment, NextStep
from partnerships.conversations.models.notes import OwnNote, PrivateNote
from partnerships.conversations.models.points import Point, PointEntry
from partnerships.conversations.models.reports import (
    DECIDERS,
    OWN_DECIDERS,
    TO_WRITE,
    WRITERS,
    Decision,
    Period,
    Report,
    ReportingExemption,
    ReportingRound,
    ReportQuerySet,
    ReportStatus,
    ReportSubmission,
)

__all__ = [
    "DECIDERS",
    "HELD",
    "OPEN_FOR_CORRECTION",
    "OWN_DECIDERS",
    "READ_BY_SIDE",
    "ROUTES",
    "TO_WRITE",
    "WRITERS",
    "Attendee",
    "Attribution",
    "Conversation",
    "ConversationCommitment",
    "ConversationQuerySet",
    "Correction",
    "Decision",
    "Format",
    "JournalNote",
    "JournalText",
    "NextStep",
    "OwnNote",
    "Period",
    "Point",
    "PointEntry",
    "PointKind",
    "PrivateNote",
    "Report",
    "ReportQuerySet",
    "ReportStatus",
    "ReportSubmission",
    "ReportingExemption",
    "ReportingRound",
    "Side",
    "Status",
]
