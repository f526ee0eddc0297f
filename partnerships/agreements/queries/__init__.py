"""Read partnerships and their posts."""

from partnerships.agreements.queries.partnerships import (
    REVIEW_NOTICE,
    WAITING,
    Turn,
    acting_party,
    events_of_partnerships,
    find_by_words,
    find_partnerships,
    leads_who_decide,
    organisation_section,
    partnerships_of,
    whose_turn,
)
from partnerships.agreements.queries.posts import people_in_post

__all__ = [
    "REVIEW_NOTICE",
    "WAITING",
    "Turn",
    "acting_party",
    "events_of_partnerships",
    "find_by_words",
    "find_partnerships",
    "leads_who_decide",
    "organisation_section",
    "partnerships_of",
    "people_in_post",
    "whose_turn",
]
