"""Register the events of commitments that followers are notified about."""

from __future__ import annotations

from partnerships.activity.folding import FoldRule
from partnerships.activity.follower_notices import Group, NoticeRule, register_follower_notice, register_without_notice
from partnerships.activity.subjects import Audience
from partnerships.commitments.event_kinds import EventKind

#: How each kind of event is announced.
_NOTICES = {
    EventKind.PROPOSED: NoticeRule(FoldRule.CREATED, touches_dates_or_money=True),
    EventKind.ACTION_NOTED: NoticeRule(FoldRule.CREATED, touches_dates_or_money=True),
    EventKind.READ_FROM_REGISTER: NoticeRule(FoldRule.CREATED, touches_dates_or_money=True),
    EventKind.TERMS_CHANGED: NoticeRule(FoldRule.FIELDS, slots="{field}{change}", touches_dates_or_money=True),
    EventKind.GIVING_CONFIRMED: NoticeRule(FoldRule.FIELDS, slots="{field}{change}"),
    EventKind.RECEIVING_CONFIRMED: NoticeRule(FoldRule.FIELDS, slots="{field}{change}"),
    EventKind.DUE_DATE_MOVED: NoticeRule(FoldRule.FIELDS, slots="{change}", touches_dates_or_money=True),
    EventKind.PROGRESS_REPORTED: NoticeRule(FoldRule.FIELDS, slots="{field}{change}"),
    EventKind.REPORTS_READ_FROM_REGISTER: NoticeRule(FoldRule.FIELDS, slots="{field}{change}"),
    EventKind.DELIVERY_VERIFIED: NoticeRule(FoldRule.FIELDS),
    EventKind.DELIVERY_SENT_BACK: NoticeRule(FoldRule.FIELDS),
    EventKind.ACTION_VERIFIED: NoticeRule(FoldRule.FIELDS),
    EventKind.ACTION_SENT_BACK: NoticeRule(FoldRule.FIELDS),
    EventKind.MOVED_TO_SUCCESSOR: NoticeRule(FoldRule.FIELDS, slots="{change}"),
    EventKind.PROPOSAL_WITHDRAWN: NoticeRule(FoldRule.REMOVED),
    EventKind.PROPOSAL_DECLINED: NoticeRule(FoldRule.REMOVED),
    EventKind.CANCELLED: NoticeRule(FoldRule.REMOVED, touches_dates_or_money=True),
    EventKind.SUPERSEDED: NoticeRule(FoldRule.REMOVED, touches_dates_or_money=True),
    EventKind.WITHDRAWN_IN_REGISTER: NoticeRule(FoldRule.REMOVED, touches_dates_or_money=True),
}


def register() -> None:
    """Register every kind of event of this room. Called once at start-up."""
    for kind, rule in _NOTICES.items():
        register_follower_notice(
            kind,
            group=Group.COMMITMENTS,
            fold=rule.fold,
            sentence=f"{kind.label}{rule.slots}",
            touches_dates_or_money=rule.touches_dates_or_money,
            audience=Audience.MARKED,
        )
    register_without_notice(
        [EventKind.ESCALATED, EventKind.OWNER_CHANGED, EventKind.REMINDERS_CHOSEN],
        because="it concerns only the organisation that made the promise",
    )
    register_without_notice([EventKind.OWNER_REMINDED], because="the owner gets a separate email about this")
    register_without_notice(
        [EventKind.MARKED, EventKind.UNMARKED], because="it only decides who is notified of later changes"
    )
    register_without_notice(
        [EventKind.EVIDENCE_ATTACHED, EventKind.EVIDENCE_REMOVED],
        because="evidence is read with the progress that it proves",
    )
