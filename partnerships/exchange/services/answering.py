"""Services that acknowledge, refer and decline an entry, and that ask and answer questions about it."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.exchange.event_kinds import EventKind
from partnerships.exchange.models import UNANSWERED_STATUSES, Entry, Question, Receipt, ResponseStatus, Status
from partnerships.exchange.queries.addressing import addressed_ids
from partnerships.exchange.rights import rights_over
from partnerships.exchange.services.emails import (
    email_decline,
    email_question,
    email_question_answered,
    email_referral,
)
from partnerships.exchange.services.recording import (
    UnableToChangeEntry,
    change_status,
    event_kind_of,
    lock_entry,
    record_event,
)
from partnerships.kit.rights import require
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.people.models import User


class UnableToAcknowledge(UnableToChangeEntry):
    """Raised if the entry takes no answers."""


class UnableToRefer(UnableToChangeEntry):
    """Raised if the colleague cannot answer for the organisation, or the entry takes no answers."""


class UnableToAskQuestion(UnableToChangeEntry):
    """Raised if the entry takes no answers, the text is empty, or the question is already answered."""


class UnableToDecline(UnableToChangeEntry):
    """Raised if the entry asks the whole network, the organisation has answered, or no reason was given."""


@transaction.atomic
def acknowledge_entry(*, entry: Entry, organisation: Organisation, author: User, now: dt.datetime) -> Receipt:
    """Record that an organisation has seen an entry that asks it. Raises `UnableToAcknowledge`.

    A second acknowledgement changes nothing.
    """
    lock_entry(entry)
    require(rights_over(entry, author, now).may_answer_for(organisation))
    check_open(entry, UnableToAcknowledge)
    return acknowledge_locked_entry(entry, organisation, author, now)


@transaction.atomic
def refer_entry(
    *, entry: Entry, organisation: Organisation, person: User, note_to_them: str = "", author: User, now: dt.datetime
) -> Receipt:
    """Refer an entry to a colleague who can answer for the organisation, and email the colleague.

    This also acknowledges the entry. Raises `UnableToRefer`.
    """
    lock_entry(entry)
    require(rights_over(entry, author, now).may_answer_for(organisation))
    check_open(entry, UnableToRefer)
    memberships = Membership.objects.current().of_person(person, *EDITING_ROLES)
    if not memberships.filter(organisation=organisation).exists():
        raise UnableToRefer(
            f"{person.display_name} cannot answer for {organisation.name}. Choose one of its editors or leads."
        )

    receipt = acknowledge_locked_entry(entry, organisation, author, now)
    receipt.referred_to = person
    receipt.referred_by = author
    receipt.referred_at = now
    receipt.note = note_to_them.strip()
    receipt.save(update_fields=["referred_to", "referred_by", "referred_at", "note"])

    record_event(
        entry,
        ("referral", receipt.pk),
        event=event_kind_of(entry, "referred"),
        author=author,
        organisation=organisation,
        now=now,
        colleague_id=person.pk,
    )
    email_referral(receipt, author=author, now=now)
    return receipt


@transaction.atomic
def ask_question(*, entry: Entry, organisation: Organisation, text: str, author: User, now: dt.datetime) -> Question:
    """Ask a question before answering, and email the author of the entry.

    This also acknowledges the entry. Raises `UnableToAskQuestion`.
    """
    lock_entry(entry)
    require(rights_over(entry, author, now).may_answer_for(organisation))
    check_open(entry, UnableToAskQuestion)
    if not text.strip():
        raise UnableToAskQuestion("Enter your question.")
    same_question = (
        entry.questions.unanswered().filter(organisation=organisation, author=author, text=text.strip()).first()
    )
    if same_question:
        # The form was sent twice.
        return same_question

    acknowledge_locked_entry(entry, organisation, author, now)
    question = Question.objects.create(
        entry=entry, organisation=organisation, author=author, text=text.strip(), asked_at=now
    )
    record_event(
        entry,
        ("question", question.pk),
        event=event_kind_of(entry, "question_asked"),
        author=author,
        organisation=organisation,
        now=now,
    )
    email_question(question, author=author, now=now)
    return question


@transaction.atomic
def answer_question(*, question: Question, text: str, author: User, now: dt.datetime) -> Question:
    """Answer a question that has no answer yet, and email the person who asked. Raises `UnableToAskQuestion`."""
    lock_entry(question.entry)
    require(rights_over(question.entry, author, now).may_edit)
    question.refresh_from_db()
    if question.is_answered:
        raise UnableToAskQuestion("A colleague has already answered this question, so you do not need to.")
    if not text.strip():
        raise UnableToAskQuestion("Enter your answer.")

    question.answer = text.strip()
    question.answered_by = author
    question.answered_at = now
    question.save(update_fields=["answer", "answered_by", "answered_at"])
    record_event(
        question.entry,
        ("question", question.pk),
        event=EventKind.QUESTION_ANSWERED,
        author=author,
        organisation=question.entry.organisation_id,
        now=now,
    )
    email_question_answered(question, author=author, now=now)
    return question


@transaction.atomic
def decline_entry(*, entry: Entry, organisation: Organisation, reason: str, author: User, now: dt.datetime) -> Receipt:
    """Decline an entry for an organisation that the entry asks, and email the author of the entry.

    When every organisation that was asked has declined, an ask becomes declined itself. Raises `UnableToDecline`.
    """
    lock_entry(entry)
    require(rights_over(entry, author, now).may_answer_for(organisation))
    check_open(entry, UnableToDecline)
    asked_ids = addressed_ids(entry)
    if asked_ids is None:
        raise UnableToDecline("The whole network was asked, so you do not need to decline.")
    if not reason.strip():
        raise UnableToDecline("Enter why you are declining.")
    if entry.responses.filter(organisation=organisation, status=ResponseStatus.MADE).exists():
        raise UnableToDecline("Your organisation has already answered. Withdraw your answer first.")

    receipt = _decline_receipt(entry, organisation, reason.strip(), author, now)
    entry.answered_at = entry.answered_at or now
    if entry.is_ask and entry.status in UNANSWERED_STATUSES and _is_declined_by_all(entry, asked_ids):
        entry.reason = receipt.reason if len(asked_ids) == 1 else "Everyone who was asked has declined."
        _decline_ask(entry, now)
    entry.save(update_fields=["status", "reason", "answered_at", "closed_at", "is_open"])
    email_decline(receipt, author=author, now=now)
    return receipt


def _decline_receipt(entry: Entry, organisation: Organisation, reason: str, author: User, now: dt.datetime) -> Receipt:
    """Store the decline in the organisation's receipt, and record the event. Raises `UnableToDecline`."""
    receipt, _created = Receipt.objects.get_or_create(entry=entry, organisation=organisation)
    if receipt.is_declined:
        raise UnableToDecline(f"{organisation.name} has already declined, so you do not need to.")

    receipt.acknowledged_at = receipt.acknowledged_at or now
    receipt.acknowledged_by = receipt.acknowledged_by or author
    receipt.declined_at = now
    receipt.declined_by = author
    receipt.reason = reason
    receipt.save()
    record_event(
        entry,
        ("receipt", receipt.pk),
        event=event_kind_of(entry, "declined"),
        author=author,
        organisation=organisation,
        now=now,
        reason=receipt.reason,
    )
    return receipt


