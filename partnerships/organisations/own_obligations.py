"""What an organisation holds in this room: its people and the members of its group."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from partnerships.organisations.models import Membership, Organisation, Role, Status
from partnerships.organisations.obligations import (
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


def _stronger(ended: Membership, kept: Membership) -> dict[str, Any]:
    return {"role": min(Role(ended.role), Role(kept.role), key=_ROLES.index).value}


def _people(organisation: Organisation, day: dt.date) -> QuerySet[Membership]:
    return Membership.objects.filter(organisation=organisation, ends_on=None).select_related("person")


def _group(organisation: Organisation, day: dt.date) -> QuerySet[Organisation]:
    return organisation.group_members.exclude(status=Status.DISSOLVED)


PEOPLE = Obligation(
    "people",
    "People",
    (Column("organisations.Membership.organisation", only=Q(ends_on=None), ending=_end, uniting=_stronger),),
    _people,
    lambda one, _: Held(one.pk, one.person.display_name, "", one.get_role_display()),
)
GROUP = Obligation(
    "group",
    "Members of its group",
    (Column("organisations.Organisation.parent", locked=lambda target: Q(pk=target)),),
    _group,
    lambda one, _: Held(one.pk, one.name, one.get_absolute_url(), one.get_kind_display()),
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
    )
    register_staying(
        "which records became one",
        "organisations.Merge.kept",
        "organisations.Merge.merged",
        "organisations.NotSame.one",
        "organisations.NotSame.other",
    )
