"""Answers as owners and stakeholders see them, and what waits for owners."""

from partnerships.answers.queries.answers import (
    ConcernCounts,
    answers_on,
    concern_counts,
    last_concerns,
    lookups_about,
    manageable_trust,
    own_answers,
    questions_on,
)
from partnerships.answers.queries.my_work import TASK_SOURCES

__all__ = [
    "TASK_SOURCES",
    "ConcernCounts",
    "answers_on",
    "concern_counts",
    "last_concerns",
    "lookups_about",
    "manageable_trust",
    "own_answers",
    "questions_on",
]
