"""Register the events of surveys that followers are notified about. No notice says who answered, or how many did."""

from __future__ import annotations

from partnerships.activity.folding import FoldRule
from partnerships.activity.follower_notices import Group, register_follower_notice, register_without_notice
from partnerships.surveys.event_kinds import EventKind


def register() -> None:
    """Register every kind of event of this room. Called once at start-up."""
    for kind in (
        EventKind.ROUND_OPENED,
        EventKind.ROUND_CLOSED,
        EventKind.ROUND_ABANDONED,
        EventKind.COMMENTS_PUBLISHED,
        EventKind.ACTION_LINKED,
    ):
        register_follower_notice(
            kind, group=Group.REPORTS, fold=FoldRule.LAST, sentence=f"{kind.label}{{names}}", subject_key="survey_round"
        )
    register_without_notice(
        [EventKind.ROUND_DRAFTED, EventKind.DRAFT_DROPPED], because="followers hear about a survey when it opens"
    )
    register_without_notice([EventKind.ACTION_UNLINKED], because="removing the link corrects a mistake")
