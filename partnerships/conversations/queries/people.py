"""The attendees of a conversation, and the people and organisations that can be asked to do something in it."""

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
    """The attendees of one organisation as a reader may see them, by their names or only by their number."""

    #: None for the attendees of an anonymous record, who are counted together.
    organisation: Organisation | None
    names: tuple[str, ...]
    count: int


def side_attendees(conversation: Conversation, own_ids: Iterable[int]) -> list[SideAttendees]:
    """Return the attendees by organisation, for a reader who acts for the organisations with these ids (`own_ids`).

    Readers always see the names of their own people. What they see of other organisations depends on the attribution:

    - named: the names;
    - organisations only: the number of people from each organisation;
    - anonymous: the number of all these people together.

    Needs the sides and attendees of the conversation fetched.
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
    """Return the people of these organisations that the person can record as attendees.

    They are people of the organisations that the person edits for, and of the partners of those organisations.
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
    """Return the attendees who can read the record once it is circulated.

    They have an account, and act today for an organisation that took part.
    """
    memberships = Membership.objects.current().filter(organisation__in=conversation.sides.values("organisation"))
    attendees = Attendee.objects.filter(conversation=conversation, person__isnull=False)
    people: QuerySet[User] = User.objects.filter(pk__in=attendees.values("person"), account_since__isnull=False)
    return people.filter(pk__in=memberships.values("person")).order_by("name", "pk")


def find_addressees(conversation: Conversation, author_organisation: Organisation) -> list[Organisation]:
    """Return the organisations to which an ask or offer from the conversation can be addressed, by name.

    They are the other organisations that took part, except observers of the partnership.
    """
    observers = Party.objects.accepted().filter(partnership=conversation.partnership_id, role=PartyRole.OBSERVER)
    other_sides = conversation.sides.exclude(organisation=author_organisation)
    sides = other_sides.exclude(organisation__in=observers.values("organisation")).select_related("organisation")
    return [side.organisation for side in sides.order_by("organisation__name", "pk")]


def ids_still_to_agree(conversation: Conversation) -> set[int]:
    """Return the ids of the organisations that have not agreed to the record, and have an editor or lead who can."""
    return set(rows_for(editors_still_to_agree, conversation.pk))


def editors_still_to_agree(conversation_id: int) -> QuerySet[Membership, int]:
    """Return the organisation's id of each editor or lead whose organisation has not agreed to the record."""
    sides_without_agreement = Side.objects.filter(conversation=conversation_id, agreed_at=None).values("organisation")
    editors = Membership.objects.current().filter(organisation__in=sides_without_agreement, role__in=EDITING_ROLES)
    return editors.values_list("organisation_id", flat=True)
