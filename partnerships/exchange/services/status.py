"""Keeps an entry's status in line with its answers and commitments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from partnerships.commitments.models import Commitment
from partnerships.commitments.models import Status as CommitmentStatus
from partnerships.exchange.amounts import NOTHING, Amounts, Promise, amounts
from partnerships.exchange.models import ANSWERABLE, WAY_BACK, Entry, Fulfilment, ResponseStatus, Status
from partnerships.exchange.services.recording import (
    close_responses,
    event_about,
    lock_entry,
    may_become,
    record_event,
)
from partnerships.people.models import User

_ONE = Decimal(1)
_DECIDED = {Status.ACCEPTED, Status.PART_ACCEPTED, Status.TAKEN_UP}


def takes_answers(entry: Entry) -> bool:
    """Whether its status allows answers and some of its quantity is left."""
    return entry.status in ANSWERABLE and (entry.standing or entry.left is None or entry.left > 0)


def commitment_moved(*, commitment: Commitment, author: User | None, now: dt.datetime) -> None:
    """Update the entries that a changed commitment meets.

    Called inside the transaction that changes the commitment.
    """
    fell_through = commitment.was_broken or commitment.status == CommitmentStatus.SUPERSEDED
    entries = Entry.objects.filter(fulfilments__commitment=commitment).order_by("pk")
    for entry in entries:
        update_status(entry=entry, author=author, now=now, fell_through=fell_through)


@transaction.atomic
def update_status(*, entry: Entry, author: User | None, now: dt.datetime, fell_through: bool = False) -> None:
    """Update an entry's status from its answers and commitments.

    What a commitment that both sides confirmed promises is agreed. An entry that takes no more answers is committed
    when commitments cover what was agreed, and met (an offer: delivered) when its whole quantity was delivered and
    verified. An ask that was agreed only in part by its closing date lapses when that part is delivered. The status
    goes back only if an agreed commitment `fell_through`: what it promised is no longer agreed, and the entry is open
    for it again.
    """
    lock_entry(entry)
    if entry.is_draft or entry.is_over or entry.standing:
        return
    links = list(entry.fulfilments.select_related("commitment", "response", "entry").order_by("pk"))
    totals = _amounts(entry, links)
    was_agreed, before = entry.agreed_quantity, (entry.status, entry.is_open)
    if entry.quantity is not None:
        entry.agreed_quantity = min(entry.quantity, totals.agreed)
    if fell_through:
        _reopen(entry, totals, now, lost=entry.agreed_quantity < was_agreed or not totals.agreed)
    _agree(entry, totals, links, now)
    needed = entry.quantity if entry.quantity is not None and entry.status == Status.ACCEPTED else totals.agreed
    if not entry.is_open and entry.status in _DECIDED and totals.promised and totals.promised >= needed:
        _advance(entry, Status.COMMITTED, now)
    end = _final_status(entry, totals, links) if entry.status == Status.COMMITTED else None
    if end is not None:
        _advance(entry, end, now)
        reason = f"This is {entry.get_status_display().lower()}."
        close_responses(entry=entry, reason=reason, author=None, now=now)
    if (entry.status, entry.is_open) != before:
        entry.matched_at = None
    entry.save(
        update_fields=[
            "status",
            "is_open",
            "agreed_quantity",
            "answered_at",
            "closed_at",
            "closes_on",
            "reminded_at",
            "reason",
            "matched_at",
        ]
    )


def _amounts(entry: Entry, links: Sequence[Fulfilment]) -> Amounts:
    accepted = entry.responses.filter(status=ResponseStatus.ACCEPTED).values_list("pk", "agreed_quantity")
    answers = {pk: _ONE if entry.quantity is None else quantity or NOTHING for pk, quantity in accepted}
    for link in links:
        if entry.quantity is not None and link.share is None and _is_agreed(link.commitment):
            # Nobody said how much of the entry a commitment in another unit meets: store what is left by now.
            other_links = [other for other in links if other is not link]
            left = (
                entry.quantity - amounts([_promise(entry, other, other_links) for other in other_links], answers).agreed
            )
            if left > 0:
                link.quantity = left
                link.save(update_fields=["quantity"])
    return amounts([_promise(entry, link, links) for link in links], answers)


def _promise(entry: Entry, link: Fulfilment, links: Sequence[Fulfilment]) -> Promise:
    commitment, share = link.commitment, _share(entry, link)
    lost = NOTHING
    if commitment.was_broken:
        lost = share
    elif commitment.status == CommitmentStatus.SUPERSEDED:
        successors = [
            link for link in links if link.commitment.replaces_id == commitment.pk and _was_agreed(link.commitment)
        ]
        lost = max(share - sum((_share(entry, successor) for successor in successors), NOTHING), NOTHING)
    delivered = NOTHING
    if commitment.is_verified:
        whole = entry.quantity is not None and link.quantity is None and link.counts
        delivered = commitment.delivered_quantity if whole else share
    promised = share if _is_agreed(commitment) else NOTHING
    return Promise(answer=link.answer_id, promised=promised, kept=delivered, lost=lost)


def _share(entry: Entry, link: Fulfilment) -> Decimal:
    return _ONE if entry.quantity is None else link.share or NOTHING


def _was_agreed(commitment: Commitment) -> bool:
    return commitment.giver_confirmed_at is not None and commitment.receiver_confirmed_at is not None


def _is_agreed(commitment: Commitment) -> bool:
    ended = commitment.status in {CommitmentStatus.CANCELLED, CommitmentStatus.SUPERSEDED}
    return not commitment.is_proposed and not ended


def _agree(entry: Entry, totals: Amounts, links: Sequence[Fulfilment], now: dt.datetime) -> None:
    """Accept what commitments promise without an accepted answer.

    That is everything, if the entry has no quantity.
    """
    alone = any(link.answer_id is None and _is_agreed(link.commitment) for link in links)
    whole = entry.quantity <= entry.agreed_quantity if entry.quantity is not None else alone
    if alone or (entry.quantity is not None and totals.agreed):
        part = Status.ACCEPTED if whole else Status.PART_ACCEPTED
        status = part if entry.is_ask else Status.TAKEN_UP
        if may_become(entry, status):
            entry.status = status
        entry.answered_at = entry.answered_at or now
    entry.is_open = entry.is_open and not whole


def _reopen(entry: Entry, totals: Amounts, now: dt.datetime, *, lost: bool) -> None:
    """Reopen an entry for the part that is no longer agreed.

    A closing date in the past is removed, or nobody could answer.
    """
    before = entry.status
    if lost and not totals.agreed:
        seen = entry.is_ask and entry.receipts.exclude(acknowledged_at=None).exists()
        _go_back(entry, Status.ACKNOWLEDGED if seen else Status.SHARED)
    elif lost or (entry.status == Status.COMMITTED and totals.promised < totals.agreed):
        part = entry.quantity is not None and entry.agreed_quantity < entry.quantity
        agreed = Status.PART_ACCEPTED if part else Status.ACCEPTED
        _go_back(entry, agreed if entry.is_ask else Status.TAKEN_UP)
    if lost:
        entry.is_open = True
        entry.reason = ""
        entry.reminded_at = None
        if entry.closes_on is not None and entry.closes_on < timezone.localdate(now):
            entry.closes_on = None
        record_event(
            entry,
            event=event_about(entry, "reopened"),
            author=None,
            organisation=None,
            now=now,
            before=before,
            after=entry.status,
        )


def _go_back(entry: Entry, status: str) -> None:
    if status in WAY_BACK[entry.direction].get(entry.status, ()):
        entry.status = status


def _final_status(entry: Entry, totals: Amounts, links: Sequence[Fulfilment]) -> str | None:
    """The final status of a committed entry; None while deliveries are due."""
    end = Status.MET if entry.is_ask else Status.DELIVERED
    commitments = [link.commitment for link in links]
    waiting = any(
        commitment.is_proposed or (_is_agreed(commitment) and not commitment.is_verified) for commitment in commitments
    )
    if entry.quantity is None:
        return None if waiting else end
    if totals.kept >= (entry.quantity if entry.is_ask else totals.agreed):
        return end
    return Status.LAPSED if not waiting and totals.kept >= totals.agreed else None


_STEPS = {
    Status.COMMITTED: "committed",
    Status.MET: "met",
    Status.DELIVERED: "delivered",
    Status.LAPSED: "rest_lapsed",
}


def _advance(entry: Entry, status: str, now: dt.datetime) -> None:
    """Follow the commitment to this status, if the entry may become it."""
    if not may_become(entry, status):
        return
    before, entry.status = entry.status, status
    if entry.is_over:
        entry.closed_at = now
        entry.is_open = False
    # No author: who confirmed is in the commitment's timeline, for those who may read it.
    record_event(
        entry,
        event=event_about(entry, _STEPS[Status(status)]),
        author=None,
        organisation=None,
        now=now,
        before=before,
        after=status,
    )
