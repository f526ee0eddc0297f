"""Rounds of surveys and the people asked, their answers and the published results."""

from partnerships.surveys.models.answers import NamedAnswer, SealedAnswer, Token
from partnerships.surveys.models.results import KINDS_OF_ACTION, UNREAD_KEPT, Action, Comment, CommentStatus, Figure
from partnerships.surveys.models.rounds import (
    JOINT_FLOOR,
    AnswerMode,
    Invitation,
    Joining,
    QuestionSet,
    Round,
    RoundStatus,
)

__all__ = [
    "JOINT_FLOOR",
    "KINDS_OF_ACTION",
    "UNREAD_KEPT",
    "Action",
    "AnswerMode",
    "Comment",
    "CommentStatus",
    "Figure",
    "Invitation",
    "Joining",
    "NamedAnswer",
    "QuestionSet",
    "Round",
    "RoundStatus",
    "SealedAnswer",
    "Token",
]
