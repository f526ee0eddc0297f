"""Services that circulate a record, correct it, and agree to it."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import Conversation, Correction, Status
from partnerships.conversations.queries import attendees_with_access, sides_to_ask
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
    """Circulate the draft to every side, and turn its next steps into actions. Raises `UnableToCirculate`."""
    current = lock_conversation(conversation)
    if not current.is_draft:
        raise UnableToCirculate(f"The record is {current.status_words}, so you cannot circulate it.")
    may_circulate = roles_of(author, now).edit_for(current.organisation.pk)
    require(may_circulate, f"Only editors of {current.organisation.display_name} can circulate this record.")
    current.status, current.circulated_at = Status.CIRCULATED, now
    current.save(update_fields=["status", "circulated_at"])
    current.sides.filter(organisation=current.organisation).update(agreed_at=now, agreed_by=author)
    make_actions(current, author=author, now=now)
    record_event(
        current,
        EventKind.CIRCULATED,
        author=author,
        organisation=current.organisation,
        now=now,
        before=Status.DRAFT.label,
        after=Status.CIRCULATED.label,
    )
    record_emails(
        kind="conversations.circulated",
        people=attendees_with_access(current).exclude(pk=author.pk).values_list("pk", flat=True),
        params={"conversation": current.pk, "author": author.pk},
        sender_id=current.organisation_id,
        now=now,
    )
    return current


@transaction.atomic
def suggest_correction(
    *, conversation: Conversation, organisation: Organisation, text: str, author: User, now: dt.datetime
) -> Correction:
    """Suggest a correction for a side. Raises `UnableToCorrect`."""
    current = lock_conversation(conversation)
    if not current.is_open_for_correction:
        raise UnableToCorrect(f"The record is {current.status_words}, so you cannot suggest a correction.")
    may_correct = roles_of(author, now).edit_for(organisation.pk) and _takes_part(current, organisation)
    require(may_correct, "Only editors of the organisations that took part can suggest corrections.")
    if organisation.pk == current.organisation_id:
        raise UnableToCorrect("Your organisation keeps this record, so change it yourself.")
    if not text.strip():
        raise UnableToCorrect("Say what needs correcting.")
    correction = Correction.objects.create(
        conversation=current, organisation=organisation, author=author, text=text.strip(), made_at=now
    )
    record_event(current, EventKind.CORRECTION_SUGGESTED, author=author, organisation=organisation, now=now)
    return correction


@transaction.atomic
def answer_correction(
    *, correction: Correction, taken_up: bool, answer: str, author: User, now: dt.datetime
) -> Correction:
    """Accept a correction for the keeper, or refuse it with a reason. Raises `UnableToCorrect`."""
    current = lock_conversation(correction.conversation)
    locked = Correction.objects.select_for_update(of=("self",)).get(pk=correction.pk)
    if not locked.is_open:
        raise UnableToCorrect("A colleague has already answered this correction, so you do not need to.")
    may_answer = roles_of(author, now).edit_for(current.organisation.pk)
    require(may_answer, f"Only editors of {current.organisation.display_name} can answer corrections.")
    if not taken_up and not answer.strip():
        raise UnableToCorrect("Say why you do not accept the correction.")
    locked.taken_up, locked.answer = taken_up, answer.strip()
    locked.answered_by, locked.answered_at = author, now
    locked.save(update_fields=["taken_up", "answer", "answered_by", "answered_at"])
    record_event(
        current,
        EventKind.CORRECTION_ACCEPTED if taken_up else EventKind.CORRECTION_ANSWERED,
        author=author,
        organisation=current.organisation,
        now=now,
    )
    return locked


@transaction.atomic
def agree_record(
    *, conversation: Conversation, organisation: Organisation, revision: int, author: User, now: dt.datetime
) -> Conversation:
    """Agree to the record for one side; the last agreement locks the record. Raises `UnableToAgree`.

    The record is locked without the agreement of sides that have no editor or lead on this site. A side's own
    corrections must be answered before the side agrees, and all corrections before the record is locked.
    `revision` is the revision of the record that the author read.
    """
    current = lock_conversation(conversation)
    if not current.is_open_for_correction:
        raise UnableToAgree(f"The record is {current.status_words}, so you cannot agree to it.")
    may_agree = roles_of(author, now).edit_for(organisation.pk) and _takes_part(current, organisation)
    require(may_agree, "Only editors of the organisations that took part can agree to the record.")
    if revision != current.revision:
        raise UnableToAgree("The record has changed since you opened it. Read it again before you agree.")
    if current.corrections.filter(answered_at=None, organisation=organisation).exists():
        raise UnableToAgree(
            "Your organisation suggested a correction. Wait for the answer before you agree to the record."
        )
    has_agreed = current.sides.filter(organisation=organisation, agreed_at__isnull=False).exists()
    sides_who_can_agree = sides_to_ask(current)
    if has_agreed and sides_who_can_agree - {organisation.pk}:
        raise UnableToAgree(f"{organisation.display_name} has already agreed to the record, so you do not need to.")
    if not has_agreed:
        current.sides.filter(organisation=organisation).update(agreed_at=now, agreed_by=author)
    before = current.get_status_display()
    if not sides_who_can_agree - {organisation.pk} and not current.corrections.filter(answered_at=None).exists():
        current.status, current.agreed_at = Status.AGREED, now
        current.save(update_fields=["status", "agreed_at"])
    record_event(
        current,
        EventKind.AGREED,
        author=author,
        organisation=organisation,
        now=now,
        before=before,
        after=current.get_status_display(),
    )
    return current


def _takes_part(conversation: Conversation, organisation: Organisation) -> bool:
    return conversation.sides.filter(organisation=organisation).exists()
