"""Queries of commitments."""

from partnerships.commitments.queries.events import events_of_commitments
from partnerships.commitments.queries.listings import (
    evidence_of,
    matching_words,
    name_as_at,
    open_and_finished,
    progress_of,
    slippages_of,
    sorted_by_due_date,
    with_people,
    with_related_rows,
)
from partnerships.commitments.queries.my_work import TASK_SOURCES, due_soon
from partnerships.commitments.queries.outcomes import Promises, promises_between, promises_lookup
from partnerships.commitments.queries.people import partners_of, people_concerned_with, possible_owners

__all__ = [
    "TASK_SOURCES",
    "Promises",
    "due_soon",
    "events_of_commitments",
    "evidence_of",
    "matching_words",
    "name_as_at",
    "open_and_finished",
    "partners_of",
    "people_concerned_with",
    "possible_owners",
    "progress_of",
    "promises_between",
    "promises_lookup",
    "slippages_of",
    "sorted_by_due_date",
    "with_people",
    "with_related_rows",
]
