"""Queries of conversations."""

from partnerships.conversations.queries.contacts import contacts_of, find_quiet_partnerships
from partnerships.conversations.queries.events import events_of_conversations, events_of_own_side, story_of
from partnerships.conversations.queries.listings import (
    conversations_held_between,
    conversations_kept_by,
    last_conversation_between,
    last_conversation_lookup,
    matching_words,
    name_as_at,
    only_shared_partnership,
    organisations_shown,
    partnership_titles_of,
    private_notes_of,
    with_record,
    with_related_rows,
)
from partnerships.conversations.queries.my_work import TASK_SOURCES
from partnerships.conversations.queries.people import (
    SideAttendees,
    attendees_with_access,
    find_addressees,
    ids_still_to_agree,
    people_to_name,
    side_attendees,
)
from partnerships.conversations.queries.points import (
    SidePoints,
    points_between,
    points_between_lookup,
    points_by_side,
    points_of_partnership,
    points_of_partnership_lookups,
    set_point_actions,
    set_point_entries,
)
from partnerships.conversations.queries.reports import name_submissions_as_at, newest_submissions, report_table

__all__ = [
    "TASK_SOURCES",
    "SideAttendees",
    "SidePoints",
    "attendees_with_access",
    "contacts_of",
    "conversations_held_between",
    "conversations_kept_by",
    "events_of_conversations",
    "events_of_own_side",
    "find_addressees",
    "find_quiet_partnerships",
    "ids_still_to_agree",
    "last_conversation_between",
    "last_conversation_lookup",
    "matching_words",
    "name_as_at",
    "name_submissions_as_at",
    "newest_submissions",
    "only_shared_partnership",
    "organisations_shown",
    "partnership_titles_of",
    "people_to_name",
    "points_between",
    "points_between_lookup",
    "points_by_side",
    "points_of_partnership",
    "points_of_partnership_lookups",
    "private_notes_of",
    "report_table",
    "set_point_actions",
    "set_point_entries",
    "side_attendees",
    "story_of",
    "with_record",
    "with_related_rows",
]
