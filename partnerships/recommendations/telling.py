"""Register which events of recommendations digests tell followers about."""

from __future__ import annotations

from partnerships.activity.folding import Fold
from partnerships.activity.telling import Group, register_told, register_untold
from partnerships.recommendations.event_kinds import EventKind

#: Kinds of event that followers are told about: how they fold, and what the sentence adds to the label.
_TOLD = {
    EventKind.ANSWERED: (Fold.FIELDS, "{field}{change}"),
    EventKind.EVIDENCE_ADDED: (Fold.CREATED, ""),
    EventKind.PROPOSED: (Fold.CREATED, ""),
    EventKind.ADOPTED: (Fold.LAST, ""),
    EventKind.DROPPED: (Fold.LAST, ""),
    EventKind.OUTCOME_LINKED: (Fold.EACH, ""),
}


def register() -> None:
    """Register which events followers are told about, and why they are not told about others."""
    for kind, (fold, addition) in _TOLD.items():
        register_told(kind, group=Group.RECOMMENDATIONS, fold=fold, sentence=f"{kind.label}{addition}")
    register_untold([EventKind.RECORDED], because="nobody follows a recommendation before it is recorded")
    register_untold(
        [EventKind.CORRECTED, EventKind.SOURCE_CORRECTED],
        because="a correction of the words does not move a recommendation on",
    )
    register_untold(
        [EventKind.PLANNED], because="owner, review date and note concern only the organisation’s own people"
    )
    register_untold(
        [EventKind.EVIDENCE_REMOVED, EventKind.OUTCOME_UNLINKED], because="the removed link is no longer shown"
    )
