"""Reading partnerships: what happened in them, whose turn it is, and what waits for a person."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party, PartyStatus, Status
from partnerships.kit.waiting import Waiting
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


def waiting_for(user: User, now: dt.datetime) -> list[Waiting]:
    """What partnerships want of this person: invitations to answer, and reviews that are due in those they lead."""
    invited = [
        Waiting(
            what="Answer the invitation",
            title=party.partnership.title,
            path=reverse("agreements:detail", kwargs={"pk": party.partnership_id}),
            since=party.invited_at,
            within=party.partnership.title,
            status=party.status,
            status_label=party.get_status_display(),
        )
        for party in invitations_for(user)
    ]
    due = Q(status=Status.UNDER_REVIEW) | Q(status=Status.ACTIVE, review_on__lte=timezone.localdate(now))
    reviews = [
        Waiting(
            what="Review the partnership",
            title=partnership.title,
            path=reverse("agreements:detail", kwargs={"pk": partnership.pk}),
            since=partnership.status_since,
            due=partnership.review_on,
            within=partnership.title,
            status=partnership.status,
            status_label=partnership.get_status_display(),
        )
        for partnership in Partnership.objects.led_by(user).filter(due).order_by("review_on", "pk")
    ]
    return [*invited, *reviews]