def _decline_ask(entry: Entry, now: dt.datetime) -> None:
    """Set the status of an ask that every organisation has declined. The caller saves it."""
    status_change = change_status(entry, Status.DECLINED, now=now, error=UnableToDecline)
    # The event has no author, because organisations may see that everyone declined, but not who was asked.
    record_event(
        entry,
        event=EventKind.ASK_DECLINED_BY_ALL,
        author=None,
        organisation=None,
        now=now,
        **status_change,
    )


def _is_declined_by_all(entry: Entry, asked_ids: set[int]) -> bool:
    """Return whether every organisation that the entry asks has declined, and no answer needs a decision."""
    declines = entry.receipts.exclude(declined_at=None)
    declined_ids = set(declines.values_list("organisation_id", flat=True))
    return asked_ids <= declined_ids and not entry.responses.filter(status=ResponseStatus.MADE).exists()


def acknowledge_locked_entry(entry: Entry, organisation: Organisation, author: User, now: dt.datetime) -> Receipt:
    """Acknowledge the (locked) entry for an organisation, and return the organisation's receipt."""
    receipt, _created = Receipt.objects.get_or_create(entry=entry, organisation=organisation)
    if receipt.acknowledged_at is None:
        receipt.acknowledged_at = now
        receipt.acknowledged_by = author
        receipt.save(update_fields=["acknowledged_at", "acknowledged_by"])
    if entry.is_ask and entry.status == Status.SHARED:
        status_change = change_status(entry, Status.ACKNOWLEDGED, now=now, error=UnableToAcknowledge)
        entry.save(update_fields=["status"])
        # The event is about the receipt, because other organisations must not see which organisation acknowledged.
        record_event(
            entry,
            ("receipt", receipt.pk),
            event=EventKind.ASK_ACKNOWLEDGED,
            author=author,
            organisation=organisation,
            now=now,
            **status_change,
        )
    return receipt


def check_open(entry: Entry, error: type[UnableToChangeEntry]) -> None:
    """Raise `error` if the entry takes no answers."""
    if not entry.is_open:
        raise error(f"This {entry.noun} is {entry.get_status_display().lower()}, so you can no longer answer it.")
