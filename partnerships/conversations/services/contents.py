"""The content of a conversation's record: what it consists of, how it is checked, and how its parts are saved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from partnerships.agreements.models import Partnership
from partnerships.conversations.models import (
    CORRECTABLE_STATUSES,
    Attendee,
    Attribution,
    Conversation,
    NextStep,
    Point,
    RecordedDecision,
    Side,
)
from partnerships.conversations.services.actions import make_actions
from partnerships.conversations.services.notes import write_private_note
from partnerships.kit import journal
from partnerships.organisations.models import Membership, Organisation
from partnerships.people.models import User


class UnableToRecord(Exception):
    """Raised if the record is invalid or locked, or was changed by a colleague."""


@dataclass(frozen=True, slots=True)
class AttendeeInput:
    """An attendee to record: a person with an account, or the name of a person without one."""

    organisation: Organisation
    person: User | None = None
    name: str = ""
    job_title: str = ""


@dataclass(frozen=True, slots=True)
class PointInput:
    """An objective, obstacle or opportunity of one side, to record."""

    organisation: Organisation
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class NextStepInput:
    """A next step of one side, to record."""

    organisation: Organisation
    text: str
    due_on: dt.date
    owner: User | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """The content of a record to write. `organisations` are the sides besides the keeper.

    A planned conversation has no summary, points or next steps, because every side sees it at once.
    If `private_note` is None, the note does not change.
    """

    subject: str
    held_on: dt.date
    planned: bool
    format: str
    organisations: Sequence[Organisation]
    partnership: Partnership | None = None
    theme: str = ""
    said: str = ""
    decisions: Sequence[str] = field(default_factory=tuple)
    attribution: str = Attribution.NAMED
    next_contact_on: dt.date | None = None
    attendees: Sequence[AttendeeInput] = field(default_factory=tuple)
    points: Sequence[PointInput] = field(default_factory=tuple)
    next_steps: Sequence[NextStepInput] = field(default_factory=tuple)
    private_note: str | None = None


def fields_of(record: Record) -> dict[str, object]:
    """Return the fields of the conversation that the record sets."""
    return {
        "subject": record.subject.strip(),
        "held_on": record.held_on,
        "format": record.format,
        "theme": record.theme,
        "partnership": record.partnership,
        "said": record.said.strip(),
        "attribution": record.attribution,
        "next_contact_on": record.next_contact_on,
    }


def check_record(record: Record, keeper: Organisation, today: dt.date) -> None:
    """Raise `UnableToRecord` if the record is incomplete or contradicts itself."""
    if not record.subject.strip():
        raise UnableToRecord("Enter a subject.")
    other_ids = {organisation.pk for organisation in record.organisations} - {keeper.pk}
    if not other_ids:
        raise UnableToRecord("Choose at least one other organisation.")
    if record.planned and (record.said.strip() or record.decisions or record.points or record.next_steps):
        raise UnableToRecord(
            "Every side can see a planned conversation. Until it takes place, use the private note to prepare."
        )
    if not record.planned and record.held_on > today:
        raise UnableToRecord("The date is in the future. Change the date, or say that the conversation is planned.")
    if record.next_contact_on is not None and record.next_contact_on < record.held_on:
        raise UnableToRecord("The next contact cannot be before this conversation.")

    if record.partnership is not None:
        _check_partnership(record.partnership, keeper, other_ids)
    _check_sides(record, side_ids=other_ids | {keeper.pk})
    if any(not step.text.strip() for step in record.next_steps):
        raise UnableToRecord("Enter what needs to be done in each next step.")
    _check_people(record)


def _check_partnership(partnership: Partnership, keeper: Organisation, other_ids: set[int]) -> None:
    """Raise `UnableToRecord` unless the keeper and another side are parties to the partnership."""
    party_ids = set(partnership.parties.accepted().values_list("organisation_id", flat=True))
    if keeper.pk not in party_ids:
        raise UnableToRecord(
            f"{keeper.display_name} is not a party to {partnership.title}. Choose another partnership, or none."
        )
    if not other_ids & party_ids:
        raise UnableToRecord(
            f"None of the other organisations is a party to {partnership.title}. Choose another partnership, or none."
        )


def _check_sides(record: Record, side_ids: set[int]) -> None:
    """Raise `UnableToRecord` if an attendee, a point or a next step belongs to no side of the conversation."""
    named_organisations = [
        *(seat.organisation for seat in record.attendees),
        *(point.organisation for point in record.points),
        *(step.organisation for step in record.next_steps),
    ]
    for organisation in named_organisations:
        if organisation.pk not in side_ids:
            raise UnableToRecord(
                f"{organisation.display_name} did not take part in this conversation. Choose an organisation that did."
            )


def _check_people(record: Record) -> None:
    """Raise `UnableToRecord` if a person never acted for the organisation that the record names beside them."""
    people = [
        *((seat.person, seat.organisation) for seat in record.attendees if seat.person),
        *((step.owner, step.organisation) for step in record.next_steps if step.owner),
    ]
    # Memberships that have ended count too: the person may have left since the conversation.
    memberships = set(
        Membership.objects.filter(person__in=[person.pk for person, _ in people if person]).values_list(
            "person_id", "organisation_id"
        )
    )
    for person, organisation in people:
        if person is not None and (person.pk, organisation.pk) not in memberships:
            raise UnableToRecord(
                f"{person.display_name} has never acted for {organisation.display_name}. Choose someone who has."
            )


#: The kind of line that the journal for restores has for a removed side.
SIDE = "side"


def side_identity(side: Side) -> str:
    """Return the hash by which the journal for restores recognises a side."""
    conversation, organisation = side.conversation, side.organisation
    return journal.identity(conversation.pk, conversation.created_at, organisation.pk, organisation.created_at)


def save_parts(conversation: Conversation, record: Record, *, author: User, now: dt.datetime) -> None:
    """Save the rows that belong to a record: points, decisions, attendees, sides, next steps and private note."""
    _save_points(conversation, record.points)
    _save_decisions(conversation, record.decisions)
    _save_attendees(conversation, record.attendees)
    _save_sides(conversation, (conversation.organisation, *record.organisations), now)
    _save_next_steps(conversation, record.next_steps)
    if conversation.status in CORRECTABLE_STATUSES:
        make_actions(conversation, author=author, now=now)
    if record.private_note is not None:
        write_private_note(
            conversation=conversation,
            organisation=conversation.organisation,
            text=record.private_note,
            author=author,
            now=now,
        )


def _save_attendees(conversation: Conversation, attendees: Sequence[AttendeeInput]) -> None:
    """Replace the attendees. An attendee without a person and a name is left out."""
    conversation.attendees.all().delete()
    Attendee.objects.bulk_create(
        Attendee(
            conversation=conversation,
            organisation=seat.organisation,
            person=seat.person,
            name="" if seat.person else seat.name.strip(),
            job_title=seat.job_title.strip(),
        )
        for seat in attendees
        if seat.person or seat.name.strip()
    )


def _save_sides(conversation: Conversation, organisations: Sequence[Organisation], now: dt.datetime) -> None:
    """Add the sides that are new, and remove the sides that no longer take part."""
    organisations_by_id = {organisation.pk: organisation for organisation in organisations}
    for side in conversation.sides.exclude(organisation__in=organisations_by_id).select_related("organisation"):
        journal.note(SIDE, now=now, side=side.pk, same=side_identity(side))
        side.delete()
    existing_ids = set(conversation.sides.values_list("organisation_id", flat=True))
    Side.objects.bulk_create(
        Side(conversation=conversation, organisation=organisation)
        for pk, organisation in organisations_by_id.items()
        if pk not in existing_ids
    )


def _save_next_steps(conversation: Conversation, next_steps: Sequence[NextStepInput]) -> None:
    """Replace the next steps that are not actions yet."""
    conversation.next_steps.filter(action=None).delete()
    NextStep.objects.bulk_create(
        NextStep(
            conversation=conversation,
            organisation=step.organisation,
            owner=step.owner,
            text=step.text.strip(),
            due_on=step.due_on,
        )
        for step in next_steps
    )


def _save_decisions(conversation: Conversation, decisions: Sequence[str]) -> None:
    """Replace the decisions if they changed."""
    texts = [text.strip() for text in decisions if text.strip()]
    if texts == list(conversation.decisions.order_by("position").values_list("text", flat=True)):
        return
    conversation.decisions.all().delete()
    RecordedDecision.objects.bulk_create(
        RecordedDecision(conversation=conversation, position=position, text=text)
        for position, text in enumerate(texts, start=1)
    )


def _save_points(conversation: Conversation, points: Sequence[PointInput]) -> None:
    """Add new points and delete missing points.

    Raises `UnableToRecord` if a missing point has become an ask or offer.
    """
    new_points_by_key = {
        (point.organisation.pk, str(point.kind), point.text.strip()): point for point in points if point.text.strip()
    }
    for point in conversation.points.select_related("became"):
        key = (point.organisation_id, point.kind, point.text)
        if key in new_points_by_key:
            del new_points_by_key[key]
        elif hasattr(point, "became"):
            raise UnableToRecord(f"“{point.text}” has become an {point.direction}, so it must stay in the record.")
        else:
            point.delete()
    Point.objects.bulk_create(
        Point(conversation=conversation, organisation=new_point.organisation, kind=new_point.kind, text=text)
        for (_, _, text), new_point in new_points_by_key.items()
    )
