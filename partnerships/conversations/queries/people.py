"""Attendees, and who may attend, agree or be asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from partnerships.agreements.models import Partnership, Party, PartyRole
from partnerships.conversations.models import Attendee, Attribution, Conversation
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Seats:
    """Attendees of one side as a reader may see them: names or a number."""

    organisation: Organisation | None
    names: tuple[str, ...]
    count: int


def seats_shown(conversation: Conversation, own: Iterable[int]) -> list[Seats]:
    """Attendees by side for a reader of the organisations `own` (ids).

    One's own people are always named. Others are named if the attribution is by name; only counted if it is by
    organisation; only counted, without the organisation, if it is anonymous. Needs attendees fetched.
    """
    mine = set(own)
    sides: dict[int, list[Attendee]] = defaultdict(list)
    for seat in conversation.attendees.all():
        sides[seat.organisation_id].append(seat)
    shown, hidden = [], 0
    for side in conversation.sides.all():
        seats = sides.get(side.organisation_id, [])
        if side.organisation_id in mine or conversation.attribution == Attribution.NAMED:
            names = tuple(_seat_words(seat) for seat in seats)
            shown.append(Seats(side.organisation, names, len(seats)))
        elif conversation.attribution == Attribution.ORGANISATION:
            shown.append(Seats(side.organisation, (), len(seats)))
        else:
            hidden += len(seats)
    return [*shown, *([Seats(None, (), hidden)] if hidden else [])]


def _seat_words(seat: Attendee) -> str:
    return f"{seat.display_name}, {seat.job_title}" if seat.job_title else seat.display_name


def people_of(organisations: Iterable[Organisation], user: User) -> QuerySet[User]:
    """People who may be attendees.

    These act for one's own organisations, or for those in the same partnerships.
    """
    own_organisations = Organisation.objects.of_person(user, *EDITING_ROLES)
    shared = Partnership.objects.present_for(user, *EDITING_ROLES)
    partners = Party.objects.present().filter(partnership__in=shared).values("organisation")
    memberships = Membership.objects.current().filter(
        Q(organisation__in=own_organisations) | Q(organisation__in=partners),
        organisation__in=[organisation.pk for organisation in organisations],
    )
    people: QuerySet[User] = User.objects.filter(pk__in=memberships.values("person"))
    return people.order_by("name", "pk")


def attendees_with_access(conversation: Conversation) -> QuerySet[User]:
    """Attendees who may read the record once it is circulated.

    They have an account and act for a side today.
    """
    acting = Membership.objects.current().filter(organisation__in=conversation.sides.values("organisation"))
    there = Attendee.objects.filter(conversation=conversation, person__isnull=False)
    people: QuerySet[User] = User.objects.filter(pk__in=there.values("person"), account_since__isnull=False).filter(
        pk__in=acting.values("person")
    )
    return people.order_by("name", "pk")


def who_may_be_asked(conversation: Conversation, asking: Organisation) -> list[Organisation]:
    """Other sides to which an ask or offer may be addressed.

    Observers of the partnership are left out.
    """
    observers = Party.objects.present().filter(partnership=conversation.partnership_id, role=PartyRole.OBSERVER)
    other_sides = conversation.sides.exclude(organisation=asking).exclude(
        organisation__in=observers.values("organisation")
    )
    return [
        side.organisation for side in other_sides.select_related("organisation").order_by("organisation__name", "pk")
    ]


def sides_to_ask(conversation: Conversation) -> set[int]:
    """Ids of sides that have not agreed and have somebody who can."""
    waiting = conversation.sides.filter(agreed_at=None).values("organisation")
    able = Membership.objects.current().filter(organisation__in=waiting, role__in=EDITING_ROLES)
    return set(able.values_list("organisation_id", flat=True))
