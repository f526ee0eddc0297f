"""Services that circulate a record, correct it, and agree to it."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import Conversation, Correction, Status
from partnerships.conversations.queries import attendees_with_access, ids_still_to_agree
from partnerships.conversations.services.actions import make_actions
from partnerships.conversations.services.recording import lock_conversation, record_event
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.outbox.services import record_emails
from partnerships.people.models import User


class UnableToCirculate(Exception):
    """Raised if the record is not a draft."""


class UnableToCorrect(Exception):
    """Raised if the record is not circulated, a text is missing, or the correction has been answered."""


class UnableToAgree(Exception):
    """Raised if the record is not circulated, is agreed already, or has changed since the author read it."""


@transaction.atomic
def circulate(*, conversation: Conversation, author: User, now: dt.datetime) -> Conversation:
    """Circulate the draft to all organisations that took part, and email the attendees. Raises `UnableToCirculate`.

    The organisation that keeps the record thereby agrees to it. Its next steps become actions.
    """
    conversation = lock_conversation(conversation)
    if not conversation.is_draft:
        raise UnableToCirculate(f"The record is {conversation.status_words}, so you cannot circulate it.")
    may_circulate = roles_of(author, now).may_edit_for(conversation.organisation.pk)
    require(may_circulate, f"Only editors of {conversation.organisation.display_name} can circulate this record.")

    conversation.status = Status.CIRCULATED
    conversation.circulated_at = now
    conversation.save(update_fields=["status", "circulated_at"])
    conversation.sides.filter(organisation=conversation.organisation).update(agreed_at=now, agreed_by=author)
    make_actions(conversation, author=author, now=now)

    record_event(
        conversation,
        EventKind.CIRCULATED,
        author=author,
        organisation=conversation.organisation,
        now=now,
        before=Status.DRAFT.label,
        after=Status.CIRCULATED.label,
    )
    record_emails(
        kind="conversations.circulated",
        people=attendees_with_access(conversation).exclude(pk=author.pk).values_list("pk", flat=True),
        params={"conversation": conversation.pk, "author": author.pk},
        sender_id=conversation.organisation_id,
        now=now,
    )
    return conversation


@transaction.atomic
def suggest_correction(
    *, conversation: Conversation, organisation: Organisation, text: str, author: User, now: dt.datetime
) -> Correction:
    """Suggest a correction for an organisation that took part. Raises `UnableToCorrect`."""
    conversation = lock_conversation(conversation)
    if not conversation.is_open_for_correction:
        raise UnableToCorrect(f"The record is {conversation.status_words}, so you cannot suggest a correction.")
    may_correct = roles_of(author, now).may_edit_for(organisation.pk) and _takes_part(conversation, organisation)
    require(may_correct, "Only editors of the organisations that took part can suggest corrections.")
    if organisation.pk == conversation.organisation_id:
        raise UnableToCorrect("Your organisation keeps this record, so change it yourself.")
    if not text.strip():
        raise UnableToCorrect("Enter what needs correcting.")

    correction = Correction.objects.create(
        conversation=conversation, organisation=organisation, author=author, text=text.strip(), made_at=now
    )
    record_event(conversation, EventKind.CORRECTION_SUGGESTED, author=author, organisation=organisation, now=now)
    return correction


@transaction.atomic
def answer_correction(
    *, correction: Correction, taken_up: bool, answer: str, author: User, now: dt.datetime
) -> Correction:
    """Accept a correction, or refuse it with a reason, as the organisation that keeps the record.

    Raises `UnableToCorrect`.
    """
    conversation = lock_conversation(correction.conversation)
    correction = Correction.objects.select_for_update(of=("self",)).get(pk=correction.pk)
    if not correction.is_open:
        raise UnableToCorrect("A colleague has already answered this correction, so you do not need to.")
    may_answer = roles_of(author, now).may_edit_for(conversation.organisation.pk)
    require(may_answer, f"Only editors of {conversation.organisation.display_name} can answer corrections.")
    if not taken_up and not answer.strip():
        raise UnableToCorrect("Enter why you do not accept the correction.")

    correction.taken_up = taken_up
    correction.answer = answer.strip()
    correction.answered_by = author
    correction.answered_at = now
    correction.save(update_fields=["taken_up", "answer", "answered_by", "answered_at"])
    record_event(
        conversation,
        EventKind.CORRECTION_ACCEPTED if taken_up else EventKind.CORRECTION_ANSWERED,
        author=author,
        organisation=conversation.organisation,
        now=now,
    )
    return correction


@transaction.atomic
def agree_record(
    *, conversation: Conversation, organisation: Organisation, revision: int, author: User, now: dt.datetime
) -> Conversation:
    """Agree to the record for one organisation. The last agreement locks the record. Raises `UnableToAgree`.

    `revision` is the revision of the record that the author read. Organisations without an editor or lead on this site
    need not agree. All corrections must be answered before the record is locked.
    """
    conversation = lock_conversation(conversation)
    _check_may_agree(conversation, organisation, revision, author, now)
    has_agreed = conversation.sides.filter(organisation=organisation, agreed_at__isnull=False).exists()
    is_waiting_for_others = bool(ids_still_to_agree(conversation) - {organisation.pk})
    if has_agreed and is_waiting_for_others:
        raise UnableToAgree(f"{organisation.display_name} has already agreed to the record, so you do not need to.")

    if not has_agreed:
        conversation.sides.filter(organisation=organisation).update(agreed_at=now, agreed_by=author)
    before = conversation.get_status_display()
    if not is_waiting_for_others and not conversation.corrections.filter(answered_at=None).exists():
        conversation.status = Status.AGREED
        conversation.agreed_at = now
        conversation.save(update_fields=["status", "agreed_at"])

    record_event(
        conversation,
        EventKind.AGREED,
        author=author,
        organisation=organisation,
        now=now,
        before=before,
        after=conversation.get_status_display(),
    )
    return conversation


def _check_may_agree(
    conversation: Conversation, organisation: Organisation, revision: int, author: User, now: dt.datetime
) -> None:
    """Raise `UnableToAgree` if the author cannot agree to this revision of the record for the organisation."""
    if not conversation.is_open_for_correction:
        raise UnableToAgree(f"The record is {conversation.status_words}, so you cannot agree to it.")
    may_agree = roles_of(author, now).may_edit_for(organisation.pk) and _takes_part(conversation, organisation)
    require(may_agree, "Only editors of the organisations that took part can agree to the record.")
    if revision != conversation.revision:
        raise UnableToAgree("The record has changed since you opened it. Read it again before you agree.")
    if conversation.corrections.filter(answered_at=None, organisation=organisation).exists():
        raise UnableToAgree(
            "Your organisation suggested a correction. Wait for the answer before you agree to the record."
        )


def _takes_part(conversation: Conversation, organisation: Organisation) -> bool:
    """Return whether the organisation took part in the conversation."""
    return conversation.sides.filter(organisation=organisation).exists()
