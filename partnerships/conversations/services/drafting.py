"""Services that write the record of a conversation, change it, and cancel a planned conversation."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import IntegrityError, transaction
from django.utils import timezone

from partnerships.agreements.origin import OriginRecord, UnableToLinkOrigin
from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import CORRECTABLE_STATUSES, Conversation, Status
from partnerships.conversations.services.contents import (
    Record,
    UnableToRecord,
    check_record,
    fields_of,
    save_parts,
)
from partnerships.conversations.services.recording import lock_conversation, record_event
from partnerships.kit.dates import long_date
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User


class UnableToCancel(Exception):
    """Raised if the conversation is not planned, or the reason is missing."""


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
    """Create a conversation that is planned, or the draft record of one that took place. Raises `UnableToRecord`.

    `came_from` is the record of another room from which the conversation was started. If a form with this `key` was
    sent before, the conversation that was created then is returned.
    """
    if existing := _created_with_key(key, author):
        return existing
    require(
        roles_of(author, now).may_edit_for(organisation.pk),
        f"Only editors and leads of {organisation.display_name} can write up this conversation.",
    )
    check_record(record, organisation, timezone.localdate(now))

    try:
        with transaction.atomic():
            conversation = Conversation.objects.create(
                organisation=organisation,
                status=Status.PLANNED if record.planned else Status.DRAFT,
                created_by=author,
                created_at=now,
                key=key,
                **fields_of(record),
            )
    except IntegrityError:
        # The same form was sent twice at once, and the other request has just created the conversation.
        if existing := _created_with_key(key, author):
            return existing
        raise
    save_parts(conversation, record, author=author, now=now)

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
        _link_origin(conversation, came_from, author, now)
    return conversation


def _created_with_key(key: uuid.UUID | None, author: User) -> Conversation | None:
    """Return the conversation that the author created with this form's key; None if there is none."""
    return Conversation.objects.filter(key=key, created_by=author).first() if key else None


def _link_origin(conversation: Conversation, came_from: OriginRecord, author: User, now: dt.datetime) -> None:
    """Link a new conversation to the record of another room from which it was started. Raises `UnableToRecord`."""
    try:
        came_from.origin.link(conversation, came_from.record, author, now)
    except UnableToLinkOrigin as error:
        raise UnableToRecord(str(error)) from error


@transaction.atomic
def edit_conversation(
    *, conversation: Conversation, record: Record, revision: int, author: User, now: dt.datetime
) -> Conversation:
    """Change the record, which is possible until it is agreed. Raises `UnableToRecord`.

    `revision` is the revision that the author edited. A circulated record becomes corrected, and the other
    organisations must agree to it again. A planned conversation becomes a draft if `record` says that it took place.
    """
    conversation = lock_conversation(conversation)
    _check_edit(conversation, record, revision, author, now)

    before = _date_and_status(conversation)
    if conversation.status in CORRECTABLE_STATUSES:
        mark_corrected(conversation, author, now)
    else:
        conversation.status = Status.PLANNED if record.planned else Status.DRAFT
    new_values = fields_of(record)
    for field_name, value in new_values.items():
        setattr(conversation, field_name, value)
    conversation.revision += 1
    conversation.save(update_fields=["status", "revision", *new_values])
    save_parts(conversation, record, author=author, now=now)

    record_event(
        conversation,
        EventKind.CHANGED,
        author=author,
        organisation=conversation.organisation,
        now=now,
        before=before,
        after=_date_and_status(conversation),
    )
    return conversation


def _check_edit(conversation: Conversation, record: Record, revision: int, author: User, now: dt.datetime) -> None:
    """Raise `UnableToRecord` if the author cannot change the conversation in this way."""
    if not conversation.is_editable:
        raise UnableToRecord(f"The record is {conversation.status_words}, so you can no longer change it.")
    may_edit = roles_of(author, now).may_edit_for(conversation.organisation.pk)
    require(may_edit, f"Only editors of {conversation.organisation.display_name} can change this record.")
    if revision != conversation.revision:
        raise UnableToRecord(
            "A colleague changed the record while you were editing. Check the changes before you save."
        )
    check_record(record, conversation.organisation, timezone.localdate(now))
    if record.planned and conversation.status in CORRECTABLE_STATUSES:
        raise UnableToRecord("The record has been circulated, so you can no longer mark the conversation as planned.")


def _date_and_status(conversation: Conversation) -> dict[str, str]:
    """Return what the event of a change shows of the conversation, before and after the change."""
    return {"date": long_date(conversation.held_on), "status": conversation.get_status_display()}


def mark_corrected(conversation: Conversation, author: User, now: dt.datetime) -> None:
    """Mark a circulated record as corrected, so that the other organisations must agree to it again.

    The organisation that keeps the record agrees by changing it. The caller saves the conversation.
    """
    conversation.status = Status.CORRECTED
    conversation.sides.update(agreed_at=None, agreed_by=None)
    conversation.sides.filter(organisation=conversation.organisation).update(agreed_at=now, agreed_by=author)


@transaction.atomic
def cancel_planned(*, conversation: Conversation, reason: str, author: User, now: dt.datetime) -> Conversation:
    """Cancel a planned conversation, with a reason. Raises `UnableToCancel`."""
    conversation = lock_conversation(conversation)
    if not conversation.is_planned:
        raise UnableToCancel(
            f"This conversation is {conversation.status_words}. You can only cancel a planned conversation."
        )
    may_cancel = roles_of(author, now).may_edit_for(conversation.organisation.pk)
    require(may_cancel, f"Only editors of {conversation.organisation.display_name} can cancel this conversation.")
    if not reason.strip():
        raise UnableToCancel("Enter a reason.")

    conversation.status = Status.CANCELLED
    conversation.reason = reason.strip()
    conversation.save(update_fields=["status", "reason"])
    record_event(
        conversation,
        EventKind.CALLED_OFF,
        author=author,
        organisation=conversation.organisation,
        now=now,
        before=Status.PLANNED.label,
        after=Status.CANCELLED.label,
        reason=conversation.reason,
    )
    return conversation
