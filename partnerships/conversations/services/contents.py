"""The content of a conversation's record, with functions to check it and to save it."""

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
    """An objective, obstacle or opportunity of one organisation, to record."""

    organisation: Organisation
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class NextStepInput:
    """A next step of one organisation, to record."""

    organisation: Organisation
    text: str
    due_on: dt.date
    owner: User | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """The content of a record to write.

    A planned conversation has no summary, points or next steps, because every organisation sees it at once.
    """

    subject: str
    held_on: dt.date
    planned: bool
    format: str
    #: The organisations that took part, except the organisation that keeps the record.
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
    #: The new text of the private note; None leaves the note as it is.
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


def check_record(record: Record, organisation: Organisation, today: dt.date) -> None:
    """Raise `UnableToRecord` if a record that this organisation keeps is incomplete or contradicts itself."""
    if not record.subject.strip():
        raise UnableToRecord("Enter a subject.")
    other_ids = {other.pk for other in record.organisations} - {organisation.pk}
    if not other_ids:
        raise UnableToRecord("Choose at least one other organisation.")
    if record.planned and (record.said.strip() or record.decisions or record.points or record.next_steps):
        raise UnableToRecord(
            "Every organisation that takes part can see a planned conversation. Until it takes place, use the private "
            "note to prepare."
        )
    if not record.planned and record.held_on > today:
        raise UnableToRecord("The date is in the future. Change the date, or say that the conversation is planned.")
    if record.next_contact_on is not None and record.next_contact_on < record.held_on:
        raise UnableToRecord("The next contact cannot be before this conversation.")

    if record.partnership is not None:
        _check_partnership(record.partnership, organisation, other_ids)
    _check_organisations(record, ids_that_took_part=other_ids | {organisation.pk})
    if any(not step.text.strip() for step in record.next_steps):
        raise UnableToRecord("Enter what needs to be done in each next step.")
    _check_people(record)


def _check_partnership(partnership: Partnership, organisation: Organisation, other_ids: set[int]) -> None:
    """Raise `UnableToRecord` unless the organisation and one of the others are parties to the partnership."""
    party_ids = set(partnership.parties.accepted().values_list("organisation_id", flat=True))
    if organisation.pk not in party_ids:
        raise UnableToRecord(
            f"{organisation.display_name} is not a party to {partnership.title}. Choose another partnership, or none."
        )
    if not other_ids & party_ids:
        raise UnableToRecord(
            f"None of the other organisations is a party to {partnership.title}. Choose another partnership, or none."
        )


def _check_organisations(record: Record, ids_that_took_part: set[int]) -> None:
    """Raise `UnableToRecord` if an attendee, point or next step is of an organisation that did not take part."""
    named_organisations = [
        *(attendee.organisation for attendee in record.attendees),
        *(point.organisation for point in record.points),
        *(step.organisation for step in record.next_steps),
    ]
    for organisation in named_organisations:
        if organisation.pk not in ids_that_took_part:
            raise UnableToRecord(
                f"{organisation.display_name} did not take part in this conversation. Choose an organisation that did."
            )


def _check_people(record: Record) -> None:
    """Raise `UnableToRecord` if an attendee or owner never acted for the organisation that the record says."""
    attendees = [(attendee.person, attendee.organisation) for attendee in record.attendees if attendee.person]
    owners = [(step.owner, step.organisation) for step in record.next_steps if step.owner]
    named_people = [*attendees, *owners]
    # Former memberships are included, because a person may have left since the conversation.
    memberships = Membership.objects.filter(person__in=[person.pk for person, _organisation in named_people])
    membership_ids = set(memberships.values_list("person_id", "organisation_id"))
    for person, organisation in named_people:
        if (person.pk, organisation.pk) not in membership_ids:
            raise UnableToRecord(
                f"{person.display_name} has never acted for {organisation.display_name}. Choose someone who has."
            )


#: The kind of line in the journal for restores about an organisation that was removed from a conversation.
SIDE = "side"


def side_identity(side: Side) -> str:
    """Return the hash by which the journal for restores recognises an organisation in a conversation."""
    conversation, organisation = side.conversation, side.organisation
    return journal.identity(conversation.pk, conversation.created_at, organisation.pk, organisation.created_at)


def save_parts(conversation: Conversation, record: Record, *, author: User, now: dt.datetime) -> None:
    """Save the parts of a record that have their own rows, such as its points, attendees and next steps."""
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
    """Replace the attendees. An attendee with neither a person nor a name is left out."""
    conversation.attendees.all().delete()
    Attendee.objects.bulk_create(
        Attendee(
            conversation=conversation,
            organisation=attendee.organisation,
            person=attendee.person,
            name="" if attendee.person else attendee.name.strip(),
            job_title=attendee.job_title.strip(),
        )
        for attendee in attendees
        if attendee.person or attendee.name.strip()
    )


def _save_sides(conversation: Conversation, organisations: Sequence[Organisation], now: dt.datetime) -> None:
    """Store exactly these organisations as the sides of the conversation. Sides that do not change keep their rows."""
    organisation_by_pk = {organisation.pk: organisation for organisation in organisations}
    for side in conversation.sides.exclude(organisation__in=organisation_by_pk).select_related("organisation"):
        journal.note(SIDE, now=now, side=side.pk, same=side_identity(side))
        side.delete()
    existing_ids = set(conversation.sides.values_list("organisation_id", flat=True))
    Side.objects.bulk_create(
        Side(conversation=conversation, organisation=organisation)
        for pk, organisation in organisation_by_pk.items()
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
    """Add the points that are new, and delete those that are no longer in the record.

    Raises `UnableToRecord` if a point to delete has become an ask or offer.
    """
    new_point_by_key = {
        (point.organisation.pk, str(point.kind), point.text.strip()): point for point in points if point.text.strip()
    }
    for point in conversation.points.select_related("became"):
        key = (point.organisation_id, point.kind, point.text)
        if key in new_point_by_key:
            # The point stays as it is, so it is not new.
            del new_point_by_key[key]
        elif hasattr(point, "became"):
            raise UnableToRecord(f"“{point.text}” has become an {point.direction}, so it must stay in the record.")
        else:
            point.delete()
    Point.objects.bulk_create(
        Point(conversation=conversation, organisation=new_point.organisation, kind=new_point.kind, text=text)
        for (_organisation_id, _kind, text), new_point in new_point_by_key.items()
    )
