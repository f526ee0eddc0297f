"""Register the events of recommendations that followers are notified about."""

from __future__ import annotations

from partnerships.activity.folding import FoldRule
from partnerships.activity.follower_notices import Group, NoticeRule, register_follower_notice, register_without_notice
from partnerships.recommendations.event_kinds import EventKind

#: How each kind of event is announced.
_NOTICES = {
    EventKind.ANSWERED: NoticeRule(FoldRule.FIELDS, slots="{field}{change}"),
    EventKind.EVIDENCE_ADDED: NoticeRule(FoldRule.CREATED),
    EventKind.PROPOSED: NoticeRule(FoldRule.CREATED),
    EventKind.ADOPTED: NoticeRule(FoldRule.LAST),
    EventKind.DROPPED: NoticeRule(FoldRule.LAST),
    EventKind.OUTCOME_LINKED: NoticeRule(FoldRule.EACH),
}


def register() -> None:
    """Register every kind of event of this room. Called once at start-up."""
    for kind, rule in _NOTICES.items():
        sentence = f"{kind.label}{rule.slots}"
        register_follower_notice(kind, group=Group.RECOMMENDATIONS, fold=rule.fold, sentence=sentence)
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
