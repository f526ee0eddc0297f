"""Register the events of commitments that followers are notified about."""

from __future__ import annotations

from partnerships.activity.folding import FoldRule
from partnerships.activity.follower_notices import Group, register_follower_notice, register_without_notice
from partnerships.activity.subjects import Audience
from partnerships.commitments.event_kinds import EventKind

_FIELD_AND_CHANGE, _CHANGE = "{field}{change}", "{change}"

#: How each kind of event is announced. The values are the rule by which several events become one line, what the line
#: adds to the label of the event, and whether the event changes dates or amounts.
_NOTICES = {
    EventKind.PROPOSED: (FoldRule.CREATED, "", True),
    EventKind.ACTION_NOTED: (FoldRule.CREATED, "", True),
    EventKind.READ_FROM_REGISTER: (FoldRule.CREATED, "", True),
    EventKind.TERMS_CHANGED: (FoldRule.FIELDS, _FIELD_AND_CHANGE, True),
    EventKind.GIVING_CONFIRMED: (FoldRule.FIELDS, _FIELD_AND_CHANGE, False),
    EventKind.RECEIVING_CONFIRMED: (FoldRule.FIELDS, _FIELD_AND_CHANGE, False),
    EventKind.DUE_DATE_MOVED: (FoldRule.FIELDS, _CHANGE, True),
    EventKind.PROGRESS_REPORTED: (FoldRule.FIELDS, _FIELD_AND_CHANGE, False),
    EventKind.REPORTS_READ_FROM_REGISTER: (FoldRule.FIELDS, _FIELD_AND_CHANGE, False),
    EventKind.DELIVERY_VERIFIED: (FoldRule.FIELDS, "", False),
    EventKind.DELIVERY_SENT_BACK: (FoldRule.FIELDS, "", False),
    EventKind.ACTION_VERIFIED: (FoldRule.FIELDS, "", False),
    EventKind.ACTION_SENT_BACK: (FoldRule.FIELDS, "", False),
    EventKind.MOVED_TO_SUCCESSOR: (FoldRule.FIELDS, _CHANGE, False),
    EventKind.PROPOSAL_WITHDRAWN: (FoldRule.REMOVED, "", False),
    EventKind.PROPOSAL_DECLINED: (FoldRule.REMOVED, "", False),
    EventKind.CANCELLED: (FoldRule.REMOVED, "", True),
    EventKind.SUPERSEDED: (FoldRule.REMOVED, "", True),
    EventKind.WITHDRAWN_IN_REGISTER: (FoldRule.REMOVED, "", True),
}


def register() -> None:
    """Register every kind of event of this room. Called once at start-up."""
    for kind, (fold, addition, touches_dates_or_money) in _NOTICES.items():
        register_follower_notice(
            kind,
            group=Group.COMMITMENTS,
            fold=fold,
            sentence=f"{kind.label}{addition}",
            touches_dates_or_money=touches_dates_or_money,
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
