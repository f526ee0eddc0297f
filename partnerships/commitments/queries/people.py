"""Find the people who may own a commitment or get emails about it, and organisations that may give or receive."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from partnerships.agreements.models import Partnership, Party, PartyRole
from partnerships.commitments.models import Commitment, commitment_readers
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation, OrganisationQuerySet
from partnerships.organisations.queries import with_account
from partnerships.people.models import User


def possible_owners(*organisations: Organisation) -> QuerySet[User]:
    """Return the people who may own commitments of these organisations, by name."""
    members = Membership.objects.current().filter(organisation__in=organisations)
    people: QuerySet[User] = User.objects.filter(pk__in=members.values("person"))
    return people.order_by("name", "pk")


def partners_of(user: User) -> OrganisationQuerySet:
    """Return the organisations that the person edits for, and their partners, by name."""
    own_organisations = Organisation.objects.of_person(user, *EDITING_ROLES)
    partnerships = Partnership.objects.with_party_of(user, *EDITING_ROLES).live()
    parties = Party.objects.accepted().exclude(role=PartyRole.OBSERVER)
    parties = parties.filter(partnership__in=partnerships.values("pk"))
    organisations = Organisation.objects.filter(
        Q(pk__in=own_organisations.values("pk")) | Q(pk__in=parties.values("organisation"))
    )
    return organisations.order_by("name", "pk")


def people_concerned_with(commitment: Commitment) -> QuerySet[User]:
    """Return the owner, the proposer and the people who confirmed, if they may read the commitment today."""
    people_ids = (
        commitment.owner_id,
        commitment.proposed_by_id,
        commitment.giver_confirmed_by_id,
        commitment.receiver_confirmed_by_id,
    )
    return with_account(commitment_readers(commitment).filter(pk__in=[pk for pk in people_ids if pk is not None]))
