"""Register the events of nominations returns that followers are notified about. No notice contains a figure."""

from __future__ import annotations

from partnerships.activity.folding import FoldRule
from partnerships.activity.follower_notices import Group, register_follower_notice, register_without_notice
from partnerships.nominations.event_kinds import EventKind


def register() -> None:
    """Register every kind of event of this room. Called once at start-up."""
    for kind in (EventKind.RETURN_SENT, EventKind.LINES_DECIDED, EventKind.RETURN_AGREED, EventKind.RETURN_REOPENED):
        register_follower_notice(
            kind,
            group=Group.REPORTS,
            fold=FoldRule.LAST,
            sentence=f"{kind.label}{{names}}",
            subject_key="nominations_return",
        )
    register_without_notice(
        [EventKind.RETURN_STARTED, EventKind.LETTINGS_READ, EventKind.RETURN_COMPLETED],
        because="followers get an email when the provider sends the return",
    )
