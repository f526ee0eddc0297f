"""Register the events of questions and answers that followers are notified about."""

from __future__ import annotations

from partnerships.activity.folding import FoldRule
from partnerships.activity.follower_notices import Group, register_follower_notice, register_without_notice
from partnerships.activity.subjects import Audience
from partnerships.answers.event_kinds import EventKind

#: For each event, how several events of one question become one line, and which followers get that line.
_TOLD_EVENTS = {
    EventKind.QUESTION_PUT: (FoldRule.CREATED, Audience.OUTSIDE),
    EventKind.QUESTION_CLOSED: (FoldRule.REMOVED, Audience.OUTSIDE),
    # Only readers inside the plan see other people's answers.
    EventKind.QUESTION_ANSWERED: (FoldRule.LAST, Audience.INSIDE),
}


def register() -> None:
    """Register the events that digests report to followers, and why they leave out the other events."""
    for kind, (fold, audience) in _TOLD_EVENTS.items():
        register_follower_notice(
            kind,
            group=Group.PLANS,
            fold=fold,
            sentence=f"{kind.label}{{names}}",
            may_hear=audience,
            asks_until="closes" if kind == EventKind.QUESTION_PUT else "",
        )
    register_without_notice(
        [kind for kind in EventKind if kind not in _TOLD_EVENTS],
        because="the pages of a plan’s answers and of its history show these events",
    )
