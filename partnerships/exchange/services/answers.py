"""Answering asks and offers: seen, asked back, referred, declined, responded to; and deciding the responses."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction

from partnerships.exchange.event_kinds import EventKind
from partnerships.exchange.models import (
    UNANSWERED,
    Direction,
    Entry,
    Question,
    Receipt,
    Response,
    ResponseStatus,
    Status,
)
from partnerships.exchange.queries.addressing import addressed_ids
from partnerships.exchange.rights import rights_over
from partnerships.exchange.services.common import (
    UnableToChangeEntry,
    event_about,
    lock,
    may_read,
    move,
    note,
    note_about,
)
from partnerships.exchange.services.emails import (
    tell_of_decision,
    tell_of_decline,
    tell_of_question,
    tell_of_referral,
    tell_of_reply,
    tell_of_response,
)
from partnerships.exchange.services.entries import still_open
from partnerships.kit.rights import require
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.people.models import User


class UnableToAcknowledge(UnableToChangeEntry):
    """The organisation is not asked, or the entry waits for nothing."""


class UnableToRefer(UnableToChangeEntry):
    """The colleague cannot answer for the organisation, or the organisation is not asked."""


class UnableToAskBack(UnableToChangeEntry):
    """The organisation is not asked, or the question is empty or answered."""


class UnableToDecline(UnableToChangeEntry):
    """The organisation is not asked by name, or gave no reason, or declined already."""


class UnableToRespond(UnableToChangeEntry):
    """The organisation is not asked, has answered already, or wants more than is left."""


class UnableToDecide(UnableToChangeEntry):
    """The response is decided already, nothing is left to agree to, or no reason was given."""


class UnableToWithdrawResponse(UnableToChangeEntry):
    """The response is decided already."""


@transaction.atomic
def acknowledge_entry(*, entry: Entry, organisation: Organisation, author: User, now: dt.datetime) -> Receipt:
    """Say that an addressed organisation has seen it. A second time changes nothing. Raises `UnableToAcknowledge`."""
    lock(entry)
    require(rights_over(entry, author, now).may_answer_for(organisation))
    _check_open(entry, UnableToAcknowledge)
    return _acknowledge(entry, organisation, author, now)


@transaction.atomic
def refer_entry(
    *, entry: Entry, organisation: Organisation, person: User, note_to_them: str = "", author: User, now: dt.datetime
) -> Receipt:
    """Give it to a colleague who may answer for the organisation; acknowledges it. Raises `UnableToRefer`."""
    lock(entry)
    require(rights_over(entry, author, now).may_answer_for(organisation))
    _check_open(entry, UnableToRefer)
    able = Membership.objects.current().of_person(person, *EDITING_ROLES).filter(organisation=organisation)
    if not able.exists():
        raise UnableToRefer(f"{person.display_name} cannot answer for {organisation.name}.")
    receipt = _acknowledge(entry, organisation, author, now)
    receipt.referred_to = person
    receipt.referred_by = author
    receipt.referred_at = now
    receipt.note = note_to_them.strip()
    receipt.save(update_fields=["referred_to", "referred_by", "referred_at", "note"])
    note_about(
        "referral",
        receipt.pk,
        entry=entry,
        event=event_about(entry, "referred"),
        author=author,
        organisation=organisation,
        now=now,
        colleague_id=person.pk,
    )
    tell_of_referral(receipt, author=author, now=now)
    return receipt


@transaction.atomic
def ask_back(*, entry: Entry, organisation: Organisation, text: str, author: User, now: dt.datetime) -> Question:
    """Put a question before answering; acknowledges the entry. Raises `UnableToAskBack`."""
    lock(entry)
    require(rights_over(entry, author, now).may_answer_for(organisation))
    _check_open(entry, UnableToAskBack)
    if not text.strip():
        raise UnableToAskBack("Enter your question.")
    same = entry.questions.open().filter(organisation=organisation, author=author, text=text.strip()).first()
    if same:
        return same
    _acknowledge(entry, organisation, author, now)
    question = Question.objects.create(
        entry=entry, organisation=organisation, author=author, text=text.strip(), asked_at=now
    )
    note_about(
        "question",
        question.pk,
        entry=entry,
        event=event_about(entry, "question_asked"),
        author=author,
        organisation=organisation,
        now=now,
    )
    tell_of_question(question, author=author, now=now)
    return question


@transaction.atomic
def answer_question(*, question: Question, text: str, author: User, now: dt.datetime) -> Question:
    """Answer what was asked back, once. Raises `UnableToAskBack`."""
    lock(question.entry)
    require(rights_over(question.entry, author, now).may_edit)
    question.refresh_from_db()
    if question.is_answered:
        raise UnableToAskBack("This question has already been answered.")
    if not text.strip():
        raise UnableToAskBack("Enter your answer.")
    question.answer = text.strip()
    question.answered_by = author
    question.answered_at = now
    question.save(update_fields=["answer", "answered_by", "answered_at"])
    note_about(
        "question",
        question.pk,
        entry=question.entry,
        event=EventKind.QUESTION_ANSWERED,
        author=author,
        organisation=question.entry.organisation_id,
        now=now,
    )
    tell_of_reply(question, author=author, now=now)
    return question


@transaction.atomic
def decline_entry(*, entry: Entry, organisation: Organisation, reason: str, author: User, now: dt.datetime) -> Receipt:
    """Say no for one addressed organisation; an ask that everybody asked has declined is declined.

    Raises `UnableToDecline`.
    """
    lock(entry)
    require(rights_over(entry, author, now).may_answer_for(organisation))
    _check_open(entry, UnableToDecline)
    asked = addressed_ids(entry)
    if asked is None:
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
    note_about(
        "receipt",
        receipt.pk,
        entry=entry,
        event=event_about(entry, "declined"),
        author=author,
        organisation=organisation,
        now=now,
        reason=receipt.reason,
    )
    entry.answered_at = entry.answered_at or now
    declined = set(entry.receipts.exclude(declined_at=None).values_list("organisation_id", flat=True))
    nobody_left = asked <= declined and not entry.responses.filter(status=ResponseStatus.MADE).exists()
    if entry.is_ask and entry.status in UNANSWERED and nobody_left:
        step = move(entry, Status.DECLINED, now=now, error=UnableToDecline)
        entry.reason = receipt.reason if len(asked) == 1 else "Everybody who was asked declined."
        # Others who were asked may know that, never who they were.
        note(entry=entry, event=EventKind.ASK_DECLINED_BY_ALL, author=None, organisation=None, now=now, **step)
    entry.save(update_fields=["status", "reason", "answered_at", "closed_at", "is_open"])
    tell_of_decline(receipt, author=author, now=now)
    return receipt


@transaction.atomic
def respond(
    *,
    entry: Entry,
    organisation: Organisation,
    text: str,
    author: User,
    now: dt.datetime,
    quantity: Decimal | None = None,
    counterpart: Entry | None = None,
) -> Response:
    """Answer for an addressed organisation: all of it, or the quantity named. Raises `UnableToRespond`.

    `counterpart` is an entry of the answering organisation that fits; the other side must be able to read it.
    """
    lock(entry)
    require(rights_over(entry, author, now).may_answer_for(organisation))
    _check_open(entry, UnableToRespond)
    if not text.strip():
        raise UnableToRespond("Enter what you can offer, or what you need.")
    if entry.responses.waiting().filter(organisation=organisation).exists():
        raise UnableToRespond(f"{organisation.name} has already answered. Wait for the decision, or withdraw it.")
    _check_quantity(entry, quantity, UnableToRespond)
    if counterpart is not None:
        _check_counterpart(entry, organisation, counterpart)
    _acknowledge(entry, organisation, author, now)
    response = Response.objects.create(
        entry=entry,
        organisation=organisation,
        author=author,
        text=text.strip(),
        quantity=quantity,
        counterpart=counterpart,
        made_at=now,
    )
    if entry.answered_at is None:
        entry.answered_at = now
        entry.save(update_fields=["answered_at"])
    note_about(
        "response",
        response.pk,
        entry=entry,
        event=event_about(entry, "answered"),
        author=author,
        organisation=organisation,
        now=now,
        quantity=str(quantity or ""),
    )
    tell_of_response(response, author=author, now=now)
    return response


@transaction.atomic
def decide_response(
    *, response: Response, accept: bool, reason: str, author: User, now: dt.datetime, part: bool = False
) -> Response:
    """Accept or decline a response for the entry's organisation; a decline needs a reason. Raises `UnableToDecide`.

    `part` says that more is wanted where no quantity tells. Two who accept the last of an offer at once: the second is
    told that nothing is left.
    """
    entry = response.entry
    lock(entry)
    require(rights_over(entry, author, now).may_edit)
    response.refresh_from_db()
    if not response.is_waiting:
        raise UnableToDecide(f"This answer is already {response.get_status_display().lower()}.")
    if accept:
        step = _accept(response, part, now)
    elif not reason.strip():
        raise UnableToDecide("Say why you are declining.")
    else:
        response.status = ResponseStatus.DECLINED
        step = {}
    response.reason = reason.strip()
    response.decided_at = now
    response.decided_by = author
    response.save(update_fields=["status", "agreed_quantity", "reason", "decided_at", "decided_by"])
    note_about(
        "response",
        response.pk,
        entry=entry,
        event=EventKind.ANSWER_ACCEPTED if accept else EventKind.ANSWER_DECLINED,
        author=author,
        organisation=entry.organisation_id,
        now=now,
        reason=response.reason,
    )
    if step:
        note(
            entry=entry,
            event=event_about(entry, "agreed"),
            author=author,
            organisation=entry.organisation_id,
            now=now,
            **step,
        )
    tell_of_decision(response, author=author, now=now)
    return response


@transaction.atomic
def withdraw_response(*, response: Response, reason: str = "", author: User, now: dt.datetime) -> Response:
    """Take an answer back before it is decided; the entry waits again where nobody else has answered.

    Raises `UnableToWithdrawResponse`.
    """
    entry = response.entry
    lock(entry)
    require(rights_over(entry, author, now).may_withdraw(response))
    response.refresh_from_db()
    if not response.is_waiting:
        raise UnableToWithdrawResponse(f"This answer is already {response.get_status_display().lower()}.")
    response.status = ResponseStatus.WITHDRAWN
    response.reason = reason.strip()
    response.decided_at = now
    response.decided_by = author
    response.save(update_fields=["status", "reason", "decided_at", "decided_by"])
    answered = (
        entry.responses.exclude(status=ResponseStatus.WITHDRAWN).exists()
        or entry.receipts.exclude(declined_at=None).exists()
    )
    if not answered and entry.status in UNANSWERED:
        entry.answered_at = None
        entry.save(update_fields=["answered_at"])
    note_about(
        "response",
        response.pk,
        entry=entry,
        event=EventKind.ANSWER_WITHDRAWN,
        author=author,
        organisation=response.organisation_id,
        now=now,
        reason=response.reason,
    )
    return response


def _accept(response: Response, part: bool, now: dt.datetime) -> dict[str, str]:
    """Take the response into its (locked) entry; returns the entry's step, empty where its status stays."""
    entry = response.entry
    if not entry.is_open:
        raise UnableToDecide("Nothing is left to accept.")
    _check_quantity(entry, response.quantity, UnableToDecide)
    response.status = ResponseStatus.ACCEPTED
    response.agreed_quantity = response.quantity
    if entry.quantity is not None and not entry.standing:
        response.agreed_quantity = response.quantity or entry.left
        entry.agreed_quantity += response.agreed_quantity or Decimal(0)
    whole = entry.left == 0 if entry.quantity is not None else not part
    if entry.standing:
        status = entry.status
    elif entry.direction == Direction.OFFER:
        status = Status.TAKEN_UP
    else:
        status = Status.ACCEPTED if whole else Status.PART_ACCEPTED
    step = {} if status == entry.status else move(entry, status, now=now, error=UnableToDecide)
    entry.answered_at = entry.answered_at or now
    entry.is_open = entry.standing or (still_open(entry) and not whole)
    entry.matched_at = None
    entry.save(update_fields=["status", "agreed_quantity", "answered_at", "is_open", "matched_at"])
    return step


