"""Queries of conversations."""

from partnerships.conversations.queries.contacts import contacts_of, gone_quiet
from partnerships.conversations.queries.events import events_of_conversations, events_of_own_side, story_of
from partnerships.conversations.queries.listings import (
    bodies_of,
    kept_by,
    last_held,
    name_as_at,
    only_shared_partnership,
    partnerships_known_to,
    private_notes_of,
    with_story,
    with_words,
)
from partnerships.conversations.queries.my_work import WAITING
from partnerships.conversations.queries.people import (
    Seats,
    attendees_with_access,
    people_of,
    seats_shown,
    sides_to_ask,
    who_may_be_asked,
)
from partnerships.conversations.queries.points import (
    SidePoints,
    let_act,
    points_between,
    points_of_partnership,
    points_of_partnership_lookups,
    points_shown,
    show_entries,
)
from partnerships.conversations.queries.reports import name_submissions_as_at, newest_submissions, report_table

__all__ = [
    "WAITING",
    "Seats",
    "SidePoints",
    "attendees_with_access",
    "bodies_of",
    "contacts_of",
    "events_of_conversations",
    "events_of_own_side",
    "gone_quiet",
    "kept_by",
    "last_held",
    "let_act",
    "name_as_at",
    "name_submissions_as_at",
    "newest_submissions",
    "only_shared_partnership",
    "partnerships_known_to",
    "people_of",
    "points_between",
    "points_of_partnership",
    "points_of_partnership_lookups",
    "points_shown",
    "private_notes_of",
    "report_table",
    "seats_shown",
    "show_entries",
    "sides_to_ask",
    "story_of",
    "who_may_be_asked",
    "with_story",
    "with_words",
]
