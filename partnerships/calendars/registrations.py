"""Register calendars with lower rooms."""

from __future__ import annotations

from partnerships.activity.event_kinds import register_events
from partnerships.activity.follower_notices import register_without_notice
from partnerships.agreements.sections import ON_PARTNERSHIPS
from partnerships.calendars import restoring
from partnerships.calendars.event_kinds import EventKind
from partnerships.calendars.personal import RULES, end_addresses
from partnerships.calendars.sections import calendar_section
from partnerships.people.leaving import register_leaving
from partnerships.people.personal import register_personal


def register() -> None:
    """Register events, rules about personal data, the section of partnerships' pages, and what ends addresses."""
    register_events(EventKind)
    register_without_notice(EventKind, because="it concerns one person's account")
    register_personal(RULES)
    register_leaving("calendar addresses ended", end_addresses, consequence="turn off their calendar addresses")
    ON_PARTNERSHIPS.register("calendar", calendar_section, order=80)
    restoring.register()
