"""Register the events of organisations that followers are notified about."""

from __future__ import annotations

from partnerships.activity.folding import FoldRule
from partnerships.activity.follower_notices import Group, register_follower_notice, register_without_notice
from partnerships.organisations.event_kinds import EventKind

#: For each kind of event, how several events are folded into one line, and what the line adds to the event's label.
_NOTICES = {
    EventKind.CHANGED: (FoldRule.FIELDS, "{field}{change}"),
    EventKind.ENDED: (FoldRule.FIELDS, "{field}{change}"),
    EventKind.SUCCESSION_RECORDED: (FoldRule.EACH, "{names}"),
    EventKind.SUCCESSION_CORRECTED: (FoldRule.EACH, "{names}"),
    EventKind.SUCCESSION_STATUS_CHANGED: (FoldRule.EACH, "{names}"),
    EventKind.PASSED_ON: (FoldRule.FIELDS, "{change}"),
    EventKind.MERGED: (FoldRule.EACH, "{names}"),
    EventKind.UNMERGED: (FoldRule.EACH, "{names}"),
    EventKind.IDENTIFIER_ADDED: (FoldRule.EACH, "{names}"),
    EventKind.IDENTIFIER_CORRECTED: (FoldRule.FIELDS, "{field}{change}"),
    EventKind.NAME_ADDED: (FoldRule.EACH, "{names}"),
    EventKind.NAME_CORRECTED: (FoldRule.FIELDS, "{field}{change}"),
    EventKind.AREA_CORRECTED: (FoldRule.FIELDS, "{field}{change}"),
    EventKind.AREA_ADDED: (FoldRule.EACH, "{names}"),
    EventKind.AREA_ENDED: (FoldRule.EACH, "{names}"),
}


def register() -> None:
    """Register every kind of event of this room. Called once at start-up."""
    for kind, (fold, addition) in _NOTICES.items():
        register_follower_notice(kind, group=Group.ORGANISATION, fold=fold, sentence=f"{kind.label}{addition}")
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
