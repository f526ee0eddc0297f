"""Surveys: rounds and who is asked, sealed answers, published results."""

from partnerships.surveys.models.answers import NamedAnswer, SealedAnswer, Token
from partnerships.surveys.models.results import Action, Comment, CommentStatus, Figure
from partnerships.surveys.models.rounds import Invitation, QuestionSet, Round, RoundStatus, Way

__all__ = [
    "Action",
    "Comment",
    "CommentStatus",
    "Figure",
    "Invitation",
    "NamedAnswer",
    "QuestionSet",
    "Round",
    "RoundStatus",
    "SealedAnswer",
    "Token",
    "Way",
]
