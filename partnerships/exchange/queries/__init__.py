"""Queries of the exchange that other rooms use."""

from partnerships.exchange.queries.listings import entries_between, events_of_entries, standing_offers_of
from partnerships.exchange.queries.matches import MatchForSide, new_matches_for, new_matches_lookups
from partnerships.exchange.queries.my_work import TASK_SOURCES, responses_to_decide, unanswered_for

__all__ = [
    "TASK_SOURCES",
    "MatchForSide",
    "entries_between",
    "events_of_entries",
    "new_matches_for",
    "new_matches_lookups",
    "responses_to_decide",
    "standing_offers_of",
    "unanswered_for",
]
