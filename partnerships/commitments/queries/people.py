"""Who may own a commitment, take part in one or hear about it."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from partnerships.agreements.models import Partnership, Party, PartyRole
from partnerships.commitments.models import Commitment, commitment_readers
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation, OrganisationQuerySet
from partnerships.organisations.queries import with_account
from partnerships.people.models import User


def people_who_may_own(*organisations: Organisation) -> QuerySet[User]:
    """People of an organisation, or of one of several, who may own a commitment, by name."""
    members = Membership.objects.current().filter(organisation__in=organisations)
    people: QuerySet[User] = User.objects.filter(pk__in=members.values("person"))
    return people.order_by("name", "pk")


def partners_of(user: User) -> OrganisationQuerySet:
    """Organisations the person edits for, and their partners, by name."""
    own_organisations = Organisation.objects.of_person(user, *EDITING_ROLES)
    shared = Partnership.objects.present_for(user, *EDITING_ROLES).live()
    parties = Party.objects.present().exclude(role=PartyRole.OBSERVER).filter(partnership__in=shared.values("pk"))
    organisations = Organisation.objects.filter(
        Q(pk__in=own_organisations.values("pk")) | Q(pk__in=parties.values("organisation"))
    )
    return organisations.order_by("name", "pk")


def concerned_with(commitment: Commitment) -> QuerySet[User]:
    """Owner, proposer and those who confirmed, if they may read it today."""
    people_ids = (
        commitment.owner_id,
        commitment.proposed_by_id,
        commitment.giver_confirmed_by_id,
        commitment.receiver_confirmed_by_id,
    )
    return with_account(commitment_readers(commitment).filter(pk__in=[pk for pk in people_ids if pk is not None]))
