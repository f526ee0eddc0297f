"""Reading partnerships: what happened in them, whose turn it is, and what waits for a person."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from partnerships.agreements.models import Partnership, Party, PartyStatus
from partnerships.organisations.models import Organisation, Role
from partnerships.people.models import User


def events_of_partnerships(user: User) -> Q:
    """The condition on events about partnerships: those the person is inside of now, or up to the day they left."""
    former = Party.objects.filter(
        organisation__in=Organisation.objects.of_person(user),
        status=PartyStatus.LEFT,
        partnership=OuterRef("target_id"),
        left_at__gte=OuterRef("at"),
    )
    return Q(target_id__in=Partnership.objects.inside_for(user).values("pk")) | Q(Exists(former))


def invitations_for(user: User) -> QuerySet[Party]:
    """Invitations to partnerships that wait for an answer of a lead, oldest first."""
    return (
        Party.objects.filter(
            status=PartyStatus.INVITED, organisation__in=Organisation.objects.of_person(user, Role.LEAD)
        )
        .select_related("partnership", "organisation", "invited_by")
        .order_by("invited_at", "pk")
    )
