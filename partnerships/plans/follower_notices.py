"""Register which events of plans followers are notified about, and how several events become one line.

Changes of the content of a plan are in the digest of each version.
"""

from __future__ import annotations

from partnerships.activity.folding import FoldRule
from partnerships.activity.follower_notices import Group, register_follower_notice, register_without_notice
from partnerships.plans.event_kinds import EventKind


def register() -> None:
    """Register every kind of event of this room. Called once at start-up."""
    # Versions have a line each. Several changes of a status, audience or deadline become one line, from the first value
    # to the last.
    for kind in (EventKind.VERSION_PUBLISHED, EventKind.EMBARGO_LIFTED):
        register_follower_notice(kind, group=Group.PLANS, fold=FoldRule.EACH, is_in_plan_digests=True)
    for kind in (EventKind.STATUS_CHANGED, EventKind.AUDIENCE_CHANGED):
        register_follower_notice(kind, group=Group.PLANS, fold=FoldRule.FIELDS, sentence=f"{kind.label}{{change}}")
    register_follower_notice(
        EventKind.DUE_DAY_CHANGED,
        group=Group.PLANS,
        fold=FoldRule.FIELDS,
        sentence="Changed the deadline for a decision{change}",
        touches_dates_or_money=True,
    )

    # Sign-off
    for kind in (EventKind.SIGN_OFF_ASKED, EventKind.AGREED):
        register_follower_notice(kind, group=Group.PLANS, fold=FoldRule.FIELDS)
    for kind in (
        EventKind.VERSION_APPROVED,
        EventKind.VERSION_APPROVED_WITH_CONDITION,
        EventKind.VERSION_REJECTED,
        EventKind.CONDITION_MET,
    ):
        register_follower_notice(kind, group=Group.PLANS, fold=FoldRule.EACH)

    # Owners and partnership
    for kind, fold in ((EventKind.OWNERSHIP_STARTED, FoldRule.CREATED), (EventKind.OWNERSHIP_ENDED, FoldRule.REMOVED)):
        register_follower_notice(
            kind, group=Group.PLANS, fold=fold, sentence=f"{kind.label}{{names}}", subject_key="owner"
        )
    register_follower_notice(EventKind.LEFT_PARTNERSHIP, group=Group.PLANS, fold=FoldRule.LAST)
    register_follower_notice(
        EventKind.PARTNERSHIP_LOST_PLAN,
        group=Group.PLANS,
        fold=FoldRule.EACH,
        sentence="A plan left the partnership because its only owner left{names}",
    )

    _register_kinds_without_notice()


def _register_kinds_without_notice() -> None:
    """Register the kinds of event that followers are not notified about, with the reasons."""
    register_without_notice(
        [
            EventKind.STARTED,
            EventKind.DRAFT_EDITED,
            EventKind.DRAFT_DISCARDED,
            EventKind.DRAFT_SHOWN,
            EventKind.SHOWING_CHANGED,
            EventKind.SHOWING_ENDED,
            EventKind.DRAFT_ASKED_FOR,
            EventKind.DRAFT_REQUEST_ANSWERED,
        ],
        because="drafts are confidential, and people who may read one get an email",
    )
    register_without_notice(
        [EventKind.COMMENTED, EventKind.COMMENT_ANSWERED, EventKind.COMMENT_RESOLVED, EventKind.COMMENT_REOPENED],
        because="digests list comments that mention a person, and all comments are on the plan’s page",
    )
    register_without_notice(
        [
            EventKind.SIGN_OFF_ASKED_AGAIN,
            EventKind.SIGN_OFF_NOT_ASKED,
            EventKind.SIGN_OFF_ESCALATED,
            EventKind.OWNERSHIP_TRANSFER_OFFERED,
            EventKind.OWNERSHIP_SHARE_OFFERED,
            EventKind.OWNERSHIP_OFFER_WITHDRAWN,
            EventKind.OWNERSHIP_DECLINED,
        ],
        because="people who must act get an email, and digests report the outcome",
    )
    register_without_notice(
        [EventKind.BASELINE_PINNED, EventKind.BASELINE_UNPINNED],
        because="a baseline changes what pages compare, not the plan",
    )
