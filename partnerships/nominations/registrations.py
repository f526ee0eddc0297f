"""What the nominations room registers at start-up."""

from __future__ import annotations

from partnerships.activity.event_kinds import register_events
from partnerships.agreements.departures import register_terms
from partnerships.agreements.sections import ON_PARTNERSHIPS
from partnerships.nominations import telling
from partnerships.nominations.event_kinds import EventKind
from partnerships.nominations.sections import nominations_section
from partnerships.nominations.services.agreement import follow_parties, follow_terms
from partnerships.organisations.obligations import register_settling


def register() -> None:
    """Register events, what follows terms and parties, and a section of the pages of partnerships."""
    register_events(EventKind)
    telling.register()
    register_terms(follow_terms)
    register_settling("partnerships", follow_parties)
    ON_PARTNERSHIPS.register("03 nominations", nominations_section)
