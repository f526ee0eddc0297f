"""Record the memberships that a succession or a merge has moved, started or ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils import timezone

from partnerships.activity.services import record_all
from partnerships.kit import journal
from partnerships.organisations.event_kinds import EventKind
from partnerships.organisations.models import REASON_KEY, Membership, Organisation
from partnerships.organisations.obligations import Change
from partnerships.organisations.services.memberships import MEMBERSHIP, membership_identity
from partnerships.organisations.services.recording import new_membership_event
from partnerships.people.models import User
from partnerships.people.sessions import end_sessions


def record_moved_memberships(changes: Iterable[Change], *, reason: str, author: User | None, now: dt.datetime) -> None:
    """Record an event for each changed membership, except memberships that moved after they had ended.

    People are signed out if their new organisation requires its own sign-in.
    """
    membership_changes = _membership_changes(changes)
    membership_by_id = _membership_by_id(membership_changes)
    former_names = _former_names(membership_changes)
    today = timezone.localdate(now)

    events = []
    for change in membership_changes:
        membership = membership_by_id[change.row]
        if "organisation" in change.before and _has_ended(membership, today):
            continue
        kind, data = _event_of(change, membership, former_names, today)
        data[REASON_KEY] = reason
        events.append(new_membership_event(membership, kind, author=author, now=now, data=data))
    record_all(events)

    for membership in membership_by_id.values():
        is_in_force = not _has_ended(membership, today) and not membership.is_pending
        if is_in_force and membership.organisation.own_sign_in_required:
            end_sessions(membership.person)


def _former_names(membership_changes: Iterable[Change]) -> dict[int, str]:
    """Return the names of the organisations that memberships have left, by id."""
    former_ids = {change.before["organisation"] for change in membership_changes if "organisation" in change.before}
    return dict(Organisation.objects.filter(pk__in=former_ids).values_list("pk", "name"))


def journal_moved_memberships(changes: Iterable[Change], *, now: dt.datetime) -> None:
    """Write to the journal, for each changed membership, whether it is in force from now on."""
    today = timezone.localdate(now)
    facts = [
        {
            "membership": membership.pk,
            "same": membership_identity(membership),
            "role": membership.role,
            "undone": not _has_ended(membership, today),
        }
        for _, membership in sorted(_membership_by_id(_membership_changes(changes)).items())
    ]
    journal.note_all(MEMBERSHIP, facts, now=now)


def _membership_changes(changes: Iterable[Change]) -> list[Change]:
    """Return those of the changes that changed a membership."""
    return [change for change in changes if change.table == Membership._meta.label]


def _membership_by_id(membership_changes: Sequence[Change]) -> dict[int, Membership]:
    """Return the changed memberships that still exist, with their people and organisations."""
    if not membership_changes:
        return {}
    memberships = Membership.objects.select_related("person", "organisation")
    return memberships.in_bulk([change.row for change in membership_changes])


def _has_ended(membership: Membership, today: dt.date) -> bool:
    return membership.ends_on is not None and membership.ends_on <= today


def _event_of(
    change: Change, membership: Membership, former_names: dict[int, str], today: dt.date
) -> tuple[EventKind, dict[str, Any]]:
    """Return the kind and data of the event for a changed membership.

    `former_names` are the names of the earlier organisations, by id.
    """
    if "organisation" in change.before:
        kind = EventKind.MEMBER_INVITED if membership.is_pending else EventKind.MEMBER_ADDED
        return kind, {
            "before": {"organisation": former_names[change.before["organisation"]]},
            "after": {"organisation": membership.organisation.name, "role": membership.role},
        }
    if "role" in change.before:
        return EventKind.ROLE_CHANGED, {"before": change.before, "after": change.after}
    if _has_ended(membership, today):
        return EventKind.MEMBERSHIP_ENDED, {"before": {"role": membership.role}}
    return EventKind.MEMBER_ADDED, {"after": {"role": membership.role}}
