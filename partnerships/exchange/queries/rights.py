"""Which entries a person may answer, and who gets emails about an entry."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import QuerySet

from partnerships.exchange.models import Entry
from partnerships.organisations.models import (
    EDITING_ROLES,
    Membership,
)
from partnerships.organisations.queries import leads_with_account, with_account
from partnerships.people.models import User


def answerable_among(ids: Collection[int], user: User) -> set[int]:
    """Which of these entries (ids) the person may answer today."""
    return set(Entry.objects.answerable_by(user).filter(pk__in=ids).order_by().values_list("pk", flat=True))


def who_wrote_or_leads(person_id: int | None, organisation_id: int) -> QuerySet[User]:
    """The author, if they still edit for the organisation; else its leads."""
    writer = Membership.objects.current().filter(person=person_id, organisation=organisation_id, role__in=EDITING_ROLES)
    if not writer.exists():
        return leads_with_account([organisation_id])
    return with_account(User.objects.filter(pk__in=writer.values("person")))
