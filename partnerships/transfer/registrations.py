"""What the transfer room registers at start-up."""

from __future__ import annotations

from partnerships.activity.event_kinds import register_events
from partnerships.people.personal import register_personal
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.personal import RULES


def register() -> None:
    """Register kinds of event and the rules about personal data."""
    register_events(EventKind)
    register_personal(RULES)
