"""Register the events of recommendations that followers are notified about."""

from __future__ import annotations

from partnerships.activity.folding import FoldRule
from partnerships.activity.follower_notices import Group, register_follower_notice, register_without_notice
from partnerships.recommendations.event_kinds import EventKind

#: How several events of a kind are folded into one line, and what the line adds to the label of the event.
_NOTICES = {
    EventKind.ANSWERED: (FoldRule.FIELDS, "{field}{change}"),
    EventKind.EVIDENCE_ADDED: (FoldRule.CREATED, ""),
    EventKind.PROPOSED: (FoldRule.CREATED, ""),
    EventKind.ADOPTED: (FoldRule.LAST, ""),
    EventKind.DROPPED: (FoldRule.LAST, ""),
    EventKind.OUTCOME_LINKED: (FoldRule.EACH, ""),
}


def register() -> None:
    """Register every kind of event of this room. Called once at start-up."""
    for kind, (fold, addition) in _NOTICES.items():
        register_follower_notice(kind, group=Group.RECOMMENDATIONS, fold=fold, sentence=f"{kind.label}{addition}")
    register_without_notice([EventKind.RECORDED], because="nobody can follow a recommendation before it is recorded")
    register_without_notice(
        [EventKind.CORRECTED, EventKind.SOURCE_CORRECTED],
        because="a correction of the wording does not change what anyone is doing",
    )
    register_without_notice(
        [EventKind.PLANNED], because="the owner, review date and note concern only the organisation’s own people"
    )
    register_without_notice(
        [EventKind.EVIDENCE_REMOVED, EventKind.OUTCOME_UNLINKED], because="nobody sees the link once it is removed"
    )
