"""What one person may do with one entry."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import QuerySet

from partnerships.agreements.models import Party, PartyRole
from partnerships.exchange.models import Audience, Entry
from partnerships.organisations.models import (
    EDITING_ROLES,
    Membership,
    Organisation,
    OrganisationQuerySet,
)
from partnerships.organisations.queries import leads_with_account, with_account
from partnerships.people.models import User


def may_edit(entry: Entry, user: User) -> bool:
    """Whether the person edits for the entry's organisation."""
    return Organisation.objects.of_person(user, *EDITING_ROLES).filter(pk=entry.organisation_id).exists()


def is_own(entry: Entry, user: User) -> bool:
    """Whether the person acts for the entry's organisation, in whichever role."""
    return Organisation.objects.of_person(user).filter(pk=entry.organisation_id).exists()


def answerable_among(ids: Collection[int], user: User) -> set[int]:
    """The numbers of those of the entries that the person may answer today."""
    return set(Entry.objects.answerable_by(user).filter(pk__in=ids).order_by().values_list("pk", flat=True))


def answering_for(entry: Entry, user: User) -> OrganisationQuerySet:
    """The organisations for which the person may answer the entry, by name, whatever became of the entry."""
    mine = Organisation.objects.of_person(user, *EDITING_ROLES).exclude(pk=entry.organisation_id).order_by("name", "pk")
    if entry.is_draft:
        return mine.none()
    if entry.audience == Audience.NAMED:
        return mine.filter(pk__in=entry.addressees.values("organisation"))
    if entry.audience == Audience.PARTNERSHIP:
        able = Party.objects.present().exclude(role=PartyRole.OBSERVER).filter(partnership=entry.partnership_id)
        return mine.filter(pk__in=able.values("organisation"))
    return mine


def who_wrote_or_leads(person_id: int | None, organisation_id: int) -> QuerySet[User]:
    """Whoever wrote something for an organisation, while they may still act on it; else its leads."""
    writer = Membership.objects.current().filter(person=person_id, organisation=organisation_id, role__in=EDITING_ROLES)
    if not writer.exists():
        return leads_with_account([organisation_id])
    return with_account(User.objects.filter(pk__in=writer.values("person")))
