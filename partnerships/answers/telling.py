"""What followers are told about answers and questions."""

from __future__ import annotations

from partnerships.activity.folding import Fold
from partnerships.activity.subjects import Audience
from partnerships.activity.telling import Group, register_told, register_untold
from partnerships.answers.event_kinds import EventKind

_OF_QUESTIONS = {
    EventKind.QUESTION_PUT: (Fold.CREATED, Audience.OUTSIDE),
    EventKind.QUESTION_CLOSED: (Fold.REMOVED, Audience.OUTSIDE),
    # Only readers inside the plan see the answers of others.
    EventKind.QUESTION_ANSWERED: (Fold.LAST, Audience.INSIDE),
}


def register() -> None:
    """Register what is told, and what is not."""
    for kind, (fold, may_hear) in _OF_QUESTIONS.items():
        register_told(
            kind,
            group=Group.PLANS,
            fold=fold,
            sentence=f"{kind.label}{{names}}",
            may_hear=may_hear,
            asks_until="closes" if kind == EventKind.QUESTION_PUT else "",
        )
    register_untold(
        [kind for kind in EventKind if kind not in _OF_QUESTIONS],
        because="the page of a plan's answers and its history show them",
    )
