"""Answers as owners and stakeholders see them, and what waits for owners."""

from partnerships.answers.queries.answers import (
    Concern,
    answers_on,
    concern_counts,
    concern_of,
    own_answers,
    questions_on,
    trust_to_manage,
)
from partnerships.answers.queries.my_work import WAITING

__all__ = [
    "WAITING",
    "Concern",
    "answers_on",
    "concern_counts",
    "concern_of",
    "own_answers",
    "questions_on",
    "trust_to_manage",
]
