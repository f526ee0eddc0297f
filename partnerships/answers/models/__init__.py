"""Answers of stakeholders, questions about plans, and who is trusted."""

from partnerships.answers.models.answers import Answer, AnswerKind, AnswerStatus
from partnerships.answers.models.incoming import Incoming, IncomingFile, IncomingStatus, UnusableReason
from partnerships.answers.models.people import Trust, WorkRole
from partnerships.answers.models.questions import PlanQuestion

__all__ = [
    "Answer",
    "AnswerKind",
    "AnswerStatus",
    "Incoming",
    "IncomingFile",
    "IncomingStatus",
    "PlanQuestion",
    "Trust",
    "UnusableReason",
    "WorkRole",
]
