"""The attendees of a conversation, the people who may attend, and the sides that may agree or be asked."""

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
    """The attendees of one side as a reader may see them: their names, or only how many they are."""

    organisation: Organisation | None
    names: tuple[str, ...]
    count: int


def seats_shown(conversation: Conversation, own: Iterable[int]) -> list[Seats]:
    """Attendees by side, for a reader who belongs to the organisations `own` (ids).

    People of these organisations are always named. Others are named if the attribution is by name, counted by
    organisation if it is by organisation, and counted together if it is anonymous. Needs attendees fetched.
    """
    own_organisations = set(own)
    attendees_of: dict[int, list[Attendee]] = defaultdict(list)
    for attendee in conversation.attendees.all():
        attendees_of[attendee.organisation_id].append(attendee)
    shown_seats, anonymous_count = [], 0
    for side in conversation.sides.all():
        attendees = attendees_of.get(side.organisation_id, [])
        if side.organisation_id in own_organisations or conversation.attribution == Attribution.NAMED:
            names = tuple(_name_and_job(attendee) for attendee in attendees)
            shown_seats.append(Seats(side.organisation, names, len(attendees)))
        elif conversation.attribution == Attribution.ORGANISATION:
            shown_seats.append(Seats(side.organisation, (), len(attendees)))
        else:
            anonymous_count += len(attendees)
    return [*shown_seats, *([Seats(None, (), anonymous_count)] if anonymous_count else [])]


def _name_and_job(attendee: Attendee) -> str:
    return f"{attendee.display_name}, {attendee.job_title}" if attendee.job_title else attendee.display_name


def people_of(organisations: Iterable[Organisation], user: User) -> QuerySet[User]:
    """People of these organisations whom the person can name as attendees.

    They are people of organisations for which the person is an editor, or which are in a partnership with one of these.
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
    """Attendees who may read the record once it is circulated: they have an account, and act for a side today."""
    acting = Membership.objects.current().filter(organisation__in=conversation.sides.values("organisation"))
    attendees = Attendee.objects.filter(conversation=conversation, person__isnull=False)
    people: QuerySet[User] = User.objects.filter(pk__in=attendees.values("person"), account_since__isnull=False).filter(
        pk__in=acting.values("person")
    )
    return people.order_by("name", "pk")


def who_may_be_asked(conversation: Conversation, asking: Organisation) -> list[Organisation]:
    """Other sides to which an ask or offer can be addressed: all but observers of the partnership."""
    observers = Party.objects.present().filter(partnership=conversation.partnership_id, role=PartyRole.OBSERVER)
    other_sides = conversation.sides.exclude(organisation=asking).exclude(
        organisation__in=observers.values("organisation")
    )
    return [
        side.organisation for side in other_sides.select_related("organisation").order_by("organisation__name", "pk")
    ]


def sides_to_ask(conversation: Conversation) -> set[int]:
    """Ids of the sides that have not agreed yet and have a person who can."""
    waiting = conversation.sides.filter(agreed_at=None).values("organisation")
    editors = Membership.objects.current().filter(organisation__in=waiting, role__in=EDITING_ROLES)
    return set(editors.values_list("organisation_id", flat=True))
