"""Register the obligations of this room, which are an organisation's people and the members of its group."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from partnerships.organisations.models import Membership, Organisation, Role, Status
from partnerships.organisations.obligations import (
    Change,
    Column,
    HeldRecord,
    Obligation,
    RecordMove,
    register_following_columns,
    register_obligation,
    register_staying_columns,
)

#: Roles from the strongest to the weakest.
_ROLES = (Role.LEAD, Role.EDITOR, Role.VIEWER)


def _end_values(move: RecordMove) -> dict[str, Any]:
    """Return the values that end a membership."""
    return {"ends_on": timezone.localdate(move.now)}


def _stronger_role(ending: Membership, remaining: Membership) -> dict[str, Any]:
    """Return the stronger role of two memberships, as the new value of the membership that remains."""
    return {"role": min(Role(ending.role), Role(remaining.role), key=_ROLES.index).value}


def _move_people(memberships: Sequence[Membership], move: RecordMove) -> list[Change]:
    """End the memberships, and start new memberships in the same roles for the other organisation on the same day.

    A planned last day does not change. People who act for both organisations get the stronger of their roles.
    """
    day = timezone.localdate(move.now)
    changes = _end_memberships(memberships, day)

    target_memberships = Membership.objects.filter(Q(ends_on=None) | Q(ends_on__gt=day), organisation=move.target)
    target_membership_by_person = {membership.person_id: membership for membership in target_memberships}
    memberships_to_start = []
    for membership in memberships:
        remaining = target_membership_by_person.get(membership.person_id)
        if remaining is None:
            memberships_to_start.append(membership)
        elif role_change := _raise_role(membership, remaining):
            changes.append(role_change)
    return changes + _start_memberships(memberships_to_start, move, day)


def _end_memberships(memberships: Sequence[Membership], day: dt.date) -> list[Change]:
    """End the memberships on a day, or on their first day if they start later, and return the changes."""
    memberships_to_end = Membership.objects.filter(pk__in=[membership.pk for membership in memberships])
    memberships_to_end.update(ends_on=Greatest("starts_on", Value(day)))
    return [
        Change(
            Membership._meta.label,
            membership.pk,
            {"ends_on": _iso_day(membership.ends_on)},
            {"ends_on": max(day, membership.starts_on).isoformat()},
        )
        for membership in memberships
    ]


def _start_memberships(memberships: Sequence[Membership], move: RecordMove, day: dt.date) -> list[Change]:
    """Start memberships of the other organisation in the same roles, and return the changes."""
    new_memberships = Membership.objects.bulk_create(
        Membership(
            person=membership.person,
            organisation=move.target,
            role=membership.role,
            job_title=membership.job_title,
            starts_on=max(day, membership.starts_on),
            ends_on=membership.ends_on,
            accepted_at=membership.accepted_at,
            created_by=move.author,
        )
        for membership in memberships
    )
    # To undo the move, the new memberships are ended on their first day.
    return [
        Change(
            Membership._meta.label,
            membership.pk,
            {"ends_on": membership.starts_on.isoformat()},
            {"ends_on": _iso_day(membership.ends_on)},
        )
        for membership in new_memberships
    ]


def _iso_day(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()


def _raise_role(ending: Membership, remaining: Membership) -> Change | None:
    """Give the membership that remains the stronger of both roles; return the change, or None if nothing changes."""
    role = _stronger_role(ending, remaining)["role"]
    if role == remaining.role:
        return None
    Membership.objects.filter(pk=remaining.pk).update(role=role)
    return Change(Membership._meta.label, remaining.pk, {"role": remaining.role}, {"role": role})


def _people(organisation: Organisation, day: dt.date) -> QuerySet[Membership]:
    """Return the memberships that have not ended on a day, without unanswered invitations."""
    open_memberships = Membership.objects.filter(Q(ends_on=None) | Q(ends_on__gt=day), organisation=organisation)
    return open_memberships.filter(accepted_at__isnull=False).select_related("person")


def _group(organisation: Organisation, day: dt.date) -> QuerySet[Organisation]:
    """Return the members of the organisation's group that still exist."""
    return organisation.group_members.exclude(status=Status.DISSOLVED)


PEOPLE = Obligation(
    "people",
    "People",
    (
        Column(
            "organisations.Membership.organisation",
            only=Q(ends_on=None),
            end_values=_end_values,
            merge_values=_stronger_role,
        ),
    ),
    _people,
    lambda membership, _: HeldRecord(
        membership.pk,
        membership.person.display_name,
        what=membership.get_role_display(),
        generic_title=f"{membership.get_role_display()} {membership.pk}",
    ),
    move=_move_people,
)
GROUP = Obligation(
    "group",
    "Members of its group",
    (Column("organisations.Organisation.parent", cannot_move_to=lambda target: Q(pk=target)),),
    _group,
    lambda member, _: HeldRecord(
        member.pk,
        member.name,
        member.get_absolute_url(),
        what=member.get_kind_display(),
        generic_title=member.name,
    ),
    target="organisation",
)


def register() -> None:
    """Register both obligations, and the columns that move only in a merge or never."""
    register_obligation(PEOPLE)
    register_obligation(GROUP)
    register_following_columns(
        "organisations.OrganisationName.organisation",
        "organisations.Identifier.organisation",
        "organisations.AreaServed.organisation",
        "organisations.AccessRequest.organisation",
        "organisations.SuccessionTie.predecessor",
        "organisations.SuccessionTie.successor",
        "organisations.Handover.predecessor",
        "organisations.Handover.successor",
        "organisations.Handover_others.organisation",
        "organisations.AcceptedPart.organisation",
    )
    register_staying_columns(
        "the two records of a merge",
        "organisations.Merge.kept",
        "organisations.Merge.merged",
        "organisations.NotSame.one",
        "organisations.NotSame.other",
    )
