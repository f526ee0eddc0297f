"""Record the memberships that a succession or a merge of two records ended, began or changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.utils import timezone

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
    """An event for each membership among the changes, except those that had long been over.

    Who acts for an organisation that requires its own sign-in now is signed out, as when they are added by hand.
    """
    changed, memberships = _memberships(changes)
    today = timezone.localdate(now)
    sides: list[int] = [
        membership.before["organisation"] for membership in changed if "organisation" in membership.before
    ]
    names = dict(Organisation.objects.filter(pk__in=sides).values_list("pk", "name")) if sides else {}
    events = []
    for one in changed:
        membership = memberships[one.row]
        if "organisation" in one.before and not _goes_on(membership, today):
            continue
        kind, data = _said(one, membership, names, today)
        data[REASON] = reason
        events.append(new_membership_event(membership, kind, author=author, now=now, data=data))
    record_all(events)
    for membership in memberships.values():
        if _goes_on(membership, today) and not membership.is_pending and membership.organisation.own_sign_in_required:
            end_sessions(membership.person)


def journal_moved_memberships(changes: Iterable[Change], *, now: dt.datetime) -> None:
    """Lines in the journal of what each membership among the changes is from now on."""
    _, memberships = _memberships(changes)
    today = timezone.localdate(now)
    journal.note_all(MEMBERSHIP, [_line(membership, today) for _, membership in sorted(memberships.items())], now=now)


def _memberships(changes: Iterable[Change]) -> tuple[list[Change], dict[int, Membership]]:
    changed = [record for record in changes if record.table == Membership._meta.label]
    rows = [record.row for record in changed]
    return changed, Membership.objects.select_related("person", "organisation").in_bulk(rows) if rows else {}


def _goes_on(membership: Membership, today: dt.date) -> bool:
    """Whether it is not over; its last day may be set."""
    return membership.ends_on is None or membership.ends_on > today


def _said(
    change: Change, membership: Membership, names: dict[int, str], today: dt.date
) -> tuple[EventKind, dict[str, Any]]:
    """What happened to a membership, with what stood before and after."""
    role = membership.role
    if "organisation" in change.before:
        before = {"organisation": names[change.before["organisation"]]}
        return EventKind.MEMBER_INVITED if membership.is_pending else EventKind.MEMBER_ADDED, {
            "before": before,
            "after": {"organisation": membership.organisation.name, "role": role},
        }
    if "role" in change.before:
        return EventKind.ROLE_CHANGED, {"before": change.before, "after": change.after}
    if _goes_on(membership, today):
        return EventKind.MEMBER_ADDED, {"after": {"role": role}}
    return EventKind.MEMBERSHIP_ENDED, {"before": {"role": role}}


def _line(membership: Membership, today: dt.date) -> dict[str, Any]:
    return {
        "membership": membership.pk,
        "same": membership_identity(membership),
        "role": membership.role,
        "undone": _goes_on(membership, today),
    }
