"""Queries of the exchange that other rooms use."""

from partnerships.exchange.queries.matches import MatchFor, new_matches_for
from partnerships.exchange.queries.work import (
    WAITING,
    entries_between,
    entries_of_partnership,
    events_of_entries,
    questions_to_answer,
    responses_to_decide,
    standing_offers_of,
    unanswered_for,
)

__all__ = [
    "WAITING",
    "MatchFor",
    "entries_between",
    "entries_of_partnership",
    "events_of_entries",
    "new_matches_for",
    "questions_to_answer",
    "responses_to_decide",
    "standing_offers_of",
    "unanswered_for",
]
