"""Acknowledging, referring, asking about and declining an entry."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.exchange.event_kinds import EventKind
from partnerships.exchange.models import UNANSWERED, Entry, Question, Receipt, ResponseStatus, Status
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
    event_about,
    lock_entry,
    record_event,
)
from partnerships.kit.rights import require
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.people.models import User


class UnableToAcknowledge(UnableToChangeEntry):
    """The entry takes no answers."""


class UnableToRefer(UnableToChangeEntry):
    """The colleague cannot answer for the organisation, or it is closed."""


class UnableToAskQuestion(UnableToChangeEntry):
    """The entry takes no answers, or the text is empty or already answered."""


class UnableToDecline(UnableToChangeEntry):
    """It asks the whole network, has an answer, or no reason was given."""


@transaction.atomic
def acknowledge_entry(*, entry: Entry, organisation: Organisation, author: User, now: dt.datetime) -> Receipt:
    """Record that an asked organisation has seen it.

    Doing it again changes nothing. Raises `UnableToAcknowledge`.
    """
    lock_entry(entry)
    require(rights_over(entry, author, now).may_answer_for(organisation))
    check_open(entry, UnableToAcknowledge)
    return acknowledge(entry, organisation, author, now)


@transaction.atomic
def refer_entry(
    *, entry: Entry, organisation: Organisation, person: User, note_to_them: str = "", author: User, now: dt.datetime
) -> Receipt:
    """Refer an entry to a colleague, and acknowledge it.

    The colleague must be able to answer for the organisation. Raises `UnableToRefer`.
    """
    lock_entry(entry)
    require(rights_over(entry, author, now).may_answer_for(organisation))
    check_open(entry, UnableToRefer)
    able = Membership.objects.current().of_person(person, *EDITING_ROLES).filter(organisation=organisation)
    if not able.exists():
        raise UnableToRefer(f"{person.display_name} cannot answer for {organisation.name}.")
    receipt = acknowledge(entry, organisation, author, now)
    receipt.referred_to = person
    receipt.referred_by = author
    receipt.referred_at = now
    receipt.note = note_to_them.strip()
    receipt.save(update_fields=["referred_to", "referred_by", "referred_at", "note"])
    record_event(
        entry,
        ("referral", receipt.pk),
        event=event_about(entry, "referred"),
        author=author,
        organisation=organisation,
        now=now,
        colleague_id=person.pk,
    )
    email_referral(receipt, author=author, now=now)
    return receipt


@transaction.atomic
def ask_question(*, entry: Entry, organisation: Organisation, text: str, author: User, now: dt.datetime) -> Question:
    """Ask a question before answering, and acknowledge the entry. Raises `UnableToAskQuestion`."""
    lock_entry(entry)
    require(rights_over(entry, author, now).may_answer_for(organisation))
    check_open(entry, UnableToAskQuestion)
    if not text.strip():
        raise UnableToAskQuestion("Enter your question.")
    asked_before = entry.questions.open().filter(organisation=organisation, author=author, text=text.strip()).first()
    if asked_before:
        return asked_before
    acknowledge(entry, organisation, author, now)
    question = Question.objects.create(
        entry=entry, organisation=organisation, author=author, text=text.strip(), asked_at=now
    )
    record_event(
        entry,
        ("question", question.pk),
        event=event_about(entry, "question_asked"),
        author=author,
        organisation=organisation,
        now=now,
    )
    email_question(question, author=author, now=now)
    return question


@transaction.atomic
def answer_question(*, question: Question, text: str, author: User, now: dt.datetime) -> Question:
    """Answer a question, once. Raises `UnableToAskQuestion`."""
    lock_entry(question.entry)
    require(rights_over(question.entry, author, now).may_edit)
    question.refresh_from_db()
    if question.is_answered:
        raise UnableToAskQuestion("This question has already been answered.")
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
    """Decline for one asked organisation. Raises `UnableToDecline`.

    When every asked organisation has declined an ask, the ask itself is declined.
    """
    lock_entry(entry)
    require(rights_over(entry, author, now).may_answer_for(organisation))
    check_open(entry, UnableToDecline)
    addressed = addressed_ids(entry)
    if addressed is None:
        raise UnableToDecline("The whole network was asked, so there is no need to decline.")
    if not reason.strip():
        raise UnableToDecline("Say why you are declining.")
    if entry.responses.filter(organisation=organisation, status=ResponseStatus.MADE).exists():
        raise UnableToDecline("Your organisation has already answered. Withdraw that answer first.")
    receipt, _ = Receipt.objects.get_or_create(entry=entry, organisation=organisation)
    if receipt.is_declined:
        raise UnableToDecline(f"{organisation.name} has already declined.")
    receipt.acknowledged_at = receipt.acknowledged_at or now
    receipt.acknowledged_by = receipt.acknowledged_by or author
    receipt.declined_at = now
    receipt.declined_by = author
    receipt.reason = reason.strip()
    receipt.save()
    record_event(
        entry,
        ("receipt", receipt.pk),
        event=event_about(entry, "declined"),
        author=author,
        organisation=organisation,
        now=now,
        reason=receipt.reason,
    )
    entry.answered_at = entry.answered_at or now
    declined = set(entry.receipts.exclude(declined_at=None).values_list("organisation_id", flat=True))
    nobody_left = addressed <= declined and not entry.responses.filter(status=ResponseStatus.MADE).exists()
    if entry.is_ask and entry.status in UNANSWERED and nobody_left:
        step = change_status(entry, Status.DECLINED, now=now, error=UnableToDecline)
        entry.reason = receipt.reason if len(addressed) == 1 else "Everybody who was asked declined."
        # Other asked organisations may see that everybody declined, but not who they were.
        event = EventKind.ASK_DECLINED_BY_ALL
        record_event(entry, event=event, author=None, organisation=None, now=now, **step)
    entry.save(update_fields=["status", "reason", "answered_at", "closed_at", "is_open"])
    email_decline(receipt, author=author, now=now)
    return receipt


def acknowledge(entry: Entry, organisation: Organisation, author: User, now: dt.datetime) -> Receipt:
    """The organisation's receipt for the (locked) entry, acknowledged."""
    receipt, _ = Receipt.objects.get_or_create(entry=entry, organisation=organisation)
    if receipt.acknowledged_at is None:
        receipt.acknowledged_at = now
        receipt.acknowledged_by = author
        receipt.save(update_fields=["acknowledged_at", "acknowledged_by"])
    if entry.is_ask and entry.status == Status.SHARED:
        step = change_status(entry, Status.ACKNOWLEDGED, now=now, error=UnableToAcknowledge)
        entry.save(update_fields=["status"])
        # An event of the receipt: other asked organisations must not see who acknowledged.
        record_event(
            entry,
            ("receipt", receipt.pk),
            event=EventKind.ASK_ACKNOWLEDGED,
            author=author,
            organisation=organisation,
            now=now,
            **step,
        )
    return receipt


def check_open(entry: Entry, error: type[UnableToChangeEntry]) -> None:
    """Raises `error` if the entry takes no answers."""
    if not entry.is_open:
        raise error(f"This is {entry.get_status_display().lower()} and takes no more answers.")
