"""Updates the status of an entry to match its answers and commitments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from partnerships.commitments.models import Commitment
from partnerships.commitments.models import Status as CommitmentStatus
from partnerships.exchange.amounts import NOTHING, Amounts, Promise, total_amounts
from partnerships.exchange.models import (
    ANSWERABLE_STATUSES,
    EARLIER_STATUSES,
    Entry,
    Fulfilment,
    ResponseStatus,
    Status,
)
from partnerships.exchange.services.recording import (
    close_responses,
    event_kind_of,
    lock_entry,
    may_become,
    record_event,
)
from partnerships.people.models import User

#: The amount that an answer or commitment counts for if the entry has no quantity.
_ONE = Decimal(1)
#: Statuses of an entry that was agreed, in whole or in part, and may become committed.
_DECIDED = {Status.ACCEPTED, Status.PART_ACCEPTED, Status.TAKEN_UP}


def takes_answers(entry: Entry) -> bool:
    """Return whether the status of an entry allows answers and some of its quantity is left."""
    has_something_left = entry.standing or entry.quantity_left is None or entry.quantity_left > 0
    return entry.status in ANSWERABLE_STATUSES and has_something_left


def update_entries_of_commitment(*, commitment: Commitment, author: User | None, now: dt.datetime) -> None:
    """Update the status of the entries that a changed commitment meets.

    The commitments room calls this inside the transaction that changes the commitment.
    """
    fell_through = commitment.was_broken or commitment.status == CommitmentStatus.SUPERSEDED
    entries = Entry.objects.filter(fulfilments__commitment=commitment).order_by("pk")
    for entry in entries:
        update_entry_status(entry=entry, author=author, now=now, fell_through=fell_through)


@transaction.atomic
def update_entry_status(*, entry: Entry, author: User | None, now: dt.datetime, fell_through: bool = False) -> None:
    """Update an entry's status from its answers and commitments.

    - agreed: the quantity that accepted answers, and commitments confirmed by both sides, promise.
    - committed: the entry takes no more answers, and commitments cover what was agreed.
    - met (an offer: delivered): its whole quantity was delivered and verified.
    - lapsed: an ask was agreed only in part by its closing date, and that part was delivered.

    The status goes back only if an agreed commitment `fell_through`. What the commitment promised is then no longer
    agreed, and the entry takes answers for it again.
    """
    lock_entry(entry)
    if entry.is_draft or entry.is_over or entry.standing:
        return
    links = list(entry.fulfilments.select_related("commitment", "response", "entry").order_by("pk"))
    totals = _amounts(entry, links)
    status_before, was_open, agreed_before = entry.status, entry.is_open, entry.agreed_quantity

    if entry.quantity is not None:
        entry.agreed_quantity = min(entry.quantity, totals.agreed)
    if fell_through:
        has_lost = entry.agreed_quantity < agreed_before or not totals.agreed
        _reopen(entry, totals, now, has_lost=has_lost)
    _agree(entry, totals, links, now)
    if _is_committed(entry, totals):
        _advance(entry, Status.COMMITTED, now)
    if entry.status == Status.COMMITTED:
        _finish(entry, totals, links, now)

    if entry.status != status_before or entry.is_open != was_open:
        # Matching looks at the entry again.
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


def _is_committed(entry: Entry, totals: Amounts) -> bool:
    """Return whether commitments cover what was agreed of an entry that takes no more answers."""
    if entry.is_open or entry.status not in _DECIDED:
        return False
    needed = totals.agreed
    if entry.quantity is not None and entry.status == Status.ACCEPTED:
        needed = entry.quantity
    return totals.promised > 0 and totals.promised >= needed


def _amounts(entry: Entry, links: Sequence[Fulfilment]) -> Amounts:
    """Return how much of the entry is agreed, promised and kept."""
    accepted = entry.responses.filter(status=ResponseStatus.ACCEPTED).values_list("pk", "agreed_quantity")
    if entry.quantity is None:
        agreed_by_answer = {pk: _ONE for pk, _quantity in accepted}
    else:
        agreed_by_answer = {pk: quantity or NOTHING for pk, quantity in accepted}
        _store_missing_quantities(entry, entry.quantity, links, agreed_by_answer)
    return total_amounts([_promise(entry, link, links) for link in links], agreed_by_answer)


def _store_missing_quantities(
    entry: Entry, entry_quantity: Decimal, links: Sequence[Fulfilment], agreed_by_answer: Mapping[int, Decimal]
) -> None:
    """Store how much of the entry each commitment in another unit meets: all that the other commitments leave."""
    for link in links:
        if link.share is not None or not _is_agreed(link.commitment):
            continue
        other_links = [other for other in links if other is not link]
        promises = [_promise(entry, other, other_links) for other in other_links]
        quantity_left = entry_quantity - total_amounts(promises, agreed_by_answer).agreed
        if quantity_left > 0:
            link.quantity = quantity_left
            link.save(update_fields=["quantity"])


def _promise(entry: Entry, link: Fulfilment, links: Sequence[Fulfilment]) -> Promise:
    """Return how much of the entry a commitment promises, has kept or has lost."""
    commitment, share = link.commitment, _share(entry, link)
    lost = NOTHING
    if commitment.was_broken:
        lost = share
    elif commitment.status == CommitmentStatus.SUPERSEDED:
        # Only what the commitments that replaced this one do not promise is lost.
        replacements = [other_link for other_link in links if other_link.commitment.replaces_id == commitment.pk]
        share_of_replacements = sum(
            (_share(entry, replacement) for replacement in replacements if _was_agreed(replacement.commitment)), NOTHING
        )
        lost = max(share - share_of_replacements, NOTHING)

    kept = NOTHING
    if commitment.is_verified:
        # The delivered quantity counts for this entry only if the whole commitment meets the entry.
        is_whole_commitment = entry.quantity is not None and link.quantity is None and link.has_same_unit
        kept = commitment.delivered_quantity if is_whole_commitment else share
    promised = share if _is_agreed(commitment) else NOTHING
    return Promise(answer_id=link.answer_id, promised=promised, kept=kept, lost=lost)


def _share(entry: Entry, link: Fulfilment) -> Decimal:
    """Return how much of the entry the commitment meets; one if the entry has no quantity."""
    return _ONE if entry.quantity is None else link.share or NOTHING


def _was_agreed(commitment: Commitment) -> bool:
    """Return whether both sides have ever confirmed the commitment, even if it has ended since."""
    return commitment.giver_confirmed_at is not None and commitment.receiver_confirmed_at is not None


def _is_agreed(commitment: Commitment) -> bool:
    """Return whether both sides have confirmed the commitment and it has not ended."""
    has_ended = commitment.status in {CommitmentStatus.CANCELLED, CommitmentStatus.SUPERSEDED}
    return not commitment.is_proposed and not has_ended


def _agree(entry: Entry, totals: Amounts, links: Sequence[Fulfilment], now: dt.datetime) -> None:
    """Accept the entry as far as commitments promise it, even without an accepted answer.

    Without a quantity, one commitment is enough for the whole entry.
    """
    has_unanswered_commitment = any(link.answer_id is None and _is_agreed(link.commitment) for link in links)
    if entry.quantity is None:
        is_whole = has_unanswered_commitment
        is_agreed = has_unanswered_commitment
    else:
        is_whole = entry.quantity <= entry.agreed_quantity
        is_agreed = has_unanswered_commitment or bool(totals.agreed)
    if is_agreed:
        status_of_ask = Status.ACCEPTED if is_whole else Status.PART_ACCEPTED
        status = status_of_ask if entry.is_ask else Status.TAKEN_UP
        if may_become(entry, status):
            entry.status = status
        entry.answered_at = entry.answered_at or now
    entry.is_open = entry.is_open and not is_whole


def _reopen(entry: Entry, totals: Amounts, now: dt.datetime, *, has_lost: bool) -> None:
    """Return the entry to an earlier status, and open it again if it `has_lost` something that was agreed.

    A closing date in the past is removed, because otherwise nobody could answer.
    """
    status_before = entry.status
    lacks_commitments = entry.status == Status.COMMITTED and totals.promised < totals.agreed
    if has_lost and not totals.agreed:
        is_acknowledged = entry.is_ask and entry.receipts.exclude(acknowledged_at=None).exists()
        _return_to_status(entry, Status.ACKNOWLEDGED if is_acknowledged else Status.SHARED)
    elif has_lost or lacks_commitments:
        is_part = entry.quantity is not None and entry.agreed_quantity < entry.quantity
        status_of_ask = Status.PART_ACCEPTED if is_part else Status.ACCEPTED
        _return_to_status(entry, status_of_ask if entry.is_ask else Status.TAKEN_UP)
    if not has_lost:
        return

    entry.is_open = True
    entry.reason = ""
    entry.reminded_at = None
    if entry.closes_on is not None and entry.closes_on < timezone.localdate(now):
        entry.closes_on = None
    record_event(
        entry,
        event=event_kind_of(entry, "reopened"),
        author=None,
        organisation=None,
        now=now,
        before=status_before,
        after=entry.status,
    )


def _return_to_status(entry: Entry, status: str) -> None:
    """Return the entry to an earlier status, if `EARLIER_STATUSES` allows it."""
    if status in EARLIER_STATUSES[entry.direction].get(entry.status, ()):
        entry.status = status


def _finish(entry: Entry, totals: Amounts, links: Sequence[Fulfilment], now: dt.datetime) -> None:
    """Give a committed entry its final status once nothing more is due, and decline its undecided answers."""
    final_status = _final_status(entry, totals, links)
    if final_status is None:
        return
    _advance(entry, final_status, now)
    reason = f"The {entry.noun} is {entry.get_status_display().lower()}."
    close_responses(entry=entry, reason=reason, author=None, now=now)


def _final_status(entry: Entry, totals: Amounts, links: Sequence[Fulfilment]) -> str | None:
    """Return the final status of a committed entry; None while deliveries are due."""
    fulfilled = Status.MET if entry.is_ask else Status.DELIVERED
    is_delivery_due = any(
        link.commitment.is_proposed or (_is_agreed(link.commitment) and not link.commitment.is_verified)
        for link in links
    )
    if entry.quantity is None:
        return None if is_delivery_due else fulfilled
    needed = entry.quantity if entry.is_ask else totals.agreed
    if totals.kept >= needed:
        return fulfilled
    if not is_delivery_due and totals.kept >= totals.agreed:
        return Status.LAPSED
    return None


#: The end of the event's code for each status that an entry reaches through its commitments.
_VERB_BY_STATUS = {
    Status.COMMITTED: "committed",
    Status.MET: "met",
    Status.DELIVERED: "delivered",
    Status.LAPSED: "rest_lapsed",
}


def _advance(entry: Entry, status: str, now: dt.datetime) -> None:
    """Move the entry on to a status, if the status may follow, and record the event."""
    if not may_become(entry, status):
        return
    status_before = entry.status
    entry.status = status
    if entry.is_over:
        entry.closed_at = now
        entry.is_open = False
    # The event has no author: the commitment's timeline names the person who confirmed, for people who may read it.
    record_event(
        entry,
        event=event_kind_of(entry, _VERB_BY_STATUS[Status(status)]),
        author=None,
        organisation=None,
        now=now,
        before=status_before,
        after=status,
    )
