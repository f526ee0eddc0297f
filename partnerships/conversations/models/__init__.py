"""Conversations: who met, what was said, points and next steps."""

from partnerships.conversations.models.agendas import AgendaItem, ItemPurpose
from partnerships.conversations.models.attendance import Answer, Attendance, MeetingSeat
from partnerships.conversations.models.choices import (
    CORRECTABLE_STATUSES,
    HELD_STATUSES,
    SHARED_STATUSES,
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
from partnerships.conversations.models.decisions import RecordedDecision
from partnerships.conversations.models.facilitators import Facilitator
from partnerships.conversations.models.files import Attachment
from partnerships.conversations.models.journal import JournalNote, JournalText
from partnerships.conversations.models.meetings import (
    MEETING_ROUTES,
    CycleUnit,
    HolidayChoice,
    Meeting,
    MeetingCycle,
    MeetingQuerySet,
    MeetingStatus,
    meeting_readers,
)
from partnerships.conversations.models.next_steps import ConversationCommitment, NextStep
from partnerships.conversations.models.notes import OwnNote, PrivateNote
from partnerships.conversations.models.points import Point, PointEntry
from partnerships.conversations.models.reports import (
    DECIDERS,
    OWN_DECIDERS,
    UNSUBMITTED_STATUSES,
    WRITERS,
    Decision,
    Period,
    Report,
    ReportingExemption,
    ReportingRound,
    ReportQuerySet,
    ReportStatus,
    ReportSubmission,
    report_overdue_on,
)

__all__ = [
    "CORRECTABLE_STATUSES",
    "DECIDERS",
    "HELD_STATUSES",
    "MEETING_ROUTES",
    "OWN_DECIDERS",
    "READ_BY_SIDE",
    "ROUTES",
    "SHARED_STATUSES",
    "UNSUBMITTED_STATUSES",
    "WRITERS",
    "AgendaItem",
    "Answer",
    "Attachment",
    "Attendance",
    "Attendee",
    "Attribution",
    "Conversation",
    "ConversationCommitment",
    "ConversationQuerySet",
    "Correction",
    "CycleUnit",
    "Decision",
    "Facilitator",
    "Format",
    "HolidayChoice",
    "ItemPurpose",
    "JournalNote",
    "JournalText",
    "Meeting",
    "MeetingCycle",
    "MeetingQuerySet",
    "MeetingSeat",
    "MeetingStatus",
    "NextStep",
    "OwnNote",
    "Period",
    "Point",
    "PointEntry",
    "PointKind",
    "PrivateNote",
    "RecordedDecision",
    "Report",
    "ReportQuerySet",
    "ReportStatus",
    "ReportSubmission",
    "ReportingExemption",
    "ReportingRound",
    "Side",
    "Status",
    "meeting_readers",
    "report_overdue_on",
]
