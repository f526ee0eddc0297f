"""Register the events of questions and answers that followers are notified about."""

from __future__ import annotations

from partnerships.activity.folding import FoldRule
from partnerships.activity.follower_notices import Group, NoticeRule, register_follower_notice, register_without_notice
from partnerships.activity.subjects import Audience
from partnerships.answers.event_kinds import EventKind

#: How each kind of event is announced.
_NOTICES = {
    EventKind.QUESTION_PUT: NoticeRule(FoldRule.CREATED, slots="{names}", audience=Audience.OUTSIDE),
    EventKind.QUESTION_CLOSED: NoticeRule(FoldRule.REMOVED, slots="{names}", audience=Audience.OUTSIDE),
    # Only readers inside the plan see other people's answers.
    EventKind.QUESTION_ANSWERED: NoticeRule(FoldRule.LAST, slots="{names}", audience=Audience.INSIDE),
}


def register() -> None:
    """Register every kind of event of this room. Called once at start-up."""
    for kind, rule in _NOTICES.items():
        register_follower_notice(
            kind,
            group=Group.PLANS,
            fold=rule.fold,
            sentence=f"{kind.label}{rule.slots}",
            audience=rule.audience,
            deadline_key="closes" if kind == EventKind.QUESTION_PUT else "",
        )
    register_without_notice(
        [kind for kind in EventKind if kind not in _NOTICES],
        because="the pages of a plan’s answers and of its history show these events",
    )
