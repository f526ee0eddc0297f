"""Services that write the record of a conversation, change it, and cancel a planned conversation."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.agreements.origin import OriginRecord, UnableToLinkOrigin
from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import (
    OPEN_FOR_CORRECTION,
    Attendee,
    Attribution,
    Conversation,
    NextStep,
    Point,
    RecordedDecision,
    Side,
    Status,
)
from partnerships.conversations.services.actions import make_actions
from partnerships.conversations.services.notes import write_private_note
from partnerships.conversations.services.recording import lock_conversation, record_event
from partnerships.kit import journal
from partnerships.kit.dates import long_date
from partnerships.kit.rights import require
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User


class UnableToRecord(Exception):
    """Raised if the record is invalid or locked, or was changed by a colleague."""


class UnableToCancel(Exception):
    """Raised if the conversation is not planned, or the reason is missing."""


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


@transaction.atomic
def record_conversation(
    *,
    organisation: Organisation,
    record: Record,
    author: User,
    now: dt.datetime,
    key: uuid.UUID | None = None,
    came_from: OriginRecord | None = None,
) -> Conversation:
    """Create a conversation, which is planned, or a draft if it took place. Raises `UnableToRecord`.

    `came_from` links the conversation to a record of another room. If the form's `key` was used before,
    the conversation that was created then is returned.
    """
    existing = Conversation.objects.filter(key=key, created_by=author).first() if key else None
    if existing is not None:
        return existing
    require(
        roles_of(author, now).edit_for(organisation.pk), f"You cannot make changes for {organisation.display_name}."
    )
    _check(record, organisation, timezone.localdate(now))
    try:
        with transaction.atomic():
            conversation = Conversation.objects.create(
                organisation=organisation,
                status=Status.PLANNED if record.planned else Status.DRAFT,
                created_by=author,
                created_at=now,
                key=key,
                **_fields(record),
            )
    except IntegrityError:
        # The same form was sent twice at once, and the other request has just created the conversation.
        existing = Conversation.objects.filter(key=key, created_by=author).first() if key else None
        if existing is None:
            raise
        return existing
    _write_parts(conversation, record, author=author, now=now)
    event = EventKind.PLANNED if record.planned else EventKind.RECORDED
    record_event(
        conversation,
        event,
        author=author,
        organisation=organisation,
        now=now,
        after={"date": long_date(record.held_on)},
    )
    if came_from is not None:
        try:
            came_from.origin.link(conversation, came_from.record, author, now)
        except UnableToLinkOrigin as error:
            raise UnableToRecord(str(error)) from error
    return conversation


@transaction.atomic
def edit_conversation(
    *, conversation: Conversation, record: Record, revision: int, author: User, now: dt.datetime
) -> Conversation:
    """Change the record, which is possible until it is agreed. Raises `UnableToRecord`.

    A circulated record becomes corrected, and all other sides must agree again. A planned conversation becomes a draft
    if `record` says that it took place. `revision` is the revision that the author edited.
    """
    current = lock_conversation(conversation)
    if not current.is_editable:
        raise UnableToRecord(f"The record is {current.status_words}, so you can no longer change it.")
    may_edit = roles_of(author, now).edit_for(current.organisation.pk)
    require(may_edit, f"Only editors of {current.organisation.display_name} can change this record.")
    if revision != current.revision:
        raise UnableToRecord(
            "A colleague changed the record while you were editing. Check the changes before you save."
        )
    _check(record, current.organisation, timezone.localdate(now))
    before = {"date": long_date(current.held_on), "status": current.get_status_display()}
    if current.status in OPEN_FOR_CORRECTION:
        if record.planned:
            raise UnableToRecord(
                "The record has been circulated, so you can no longer mark the conversation as planned."
            )
        current.status = Status.CORRECTED
        current.sides.update(agreed_at=None, agreed_by=None)
        current.sides.filter(organisation=current.organisation).update(agreed_at=now, agreed_by=author)
    else:
        current.status = Status.PLANNED if record.planned else Status.DRAFT
    fields = _fields(record)
    for name, value in fields.items():
        setattr(current, name, value)
    current.revision += 1
    current.save(update_fields=["status", "revision", *fields])
    _write_parts(current, record, author=author, now=now)
    record_event(
        current,
        EventKind.CHANGED,
        author=author,
        organisation=current.organisation,
        now=now,
        before=before,
        after={"date": long_date(current.held_on), "status": current.get_status_display()},
    )
    return current


@transaction.atomic
def cancel_planned(*, conversation: Conversation, reason: str, author: User, now: dt.datetime) -> Conversation:
    """Cancel a planned conversation, with a reason. Raises `UnableToCancel`."""
    current = lock_conversation(conversation)
    if not current.is_planned:
        raise UnableToCancel(
            f"This conversation is {current.status_words}. You can only cancel a planned conversation."
        )
    may_cancel = roles_of(author, now).edit_for(current.organisation.pk)
    require(may_cancel, f"Only editors of {current.organisation.display_name} can cancel this conversation.")
    if not reason.strip():
        raise UnableToCancel("Give a reason.")
    current.status, current.reason = Status.CANCELLED, reason.strip()
    current.save(update_fields=["status", "reason"])
    record_event(
        current,
        EventKind.CALLED_OFF,
        author=author,
        organisation=current.organisation,
        now=now,
        before=Status.PLANNED.label,
        after=Status.CANCELLED.label,
        reason=current.reason,
    )
    return current


def _fields(record: Record) -> dict[str, object]:
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


def _check(record: Record, keeper: Organisation, today: dt.date) -> None:
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
    side_ids = other_ids | {keeper.pk}
    if record.partnership is not None:
        party_ids = set(record.partnership.parties.present().values_list("organisation_id", flat=True))
        if keeper.pk not in party_ids:
            raise UnableToRecord(
                f"{keeper.display_name} is not a party to {record.partnership.title}. "
                "Choose another partnership, or none."
            )
        if not other_ids & party_ids:
            raise UnableToRecord(
                f"None of the other organisations is a party to {record.partnership.title}. "
                "Choose another partnership, or none."
            )
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
    for step in record.next_steps:
        if not step.text.strip():
            raise UnableToRecord("Enter what needs to be done in each next step.")
    _check_people(record)


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


def _write_parts(conversation: Conversation, record: Record, *, author: User, now: dt.datetime) -> None:
    """Write the rows that belong to a record: points, decisions, attendees, sides, next steps and private note."""
    organisations_by_id = {
        organisation.pk: organisation for organisation in (conversation.organisation, *record.organisations)
    }
    _keep_points(conversation, record.points)
    _keep_decisions(conversation, record.decisions)
    conversation.attendees.all().delete()
    Attendee.objects.bulk_create(
        Attendee(
            conversation=conversation,
            organisation=seat.organisation,
            person=seat.person,
            name="" if seat.person else seat.name.strip(),
            job_title=seat.job_title.strip(),
        )
        for seat in record.attendees
        if seat.person or seat.name.strip()
    )
    for side in conversation.sides.exclude(organisation__in=organisations_by_id).select_related("organisation"):
        journal.note(SIDE, now=now, side=side.pk, same=side_identity(side))
        side.delete()
    existing_ids = set(conversation.sides.values_list("organisation_id", flat=True))
    Side.objects.bulk_create(
        Side(conversation=conversation, organisation=organisation)
        for pk, organisation in organisations_by_id.items()
        if pk not in existing_ids
    )
    conversation.next_steps.filter(action=None).delete()
    NextStep.objects.bulk_create(
        NextStep(
            conversation=conversation,
            organisation=step.organisation,
            owner=step.owner,
            text=step.text.strip(),
            due_on=step.due_on,
        )
        for step in record.next_steps
    )
    if conversation.status in OPEN_FOR_CORRECTION:
        make_actions(conversation, author=author, now=now)
    if record.private_note is not None:
        write_private_note(
            conversation=conversation,
            organisation=conversation.organisation,
            text=record.private_note,
            author=author,
            now=now,
        )


def _keep_decisions(conversation: Conversation, decisions: Sequence[str]) -> None:
    """Replace the decisions if they changed."""
    texts = [text.strip() for text in decisions if text.strip()]
    if texts == list(conversation.decisions.order_by("position").values_list("text", flat=True)):
        return
    conversation.decisions.all().delete()
    RecordedDecision.objects.bulk_create(
        RecordedDecision(conversation=conversation, position=position, text=text)
        for position, text in enumerate(texts, start=1)
    )


def _keep_points(conversation: Conversation, points: Sequence[PointInput]) -> None:
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
