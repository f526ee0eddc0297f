"""Register the spreadsheets room with other rooms at start-up."""

from __future__ import annotations

from partnerships.activity.event_kinds import register_events
from partnerships.activity.follower_notices import register_without_notice
from partnerships.organisations.obligations import register_following_columns
from partnerships.people.personal import register_personal
from partnerships.spreadsheets.event_kinds import EventKind
from partnerships.spreadsheets.personal import RULES
from partnerships.spreadsheets.services import retention


def register() -> None:
    """Register kinds of event, the rules for personal data, and its retention."""
    register_events(EventKind)
    register_following_columns("spreadsheets.Upload.organisation", "spreadsheets.OwnHeading.organisation")
    register_without_notice(
        EventKind, because="only its author sees a file, and followers hear about the records that it changed"
    )
    register_personal(RULES)
    retention.register()
