"""Register the events of questions and answers that followers are notified about."""

from __future__ import annotations

from partnerships.activity.folding import FoldRule
from partnerships.activity.follower_notices import Group, register_follower_notice, register_without_notice
from partnerships.activity.subjects import Audience
from partnerships.answers.event_kinds import EventKind

#: For each event, how several events of one question become one line, and which followers get that line.
_NOTICES = {
    EventKind.QUESTION_PUT: (FoldRule.CREATED, Audience.OUTSIDE),
    EventKind.QUESTION_CLOSED: (FoldRule.REMOVED, Audience.OUTSIDE),
    # Only readers inside the plan see other people's answers.
    EventKind.QUESTION_ANSWERED: (FoldRule.LAST, Audience.INSIDE),
}


def register() -> None:
    """Register every kind of event of this room. Called once at start-up."""
    for kind, (fold, audience) in _NOTICES.items():
        register_follower_notice(
            kind,
            group=Group.PLANS,
            fold=fold,
            sentence=f"{kind.label}{{names}}",
            audience=audience,
            deadline_key="closes" if kind == EventKind.QUESTION_PUT else "",
        )
    register_without_notice(
        [kind for kind in EventKind if kind not in _NOTICES],
        because="the pages of a plan’s answers and of its history show these events",
    )
