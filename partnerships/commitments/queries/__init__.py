"""Queries of commitments."""

from partnerships.commitments.queries.events import events_of_commitments
from partnerships.commitments.queries.listings import (
    evidence_of,
    in_order,
    name_as_at,
    open_and_over,
    progress_of,
    slippages_of,
    with_people,
    with_story,
    with_words,
)
from partnerships.commitments.queries.my_work import WAITING, due_soon
from partnerships.commitments.queries.outcomes import Promises, promises
from partnerships.commitments.queries.people import concerned_with, partners_of, people_who_may_own

__all__ = [
    "WAITING",
    "Promises",
    "concerned_with",
    "due_soon",
    "events_of_commitments",
    "evidence_of",
    "in_order",
    "name_as_at",
    "open_and_over",
    "partners_of",
    "people_who_may_own",
    "progress_of",
    "promises",
    "slippages_of",
    "with_people",
    "with_story",
    "with_words",
]