def _acknowledge(entry: Entry, organisation: Organisation, author: User, now: dt.datetime) -> Receipt:
    receipt, _ = Receipt.objects.get_or_create(entry=entry, organisation=organisation)
    if receipt.acknowledged_at is None:
        receipt.acknowledged_at = now
        receipt.acknowledged_by = author
        receipt.save(update_fields=["acknowledged_at", "acknowledged_by"])
    if entry.is_ask and entry.status == Status.SHARED:
        step = move(entry, Status.ACKNOWLEDGED, now=now, error=UnableToAcknowledge)
        entry.save(update_fields=["status"])
        # In the receipt's own timeline: others who were asked are not told who has seen it.
        note_about(
            "receipt",
            receipt.pk,
            entry=entry,
            event=EventKind.ASK_ACKNOWLEDGED,
            author=author,
            organisation=organisation,
            now=now,
            **step,
        )
    return receipt


def _check_open(entry: Entry, error: type[UnableToChangeEntry]) -> None:
    if not entry.is_open:
        raise error(f"It is {entry.get_status_display().lower()} and takes no more answers.")


def _check_quantity(entry: Entry, quantity: Decimal | None, error: type[UnableToChangeEntry]) -> None:
    if quantity is None:
        return
    if quantity <= 0:
        raise error("The quantity must be more than 0.")
    if entry.quantity is None:
        raise error("It has no quantity. Say how much in your answer.")
    if not entry.standing and entry.left is not None and quantity > entry.left:
        raise error(f"Only {entry.amount_left} are left.")


def _check_counterpart(entry: Entry, organisation: Organisation, counterpart: Entry) -> None:
    if counterpart.organisation_id != organisation.pk or counterpart.direction == entry.direction:
        raise UnableToRespond(f"Choose an ask or offer of {organisation.name} that fits.")
    if not may_read(counterpart, entry.organisation_id):
        raise UnableToRespond(f"{entry.organisation.name} cannot read “{counterpart.title}”. Share it with them first.")
