"""Register this room's events, rules and pages with other rooms."""

from __future__ import annotations

from partnerships.activity.event_kinds import register_events
from partnerships.activity.follower_notices import register_without_notice
from partnerships.organisations.obligations import register_following_columns
from partnerships.organisations.sections import ON_ORGANISATIONS
from partnerships.people.personal import register_personal
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.personal import RULES
from partnerships.transfer.sections import imports_section
from partnerships.transfer.services import retention


def register() -> None:
    """Register kinds of event, rules about personal data and retention, and a section of organisations' pages."""
    register_events(EventKind)
    register_following_columns(
        "transfer.ImportRun.organisation", "transfer.Doubt.organisation", "transfer.Doubt_candidates.organisation"
    )
    register_without_notice(
        EventKind,
        because="the import is not a record that people follow, and followers hear about the records that it changed",
    )
    register_personal(RULES)
    retention.register()
    ON_ORGANISATIONS.register("imports", imports_section, order=46)
