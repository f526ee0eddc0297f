"""Who may answer about a plan, and who may decide on answers (docs/rights.md)."""

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


def answerable_versions(person: User, plan_ids: Collection[int], now: dt.datetime) -> dict[int, int]:
    """Return the number of the newest version that a stakeholder may read, and so answer, by plan id.

    Plans that the stakeholder may not read are left out. Returns no plans for people with an account, who comment on
    the plan's own pages.
    """
    if not (person.is_active and person.is_stakeholder):
        return {}
    readers = reading_classes(plan_ids, now=now, person_ids=[person.pk], even_paused=True)
    readable_plan_ids = [plan_id for plan_id in plan_ids if (person.pk, plan_id) in readers]
    answerable: dict[int, int] = {}
    for plan_id, (_partners_number, outside_number) in newest_numbers(readable_plan_ids, now).items():
        # The number is 0 if the plan has no version that stakeholders may read.
        if outside_number > 0:
            answerable[plan_id] = outside_number
    return answerable


def may_answer(person: User, plan: Plan, version_number: int, now: dt.datetime) -> bool:
    """Return whether a stakeholder may read, and so answer, this version."""
    return 0 < version_number <= answerable_versions(person, [plan.pk], now).get(plan.pk, 0)


def may_forward_to(partnership: Partnership, person: User, now: dt.datetime) -> bool:
    """Return whether a person may forward emails to a partnership, and so record its conversations."""
    if partnership.is_over:
        return False
    takes_part = Q(status=PartyStatus.ACCEPTED) & ~Q(role=PartyRole.OBSERVER)
    # While a page is rendered, one query finds the ids for the whole page. In all other places this is None.
    editable_partnership_ids = Party.objects.remembered_partnership_ids(person, takes_part, *EDITING_ROLES)
    if editable_partnership_ids is not None:
        return partnership.pk in editable_partnership_ids
    return bool(ids_of_edited_parties(partnership, person, now))


def ids_of_edited_parties(partnership: Partnership, person: User, now: dt.datetime) -> frozenset[int]:
    """Return the ids of the present parties, without observers, for which the person edits."""
    parties = partnership.parties.accepted().exclude(role=PartyRole.OBSERVER)
    return roles_of(person, now).edited_among(list(parties.values_list("organisation_id", flat=True)))


def partnership_key(partnership: Partnership) -> str:
    """Return the key for the signature in a partnership's address for forwarded emails."""
    return partnership.created_at.isoformat()
