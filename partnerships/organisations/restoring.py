"""Ends memberships and lowers roles again after a backup is restored, and names other ways to sign in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from partnerships.kit.journal import Redone, redo_each, register_redo, same_rows
from partnerships.organisations.models import Membership, Organisation, Role
from partnerships.organisations.services.memberships import (
    MEMBERSHIP,
    UnableToChangeRole,
    UnableToEndMembership,
    change_role,
    end_membership,
    membership_identity,
)
from partnerships.organisations.services.organisations import WAYS_IN, organisation_identity, ways_in_identity

_REASON = "As it was before a backup was restored."
#: From the role with the fewest rights to that with the most.
_RANKS = (Role.VIEWER, Role.EDITOR, Role.LEAD)


def redo_memberships(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """End the memberships that ended since the backup, and lower roles.

    Also where nobody leads the organisation then; the outcome names it. What became more is not given again.
    """
    touched: set[int] = set()

    def redo(membership: Membership, line: dict[str, Any]) -> int:
        done = _redo(membership, line, now)
        touched.add(membership.organisation_id)
        return done

    memberships = Membership.objects.filter(pk__in={line["membership"] for line in lines}, ends_on=None)
    redone = redo_each(
        "membership",
        lines,
        memberships.select_related("person", "organisation", "invitation").order_by("pk"),
        same=membership_identity,
        began=_began,
        redo=redo,
        unable=(UnableToEndMembership, UnableToChangeRole),
    )
    leads = Membership.objects.current(timezone.localdate(now)).filter(role=Role.LEAD, organisation__in=touched)
    for number in sorted(touched - set(leads.values_list("organisation", flat=True))):
        redone.left.append(f"organisation {number}: nobody leads it now")
    return redone


def _began(membership: Membership) -> dt.datetime:
    if membership.accepted_at is not None:
        return membership.accepted_at
    invitation = membership.invitation
    return invitation.created_at if invitation else dt.datetime.min.replace(tzinfo=dt.UTC)


def _redo(membership: Membership, line: dict[str, Any], now: dt.datetime) -> bool:
    if not line.get("undone"):
        end_membership(membership=membership, author=None, reason=_REASON, now=now, even_last_lead=True)
        return True
    if _RANKS.index(Role(membership.role)) <= _RANKS.index(Role(line["role"])):
        return False
    change_role(membership=membership, role=line["role"], author=None, reason=_REASON, now=now)
    return True


def redo_ways_in(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """Name the organisations whose people sign in as before the last change.

    Its leads set it again: the journal does not know the provider.
    """
    redone = Redone()
    organisations = Organisation.objects.filter(pk__in={line["organisation"] for line in lines})
    for organisation, line in same_rows(
        "organisation",
        lines,
        organisations.order_by("pk"),
        same=organisation_identity,
        began=lambda one: one.created_at,
        redone=redone,
    ):
        if ways_in_identity(organisation) != line["ways"]:
            redone.left.append(
                f"organisation {organisation.pk}: its people sign in as before a change after the backup; set its "
                "sign-in page and second factor again"
            )
    return redone


def register() -> None:
    """Register this to run after a restore."""
    register_redo(MEMBERSHIP, "memberships ended or lowered again", redo_memberships)
    register_redo(WAYS_IN, "organisations' ways to sign in", redo_ways_in)
