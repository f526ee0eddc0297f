"""What an organisation holds in this room: its people and the members of its group."""

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
    Held,
    Moving,
    Obligation,
    register_following,
    register_obligation,
    register_staying,
)

_ROLES = (Role.LEAD, Role.EDITOR, Role.VIEWER)


def _end(moving: Moving) -> dict[str, Any]:
    return {"ends_on": timezone.localdate(moving.now)}


def _stronger(ended: Membership, kept_membership: Membership) -> dict[str, Any]:
    return {"role": min(Role(ended.role), Role(kept_membership.role), key=_ROLES.index).value}


def _begin_again(memberships: Sequence[Membership], moving: Moving) -> list[Change]:
    """End memberships, and let each person act for the other organisation in the same role from that day.

    A day on which they were to end already is kept. Who acts for it already does so in the stronger of both roles.
    """
    day = timezone.localdate(moving.now)
    label = Membership._meta.label
    ending = Membership.objects.filter(pk__in=[membership.pk for membership in memberships])
    ending.update(ends_on=Greatest("starts_on", Value(day)))
    ended = [
        Change(
            label,
            membership.pk,
            {"ends_on": _text(membership.ends_on)},
            {"ends_on": max(day, membership.starts_on).isoformat()},
        )
        for membership in memberships
    ]
    their_memberships = Membership.objects.filter(Q(ends_on=None) | Q(ends_on__gt=day), organisation=moving.target)
    already = {membership.person_id: membership for membership in their_memberships}
    raised = [
        change for membership in memberships if (change := _raise_role(membership, already.get(membership.person_id)))
    ]
    begun = Membership.objects.bulk_create(
        Membership(
            person=membership.person,
            organisation=moving.target,
            role=membership.role,
            job_title=membership.job_title,
            starts_on=max(day, membership.starts_on),
            ends_on=membership.ends_on,
            accepted_at=membership.accepted_at,
            created_by=moving.author,
        )
        for membership in memberships
        if membership.person_id not in already
    )
    # Put back, a membership that began here ends on the day on which it began.
    return (
        ended
        + raised
        + [
            Change(
                label,
                membership.pk,
                {"ends_on": membership.starts_on.isoformat()},
                {"ends_on": _text(membership.ends_on)},
            )
            for membership in begun
        ]
    )


def _text(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()


def _raise_role(ended: Membership, kept_membership: Membership | None) -> Change | None:
    if kept_membership is None or (role := _stronger(ended, kept_membership)["role"]) == kept_membership.role:
        return None
    change = Change(Membership._meta.label, kept_membership.pk, {"role": kept_membership.role}, {"role": role})
    Membership.objects.filter(pk=kept_membership.pk).update(role=role)
    return change


def _people(organisation: Organisation, day: dt.date) -> QuerySet[Membership]:
    """Who has accepted: an invitation that nobody answered passes to nobody."""
    open_ones = Membership.objects.filter(Q(ends_on=None) | Q(ends_on__gt=day), organisation=organisation)
    return open_ones.filter(accepted_at__isnull=False).select_related("person")


def _group(organisation: Organisation, day: dt.date) -> QuerySet[Organisation]:
    return organisation.group_members.exclude(status=Status.DISSOLVED)


PEOPLE = Obligation(
    "people",
    "People",
    (Column("organisations.Membership.organisation", only=Q(ends_on=None), ending=_end, uniting=_stronger),),
    _people,
    lambda one, _: Held(
        one.pk, one.person.display_name, "", one.get_role_display(), outside=f"{one.get_role_display()} {one.pk}"
    ),
    move=_begin_again,
)
GROUP = Obligation(
    "group",
    "Members of its group",
    (Column("organisations.Organisation.parent", locked=lambda target: Q(pk=target)),),
    _group,
    lambda one, _: Held(one.pk, one.name, one.get_absolute_url(), one.get_kind_display(), outside=one.name),
    target="organisation",
)


def register() -> None:
    """Register both, and what belongs to the body itself."""
    register_obligation(PEOPLE)
    register_obligation(GROUP)
    register_following(
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
    register_staying(
        "which records became one",
        "organisations.Merge.kept",
        "organisations.Merge.merged",
        "organisations.NotSame.one",
        "organisations.NotSame.other",
    )
