"""Read partnerships and their posts."""

from partnerships.agreements.queries.dates import leads_who_decide
from partnerships.agreements.queries.partnerships import (
    REVIEW_NOTICE,
    STEPS,
    acting_party,
    events_of_partnerships,
    find_former_partnerships,
    find_partnerships,
    ids_readable_in_full,
    leads_a_party,
    organisation_lookups,
    organisation_section,
    partnerships_of,
)
from partnerships.agreements.queries.posts import (
    POSTS_TO_FILL,
    Team,
    contacts_section,
    people_in_post,
    teams_of,
)
from partnerships.agreements.queries.turns import Turn, whose_turn

#: The tasks of this room in My work.
TASK_SOURCES = (*STEPS, POSTS_TO_FILL)

__all__ = [
    "REVIEW_NOTICE",
    "TASK_SOURCES",
    "Team",
    "Turn",
    "acting_party",
    "contacts_section",
    "events_of_partnerships",
    "find_former_partnerships",
    "find_partnerships",
    "ids_readable_in_full",
    "leads_a_party",
    "leads_who_decide",
    "organisation_lookups",
    "organisation_section",
    "partnerships_of",
    "people_in_post",
    "teams_of",
    "whose_turn",
]
