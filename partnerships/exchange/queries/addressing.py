"""Finds the organisations that an entry asks, the people who can read it, and those who get emails about it."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import QuerySet

from partnerships.agreements.models import Party, PartyRole
from partnerships.exchange.models import Audience, Entry
from partnerships.organisations.models import EDITING_ROLES, Membership
from partnerships.organisations.queries import leads_with_account, with_account
from partnerships.people.models import User


def parties_able_to_answer(partnership_id: int | None) -> set[int]:
    """Return the ids of the present parties of a partnership that are not observers."""
    parties = Party.objects.accepted().filter(partnership=partnership_id).exclude(role=PartyRole.OBSERVER)
    return set(parties.values_list("organisation_id", flat=True))


def addressed_ids(entry: Entry) -> set[int] | None:
    """Return the ids of the organisations that the entry asks; None if it asks the whole network."""
    if entry.audience == Audience.NETWORK:
        return None
    if entry.audience == Audience.PARTNERSHIP:
        return parties_able_to_answer(entry.partnership_id) - {entry.organisation_id}
    return set(entry.addressees.values_list("organisation_id", flat=True)) - {entry.organisation_id}


def is_readable_by(entry: Entry, organisation_id: int) -> bool:
    """Return whether the people of an organisation can read the entry today."""
    if entry.organisation_id == organisation_id:
        return True
    if entry.shared_at is None:
        return False
    if entry.audience == Audience.NETWORK:
        return True
    if entry.audience == Audience.PARTNERSHIP:
        parties = Party.objects.accepted().filter(partnership=entry.partnership_id, organisation=organisation_id)
        return parties.exists()
    return entry.addressees.filter(organisation=organisation_id).exists()


def ids_answerable_by(entry_ids: Collection[int], user: User) -> set[int]:
    """Return the ids of those of these entries that the person may answer today."""
    return set(Entry.objects.answerable_by(user).filter(pk__in=entry_ids).order_by().values_list("pk", flat=True))


def author_or_leads(person_id: int | None, organisation_id: int) -> QuerySet[User]:
    """Return the author if they still edit for the organisation, or else the organisation's leads."""
    memberships = Membership.objects.current().filter(
        person=person_id, organisation=organisation_id, role__in=EDITING_ROLES
    )
    if not memberships.exists():
        return leads_with_account([organisation_id])
    return with_account(User.objects.filter(pk__in=memberships.values("person")))
