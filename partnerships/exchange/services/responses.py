"""Services that answer asks and offers, and that decide and withdraw answers."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction

from partnerships.exchange.event_kinds import EventKind
from partnerships.exchange.models import UNANSWERED_STATUSES, Direction, Entry, Response, ResponseStatus, Status
from partnerships.exchange.queries.addressing import is_readable_by
from partnerships.exchange.rights import rights_over
from partnerships.exchange.services.answering import acknowledge_locked_entry, check_open
from partnerships.exchange.services.emails import email_decision, email_response
from partnerships.exchange.services.recording import (
    UnableToChangeEntry,
    change_status,
    event_kind_of,
    lock_entry,
    record_event,
)
from partnerships.exchange.services.status import takes_answers
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


class UnableToRespond(UnableToChangeEntry):
    """Raised if the organisation has already answered, or wants more than is left."""


class UnableToDecide(UnableToChangeEntry):
    """Raised if the answer is already decided, nothing of the entry is left, or a decline has no reason."""


class UnableToWithdrawResponse(UnableToChangeEntry):
    """Raised if the answer is already decided."""


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
    """Answer an entry for an organisation that it asks, and email the author of the entry.

    Without a `quantity`, the answer is for all that is left. `counterpart` is a matching entry of the answering
    organisation. The organisation of `entry` must be able to read it. This also acknowledges the entry. Raises
    `UnableToRespond`.
    """
    lock_entry(entry)
    require(rights_over(entry, author, now).may_answer_for(organisation))
    check_open(entry, UnableToRespond)
    if not text.strip():
        raise UnableToRespond("Enter what you can offer." if entry.is_ask else "Enter what you need.")
    if entry.responses.waiting().filter(organisation=organisation).exists():
        raise UnableToRespond(
            f"{organisation.name} has already answered. Wait for the decision, or withdraw the answer."
        )
    _check_quantity(entry, quantity, UnableToRespond)
    if counterpart is not None:
        _check_counterpart(entry, organisation, counterpart)

    acknowledge_locked_entry(entry, organisation, author, now)
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

    record_event(
        entry,
        ("response", response.pk),
        event=event_kind_of(entry, "answered"),
        author=author,
        organisation=organisation,
        now=now,
        quantity=str(quantity or ""),
    )
    email_response(response, author=author, now=now)
    return response


@transaction.atomic
def decide_response(
    *, response: Response, accept: bool, reason: str, author: User, now: dt.datetime, part: bool = False
) -> Response:
    """Accept or decline an answer, and email the person who gave it. Raises `UnableToDecide`.

    A decline needs a reason. `part` means that more is needed, for entries without a quantity. If two people accept
    the last of an offer at the same time, the second acceptance is refused.
    """
    entry = response.entry
    lock_entry(entry)
    require(rights_over(entry, author, now).may_edit)
    # Fetched again under the lock, because a colleague may have decided first.
    response.refresh_from_db()
    if not response.is_waiting:
        status = response.get_status_display().lower()
        raise UnableToDecide(f"This answer is already {status}, so you can no longer decide about it.")
    if not accept and not reason.strip():
        raise UnableToDecide("Enter why you are declining.")

    status_change: dict[str, str] = {}  # of the entry
    if accept:
        status_change = _accept(response, part, now)
    else:
        response.status = ResponseStatus.DECLINED
    _save_decision(response, reason.strip(), author, now)

    record_event(
        entry,
        ("response", response.pk),
        event=EventKind.ANSWER_ACCEPTED if accept else EventKind.ANSWER_DECLINED,
        author=author,
        organisation=entry.organisation_id,
        now=now,
        reason=response.reason,
    )
    if status_change:
        record_event(
            entry,
            event=event_kind_of(entry, "agreed"),
            author=author,
            organisation=entry.organisation_id,
            now=now,
            **status_change,
        )
    email_decision(response, author=author, now=now)
    return response


@transaction.atomic
def withdraw_response(*, response: Response, reason: str = "", author: User, now: dt.datetime) -> Response:
    """Withdraw an answer before it is decided. Raises `UnableToWithdrawResponse`.

    If no other organisation has answered, the entry is unanswered again.
    """
    entry = response.entry
    lock_entry(entry)
    require(rights_over(entry, author, now).may_withdraw(response))
    # Fetched again under the lock, because the organisation of the entry may have decided first.
    response.refresh_from_db()
    if not response.is_waiting:
        status = response.get_status_display().lower()
        raise UnableToWithdrawResponse(f"This answer is already {status}, so you can no longer withdraw it.")

    response.status = ResponseStatus.WITHDRAWN
    _save_decision(response, reason.strip(), author, now)
    has_other_answers = entry.responses.exclude(status=ResponseStatus.WITHDRAWN).exists()
    has_declines = entry.receipts.exclude(declined_at=None).exists()
    if not has_other_answers and not has_declines and entry.status in UNANSWERED_STATUSES:
        entry.answered_at = None
        entry.save(update_fields=["answered_at"])

    record_event(
        entry,
        ("response", response.pk),
        event=EventKind.ANSWER_WITHDRAWN,
        author=author,
        organisation=response.organisation_id,
        now=now,
        reason=response.reason,
    )
    return response


def _save_decision(response: Response, reason: str, author: User, now: dt.datetime) -> None:
    """Save the new status of an answer, with the reason, the author and the time."""
    response.reason = reason
    response.decided_at = now
    response.decided_by = author
    response.save(update_fields=["status", "agreed_quantity", "reason", "decided_at", "decided_by"])


def _accept(response: Response, part: bool, now: dt.datetime) -> dict[str, str]:
    """Accept an answer, and update its (locked) entry. The caller saves the answer.

    Returns the entry's status before and after, for the event, or an empty dictionary if the status does not change.
    """
    entry = response.entry
    if not entry.is_open:
        raise UnableToDecide("Nothing is left to accept. Decline this answer instead.")
    _check_quantity(entry, response.quantity, UnableToDecide)

    response.status = ResponseStatus.ACCEPTED
    response.agreed_quantity = response.quantity
    if entry.quantity is not None and not entry.standing:
        # An answer without a quantity is for all that is left.
        response.agreed_quantity = response.quantity or entry.quantity_left
        entry.agreed_quantity += response.agreed_quantity or Decimal(0)

    is_whole = entry.quantity_left == 0 if entry.quantity is not None else not part
    status = _status_once_accepted(entry, is_whole=is_whole)
    status_change: dict[str, str] = {}
    if status != entry.status:
        status_change = change_status(entry, status, now=now, error=UnableToDecide)
    entry.answered_at = entry.answered_at or now
    entry.is_open = entry.standing or (takes_answers(entry) and not is_whole)
    entry.matched_at = None
    entry.save(update_fields=["status", "agreed_quantity", "answered_at", "is_open", "matched_at"])
    return status_change


def _status_once_accepted(entry: Entry, *, is_whole: bool) -> str:
    """Return the status that an entry gets when one of its answers is accepted."""
    if entry.standing:
        return entry.status
    if entry.direction == Direction.OFFER:
        return Status.TAKEN_UP
    return Status.ACCEPTED if is_whole else Status.PART_ACCEPTED


def _check_quantity(entry: Entry, quantity: Decimal | None, error: type[UnableToChangeEntry]) -> None:
    """Raise `error` unless the quantity is more than 0 and at most what is left of the entry."""
    if quantity is None:
        return
    if quantity <= 0:
        raise error("The quantity must be more than 0.")
    if entry.quantity is None:
        raise error(f"This {entry.noun} has no quantity. Enter how much in the text of your answer.")
    if not entry.standing and entry.quantity_left is not None and quantity > entry.quantity_left:
        raise error(f"Enter at most {entry.amount_left}, because that is all that is left.")


def _check_counterpart(entry: Entry, organisation: Organisation, counterpart: Entry) -> None:
    """Refuse a counterpart that does not fit the answer.

    It must belong to the answering organisation and have the other direction. The organisation of the entry must be
    able to read it.
    """
    if counterpart.organisation_id != organisation.pk or counterpart.direction == entry.direction:
        raise UnableToRespond(f"Choose a matching ask or offer from {organisation.name}.")
    if not is_readable_by(counterpart, entry.organisation_id):
        raise UnableToRespond(f"{entry.organisation.name} cannot read “{counterpart.title}”. Share it with them first.")
