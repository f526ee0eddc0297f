"""Register the events of asks, offers and answers that followers are notified about, and why not about others."""

from __future__ import annotations

from partnerships.activity.folding import FoldRule
from partnerships.activity.follower_notices import Group, register_follower_notice, register_without_notice
from partnerships.activity.subjects import Audience
from partnerships.exchange.event_kinds import EventKind

#: How a digest folds the events of each step. The steps are the ends of the events' codes. Steps that are not here
#: change the status, and digests show the change.
_FOLDS = {
    "shared": FoldRule.CREATED,
    "withdrawn": FoldRule.REMOVED,
    "closed_to_answers": FoldRule.LAST,
    "declined": FoldRule.EACH,
    "answered": FoldRule.CREATED,
}
_STEPS = (
    "shared", "changed", "marked_agreed", "withdrawn", "lapsed", "closed_to_answers", "declined", "declined_by_all",
    "acknowledged", "answered", "agreed", "committed", "met", "delivered", "rest_lapsed", "reopened",
)  # fmt: skip
#: Steps of answers and receipts, which not all readers of an ask or offer may see.
_ANSWER_STEPS = ("answered", "declined", "acknowledged")
#: How a digest folds the events of answers that are not also steps of an ask or offer.
_FOLDS_OF_ANSWERS = {
    EventKind.ANSWER_ACCEPTED: FoldRule.LAST,
    EventKind.ANSWER_DECLINED: FoldRule.LAST,
    EventKind.ANSWER_WITHDRAWN: FoldRule.REMOVED,
}


def register() -> None:
    """Register every kind of event of this room. Called once at start-up."""
    for kind in EventKind:
        subject, _, step = kind.value.partition(".")
        if subject in ("ask", "offer") and step in _STEPS:
            _register_step(kind, step)
    for kind, fold in _FOLDS_OF_ANSWERS.items():
        register_follower_notice(kind, group=Group.ASKS_AND_OFFERS, fold=fold)
    _register_kinds_without_notice()


def _register_step(kind: EventKind, step: str) -> None:
    """Register a step of asks and offers, such as "shared" or "met"."""
    is_edit = step == "changed"
    register_follower_notice(
        kind,
        group=Group.ASKS_AND_OFFERS,
        fold=_FOLDS.get(step, FoldRule.FIELDS),
        sentence=f"{kind.label}{{field}}{{change}}" if is_edit else "",
        touches_dates_or_money=is_edit,
        audience=Audience.INSIDE if step in _ANSWER_STEPS else Audience.MARKED,
    )


def _register_kinds_without_notice() -> None:
    """Register the kinds of event that followers are not notified about, with the reasons."""
    register_without_notice(
        [EventKind.ASK_MARKED, EventKind.ASK_UNMARKED, EventKind.OFFER_MARKED, EventKind.OFFER_UNMARKED],
        because="it only decides who is notified of later changes",
    )
    register_without_notice(
        [EventKind.ASK_REMINDED, EventKind.OFFER_REMINDED], because="organisations that have not answered get an email"
    )
    register_without_notice([EventKind.ASK_DRAFTED, EventKind.OFFER_DRAFTED], because="nobody else may read a draft")
    register_without_notice(
        [EventKind.ASK_REFERRED, EventKind.OFFER_REFERRED],
        because="a referral stays within one organisation, and the colleague gets an email",
    )
    register_without_notice(
        [EventKind.ASK_QUESTION_ASKED, EventKind.OFFER_QUESTION_ASKED, EventKind.QUESTION_ANSWERED],
        because="a question is between two organisations, and both get an email",
    )
    register_without_notice(
        [
            EventKind.ASK_FACILITATOR_NAMED,
            EventKind.ASK_FACILITATOR_ENDED,
            EventKind.OFFER_FACILITATOR_NAMED,
            EventKind.OFFER_FACILITATOR_ENDED,
        ],
        because="a facilitator changes nothing in the ask or offer, and the person named gets an email",
    )
    register_without_notice(
        [EventKind.ASK_FULFILMENT_SET, EventKind.OFFER_FULFILMENT_SET, EventKind.INTRODUCTION_SUGGESTED],
        because="followers are notified of what follows from the link or introduction",
    )
