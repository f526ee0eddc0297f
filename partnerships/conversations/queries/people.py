"""The attendees of a conversation, the people who may attend, and the sides that may agree or be asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from partnerships.agreements.models import Partnership, Party, PartyRole
from partnerships.conversations.models import Attendee, Attribution, Conversation, Side
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class SideAttendees:
    """The attendees of one side as a reader may see them: their names, or only their number.

    `organisation` is None for the attendees of an anonymous record, who are counted together.
    """

    organisation: Organisation | None
    names: tuple[str, ...]
    count: int


def side_attendees(conversation: Conversation, own_ids: Iterable[int]) -> list[SideAttendees]:
    """Return the attendees by side, for a reader who belongs to the organisations with these ids (`own_ids`).

    People of these organisations are always named. Others are named if the attribution is by name, counted by
    organisation if it is by organisation, and counted together if it is anonymous. Needs attendees fetched.
    """
    own_organisation_ids = set(own_ids)
    attendees_by_side: dict[int, list[Attendee]] = defaultdict(list)
    for attendee in conversation.attendees.all():
        attendees_by_side[attendee.organisation_id].append(attendee)
    shown_sides: list[SideAttendees] = []
    anonymous_count = 0
    for side in conversation.sides.all():
        attendees = attendees_by_side.get(side.organisation_id, [])
        count = len(attendees)
        is_own_side = side.organisation_id in own_organisation_ids
        if is_own_side or conversation.attribution == Attribution.NAMED:
            names = tuple(_name_and_job(attendee) for attendee in attendees)
            shown_sides.append(SideAttendees(organisation=side.organisation, names=names, count=count))
        elif conversation.attribution == Attribution.ORGANISATION:
            shown_sides.append(SideAttendees(organisation=side.organisation, names=(), count=count))
        else:
            anonymous_count += count
    if anonymous_count:
        shown_sides.append(SideAttendees(organisation=None, names=(), count=anonymous_count))
    return shown_sides


def _name_and_job(attendee: Attendee) -> str:
    """Return an attendee's name, with the job title if it is known."""
    return f"{attendee.display_name}, {attendee.job_title}" if attendee.job_title else attendee.display_name


def people_to_name(organisations: Iterable[Organisation], user: User) -> QuerySet[User]:
    """Return the people of these organisations whom the person can name as attendees.

    They act for an organisation for which the person is an editor, or for a partner of such an organisation.
    """
    own_organisations = Organisation.objects.of_person(user, *EDITING_ROLES)
    shared_partnerships = Partnership.objects.with_party_of(user, *EDITING_ROLES)
    partners = Party.objects.accepted().filter(partnership__in=shared_partnerships).values("organisation")
    memberships = Membership.objects.current().filter(
        Q(organisation__in=own_organisations) | Q(organisation__in=partners),
        organisation__in=[organisation.pk for organisation in organisations],
    )
    people: QuerySet[User] = User.objects.filter(pk__in=memberships.values("person"))
    return people.order_by("name", "pk")


def attendees_with_access(conversation: Conversation) -> QuerySet[User]:
    """Return the attendees who may read the record once it is circulated, because they have an account.

    They must also act for one of the sides today.
    """
    memberships = Membership.objects.current().filter(organisation__in=conversation.sides.values("organisation"))
    attendees = Attendee.objects.filter(conversation=conversation, person__isnull=False)
    people: QuerySet[User] = User.objects.filter(pk__in=attendees.values("person"), account_since__isnull=False)
    return people.filter(pk__in=memberships.values("person")).order_by("name", "pk")


def sides_that_may_be_asked(conversation: Conversation, author_side: Organisation) -> list[Organisation]:
    """Return the other sides to which an ask or offer can be addressed: all except observers of the partnership."""
    observers = Party.objects.accepted().filter(partnership=conversation.partnership_id, role=PartyRole.OBSERVER)
    other_sides = conversation.sides.exclude(organisation=author_side)
    sides = other_sides.exclude(organisation__in=observers.values("organisation")).select_related("organisation")
    return [side.organisation for side in sides.order_by("organisation__name", "pk")]


def ids_of_sides_to_ask(conversation: Conversation) -> set[int]:
    """Return the ids of the sides that have not agreed yet and have a person who can agree."""
    return set(rows_for(sides_to_ask, conversation.pk))


def sides_to_ask(conversation: int) -> QuerySet[Membership, int]:
    """Return the ids of the sides that have not agreed yet and have an editor or lead who can agree."""
    sides_to_agree = Side.objects.filter(conversation=conversation, agreed_at=None).values("organisation")
    editors = Membership.objects.current().filter(organisation__in=sides_to_agree, role__in=EDITING_ROLES)
    return editors.values_list("organisation_id", flat=True)
