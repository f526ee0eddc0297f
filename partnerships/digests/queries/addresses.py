"""Finds the people whose email address a reader may see."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from partnerships.digests.models import Subscription, SubscriptionStatus
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.people.models import User


def people_with_known_address(reader: User) -> QuerySet[User]:
    """Return the people whose address the reader may see; administrators see all addresses.

    Editors and leads see stakeholders that their organisation added, until a confirmed subscription ends or the person
    gives another address. Colleagues of an organisation see each other's addresses.
    """
    if reader.is_staff:
        return User.objects.all()
    edited_organisations = Organisation.objects.of_person(reader, *EDITING_ROLES).values("pk")
    added_subscriptions = Subscription.objects.filter(added_for__in=edited_organisations, has_own_address=False)
    added_subscriptions = added_subscriptions.exclude(confirmed_at__isnull=False, status=SubscriptionStatus.ENDED)
    own_organisations = Organisation.objects.of_person(reader).values("pk")
    colleagues = Membership.objects.current().filter(organisation__in=own_organisations)

    is_reader = Q(pk=reader.pk)
    is_added_stakeholder = Q(pk__in=added_subscriptions.values("person"))
    is_colleague = Q(pk__in=colleagues.values("person"))
    return User.objects.filter(is_reader | is_added_stakeholder | is_colleague)
