"""Register the changes of an organisation about which its followers are notified."""

from __future__ import annotations

from partnerships.activity.folding import Fold
from partnerships.activity.telling import Group, register_follower_notice, register_without_notice
from partnerships.organisations.event_kinds import EventKind

_TOLD = {
    EventKind.CHANGED: (Fold.FIELDS, "{field}{change}"),
    EventKind.ENDED: (Fold.FIELDS, "{field}{change}"),
    EventKind.SUCCESSION_RECORDED: (Fold.EACH, "{names}"),
    EventKind.SUCCESSION_CORRECTED: (Fold.EACH, "{names}"),
    EventKind.SUCCESSION_STATUS_CHANGED: (Fold.EACH, "{names}"),
    EventKind.PASSED_ON: (Fold.FIELDS, "{change}"),
    EventKind.MERGED: (Fold.EACH, "{names}"),
    EventKind.UNMERGED: (Fold.EACH, "{names}"),
    EventKind.IDENTIFIER_ADDED: (Fold.EACH, "{names}"),
    EventKind.IDENTIFIER_CORRECTED: (Fold.FIELDS, "{field}{change}"),
    EventKind.NAME_ADDED: (Fold.EACH, "{names}"),
    EventKind.NAME_CORRECTED: (Fold.FIELDS, "{field}{change}"),
    EventKind.AREA_CORRECTED: (Fold.FIELDS, "{field}{change}"),
    EventKind.AREA_ADDED: (Fold.EACH, "{names}"),
    EventKind.AREA_ENDED: (Fold.EACH, "{names}"),
}


def register() -> None:
    """Register the sentences for followers, and the reasons why other events have no sentence."""
    for kind, (fold, values_pattern) in _TOLD.items():
        register_follower_notice(kind, group=Group.ORGANISATION, fold=fold, sentence=f"{kind.label}{values_pattern}")
    register_without_notice(
        [EventKind.ADDED], because="nobody can follow an organisation that is not in the directory yet"
    )
    register_without_notice(
        [EventKind.MISSING_FROM_LIST, EventKind.BACK_IN_LIST],
        because="administrators check the list first, and followers hear what they record",
    )
    register_without_notice(
        [kind for kind in EventKind if kind.value.startswith("membership.")],
        because="only colleagues may know, and they see memberships on their organisation's page",
    )
