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
from partnerships.conversations.models.next_steps import ConversationCommitment, NextStep
from partnerships.conversations.models.notes import PrivateNote
from partnerships.conversations.models.points import Point, PointEntry

__all__ = [
    "HELD",
    "OPEN_FOR_CORRECTION",
    "READ_BY_SIDE",
    "ROUTES",
    "Attendee",
    "Attribution",
    "Conversation",
    "ConversationCommitment",
    "ConversationQuerySet",
    "Correction",
    "Format",
    "NextStep",
    "Point",
    "PointEntry",
    "PointKind",
    "PrivateNote",
    "Side",
    "Status",
]
