"""Who may answer, and who decides on answers (docs/rights.md)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db.models import Q

from partnerships.agreements.models import Partnership, Party, PartyRole, PartyStatus
from partnerships.digests.queries.readers import newest_numbers, reading_classes
from partnerships.organisations.models import EDITING_ROLES
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.plans.models import Plan


def answerable(person: User, plans: Collection[int], now: dt.datetime) -> dict[int, int]:
    """The plans among these that a stakeholder may read and answer, with the newest version of each.

    People with an account answer on the plan's own pages.
    """
    if not (person.is_active and person.is_stakeholder):
        return {}
    readers = reading_classes(plans, now=now, people=[person.pk], even_paused=True)
    newest = newest_numbers([plan for plan in plans if (person.pk, plan) in readers], now)
    return {plan: number for plan, (_, number) in newest.items() if number > 0}


def may_answer(person: User, plan: Plan, version_number: int, now: dt.datetime) -> bool:
    """Whether a stakeholder may read, and so answer, this version."""
    return 0 < version_number <= answerable(person, [plan.pk], now).get(plan.pk, 0)


def may_forward_to(partnership: Partnership, person: User, now: dt.datetime) -> bool:
    """Whether somebody may forward emails to a partnership."""
    if partnership.is_over:
        return False
    taking_part = Q(status=PartyStatus.ACCEPTED) & ~Q(role=PartyRole.OBSERVER)
    partnership_ids = Party.objects.held_in(person, taking_part, *EDITING_ROLES)
    if partnership_ids is None:
        return bool(parties_edited(partnership, person, now))
    return partnership.pk in partnership_ids


def parties_edited(partnership: Partnership, person: User, now: dt.datetime) -> frozenset[int]:
    """The present parties, without observers, for which the person edits."""
    present = partnership.parties.present().exclude(role=PartyRole.OBSERVER)
    return roles_of(person, now).edited_among(list(present.values_list("organisation_id", flat=True)))


def partnership_key(partnership: Partnership) -> str:
    """A key for the signature in a partnership's address."""
    return partnership.created_at.isoformat()
