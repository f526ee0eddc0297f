"""Surveys: rounds and who is asked, sealed answers, published results."""

from partnerships.surveys.models.answers import NamedAnswer, SealedAnswer, Token
from partnerships.surveys.models.results import KINDS_OF_ACTION, Action, Comment, CommentStatus, Figure
from partnerships.surveys.models.rounds import (
    JOINT_FLOOR,
    Invitation,
    Joining,
    QuestionSet,
    Round,
    RoundStatus,
    Way,
)

__all__ = [
    "JOINT_FLOOR",
    "KINDS_OF_ACTION",
    "Action",
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
    "Way",
]
