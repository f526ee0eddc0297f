"""What happens to the people of an organisation, and to the members of its group, when another succeeds it.

Memberships end and start again in the successor. Members of the group become members of the successor's group.
"""

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
    """Return the new values of a membership if the person already acts for the other organisation. It ends."""
    return {"ends_on": timezone.localdate(move.now)}


def _stronger_role(ending_membership: Membership, kept_membership: Membership) -> dict[str, Any]:
    """Return the new values of the other organisation's membership. It gets the stronger of both roles."""
    return {"role": min(Role(ending_membership.role), Role(kept_membership.role), key=_ROLES.index).value}


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
        kept_membership = target_membership_by_person.get(membership.person_id)
        if kept_membership is None:
            memberships_to_start.append(membership)
        elif role_change := _raise_role(membership, kept_membership):
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


def _raise_role(ending_membership: Membership, kept_membership: Membership) -> Change | None:
    """Give the other organisation's membership the stronger of both roles.

    Returns the change, or None if it has the stronger role already.
    """
    role = _stronger_role(ending_membership, kept_membership)["role"]
    if role == kept_membership.role:
        return None
    Membership.objects.filter(pk=kept_membership.pk).update(role=role)
    return Change(Membership._meta.label, kept_membership.pk, {"role": kept_membership.role}, {"role": role})


def _people(organisation: Organisation, day: dt.date) -> QuerySet[Membership]:
    """Return the memberships that have not ended on a day, without unanswered invitations."""
    open_memberships = Membership.objects.filter(Q(ends_on=None) | Q(ends_on__gt=day), organisation=organisation)
    return open_memberships.filter(accepted_at__isnull=False).select_related("person")


def _group_members(organisation: Organisation, _day: dt.date) -> QuerySet[Organisation]:
    """Return the members of the organisation's group that still exist."""
    return organisation.group_members.exclude(status=Status.DISSOLVED)


PEOPLE = Obligation(
    code="people",
    label="People",
    columns=(
        Column(
            "organisations.Membership.organisation",
            only=Q(ends_on=None),
            end_values=_end_values,
            merge_values=_stronger_role,
        ),
    ),
    records=_people,
    describe=lambda membership, _organisation: HeldRecord(
        pk=membership.pk,
        title=membership.person.display_name,
        what=membership.get_role_display(),
        generic_title=f"{membership.get_role_display()} {membership.pk}",
    ),
    move=_move_people,
)
GROUP = Obligation(
    code="group",
    label="Members of its group",
    # A successor that is a member of the group cannot become its own parent.
    columns=(Column("organisations.Organisation.parent", cannot_move_to=lambda successor_id: Q(pk=successor_id)),),
    records=_group_members,
    describe=lambda member, _organisation: HeldRecord(
        pk=member.pk,
        title=member.name,
        path=member.get_absolute_url(),
        what=member.get_kind_display(),
        generic_title=member.name,
    ),
    target="organisation",
)


def register() -> None:
    """Register people and group members, and the columns that change only in a merge or never."""
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
