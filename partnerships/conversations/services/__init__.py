"""Services that change conversations, their points and private notes."""

from partnerships.conversations.services.agreeing import (
    UnableToAgree,
    UnableToCirculate,
    UnableToCorrect,
    agree_record,
    answer_correction,
    circulate,
    suggest_correction,
)
from partnerships.conversations.services.drafting import (
    AttendeeGiven,
    NextStepGiven,
    PointGiven,
    Record,
    UnableToCancel,
    UnableToRecord,
    cancel_planned,
    edit_conversation,
    record_conversation,
)
from partnerships.conversations.services.notes import UnableToWriteNote, write_private_note
from partnerships.conversations.services.points import UnableToChangePoint, close_point, turn_into_entry

__all__ = [
    "AttendeeGiven",
    "NextStepGiven",
    "PointGiven",
    "Record",
    "UnableToAgree",
    "UnableToCancel",
    "UnableToChangePoint",
    "UnableToCirculate",
    "UnableToCorrect",
    "UnableToRecord",
    "UnableToWriteNote",
    "agree_record",
    "answer_correction",
    "cancel_planned",
    "circulate",
    "close_point",
    "edit_conversation",
    "record_conversation",
    "suggest_correction",
    "turn_into_entry",
    "write_private_note",
]
