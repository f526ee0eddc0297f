"""Record the memberships that a succession or a merge of two records ended, began or changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from partnerships.activity.services import record_all
from partnerships.kit import journal
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.models import REASON, Membership, Organisation
from partnerships.organisations.obligations import Change
from partnerships.organisations.services.memberships import MEMBERSHIP, membership_identity
from partnerships.organisations.services.recording import new_membership_event
from partnerships.people.models import User
from partnerships.people.sessions import end_sessions


def record_moved_memberships(changes: Iterable[Change], *, reason: str, author: User | None, now: dt.datetime) -> None:
    """An event of each membership among the changes.

    Who acts for an organisation that requires its own sign-in now is signed out, as when they are added by hand.
    """
    changed, found = _memberships(changes)
    sides: list[int] = [one.before["organisation"] for one in changed if "organisation" in one.before]
    names = dict(Organisation.objects.filter(pk__in=sides).values_list("pk", "name")) if sides else {}
    events = []
    for one in changed:
        kind, data = _said(one, found[one.row], names)
        data[REASON] = reason
        events.append(new_membership_event(found[one.row], kind, author=author, now=now, data=data))
    record_all(events)
    for membership in found.values():
        if membership.ends_on is None and membership.organisation.own_sign_in_required:
            end_sessions(membership.person)


def journal_moved_memberships(changes: Iterable[Change], *, now: dt.datetime) -> None:
    """Lines in the journal of what each membership among the changes is from now on."""
    _, found = _memberships(changes)
    journal.note_all(MEMBERSHIP, [_line(membership) for _, membership in sorted(found.items())], now=now)


def _memberships(changes: Iterable[Change]) -> tuple[list[Change], dict[int, Membership]]:
    changed = [one for one in changes if one.table == Membership._meta.label]
    rows = [one.row for one in changed]
    return changed, Membership.objects.select_related("person", "organisation").in_bulk(rows) if rows else {}


def _said(change: Change, membership: Membership, names: dict[int, str]) -> tuple[EventKind, dict[str, Any]]:
    """What happened to a membership, with what stood before and after."""
    role = membership.role
    if "organisation" in change.before:
        before = {"organisation": names[change.before["organisation"]]}
        return EventKind.MEMBER_ADDED, {
            "before": before,
            "after": {"organisation": membership.organisation.name, "role": role},
        }
    if "role" in change.before:
        return EventKind.ROLE_CHANGED, {"before": change.before, "after": change.after}
    if membership.ends_on is None:
        return EventKind.MEMBER_ADDED, {"after": {"role": role}}
    return EventKind.MEMBERSHIP_ENDED, {"before": {"role": role}}


def _line(membership: Membership) -> dict[str, Any]:
    return {
        "membership": membership.pk,
        "same": membership_identity(membership),
        "role": membership.role,
        "undone": membership.ends_on is None,
    }
