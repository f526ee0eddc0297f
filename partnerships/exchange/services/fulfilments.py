"""Seeing an entry through: linked to commitments, committed when they cover it, met when its quantity is delivered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from partnerships.commitments.models import Commitment
from partnerships.commitments.models import Status as CommitmentStatus
from partnerships.exchange.amounts import NOTHING, Amounts, Promise, amounts
from partnerships.exchange.models import WAY_BACK, Entry, Fulfilment, Response, ResponseStatus, Status
from partnerships.exchange.rights import rights_over
from partnerships.exchange.services.common import UnableToChangeEntry, allows, close_responses, event_about, lock, note
from partnerships.kit.rights import require
from partnerships.people.models import User

_ONE = Decimal(1)
_DECIDED = {Status.ACCEPTED, Status.PART_ACCEPTED, Status.TAKEN_UP}


class UnableToMeet(UnableToChangeEntry):
    """The commitment is not of the entry's own side, is over, or has nothing left for it."""


@transaction.atomic
def link_commitment(
    *, entry: Entry, commitment: Commitment, response: Response | None = None, author: User, now: dt.datetime
) -> Fulfilment:
    """Say that a commitment meets an entry; said again, the first stands."""
    lock(entry)
    require(rights_over(entry, author, now).may_link(commitment))
    fulfilment, made = Fulfilment.objects.get_or_create(
        entry=entry, commitment=commitment, defaults={"response": response}
    )
    if made:
        settle_entry(entry=entry, author=author, now=now)
    return fulfilment


@transaction.atomic
def meet_with(
    *, entry: Entry, commitment: Commitment, quantity: Decimal | None, author: User, now: dt.datetime
) -> Fulfilment:
    """Say that a commitment meets this entry too: all that it has to spare, or `quantity` of it; said again, the last
    word stands.

    It is one that the entry's organisation receives (an offer: gives). What it promises goes to no two asks at once,
    nor to two offers. Raises `UnableToMeet`.
    """
    commitment = Commitment.objects.select_for_update().get(pk=commitment.pk)
    lock(entry)
    require(rights_over(entry, author, now).may_edit)
    own = commitment.receiver_id if entry.is_ask else commitment.giver_id
    if own != entry.organisation_id or commitment.is_action:
        raise UnableToMeet(f"Choose a commitment that {entry.organisation.name} {_does(entry)}.")
    if commitment.is_over:
        raise UnableToMeet(f"{commitment.reference} is {commitment.get_status_display().lower()}.")
    if entry.is_draft or entry.is_over:
        raise UnableToMeet(f"It is {entry.get_status_display().lower()}, so you cannot link a commitment to it.")
    fulfilment, _ = Fulfilment.objects.get_or_create(entry=entry, commitment=commitment)
    fulfilment.entry, fulfilment.commitment = entry, commitment
    fulfilment.quantity = _share_to_give(fulfilment, quantity)
    fulfilment.save(update_fields=["quantity"])
    note(
        entry=entry,
        event=event_about(entry, "fulfilment_set"),
        author=author,
        organisation=entry.organisation_id,
        now=now,
    )
    settle_entry(entry=entry, author=author, now=now)
    return fulfilment


def hand_on(*, old: Commitment, new: Commitment) -> None:
    """Let an agreed commitment meet what the one meets in whose place it stands, as far as it promises as much."""
    for link in Fulfilment.objects.filter(commitment=old).select_related("entry").order_by("pk"):
        share = link.quantity
        if share is not None and new.quantity is not None and new.unit == link.entry.unit:
            share = min(share, new.quantity)
        Fulfilment.objects.get_or_create(
            entry=link.entry, commitment=new, defaults={"response_id": link.response_id, "quantity": share}
        )


def commitment_moved(*, commitment: Commitment, author: User | None, now: dt.datetime) -> None:
    """Take what became of a commitment into the entries it meets; called inside the transaction of its change."""
    fell_through = commitment.was_broken or commitment.status == CommitmentStatus.SUPERSEDED
    entries = Entry.objects.filter(fulfilments__commitment=commitment).order_by("pk")
    for entry in entries:
        settle_entry(entry=entry, author=author, now=now, fell_through=fell_through)


@transaction.atomic
def settle_entry(*, entry: Entry, author: User | None, now: dt.datetime, fell_through: bool = False) -> None:
    """Bring an entry's status up to what its answers and commitments say.

    Agreed by both sides: what the commitment promises counts as agreed. An entry that takes no more answers is
    committed when commitments cover what was agreed, and met (an offer: delivered) when its whole quantity was
    delivered and verified; an ask of which only a part was agreed by its last day lapses when that part is delivered.
    Back only where an agreed commitment `fell_through`: what it promised is no longer agreed, and is asked for again.
    """
    lock(entry)
    if entry.is_draft or entry.is_over or entry.standing:
        return
    links = list(entry.fulfilments.select_related("commitment", "response", "entry").order_by("pk"))
    found = _amounts(entry, links)
    was_agreed, before = entry.agreed_quantity, (entry.status, entry.is_open)
    if entry.quantity is not None:
        entry.agreed_quantity = min(entry.quantity, found.agreed)
    if fell_through:
        _take_back(entry, found, now, lost=entry.agreed_quantity < was_agreed or not found.agreed)
    _agree(entry, found, links, now)
    needed = entry.quantity if entry.quantity is not None and entry.status == Status.ACCEPTED else found.agreed
    if not entry.is_open and entry.status in _DECIDED and found.promised and found.promised >= needed:
        _step(entry, Status.COMMITTED, now)
    end = _end(entry, found, links) if entry.status == Status.COMMITTED else None
    if end is not None:
        _step(entry, end, now)
        reason = f"It is {entry.get_status_display().lower()}."
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
            # Nobody said how much of it a commitment in other units meets: whatever is left by now.
            others = [one for one in links if one is not link]
            left = entry.quantity - amounts([_promise(entry, one, others) for one in others], answers).agreed
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
        heirs = [one for one in links if one.commitment.replaces_id == commitment.pk and _was_agreed(one.commitment)]
        lost = max(share - sum((_share(entry, heir) for heir in heirs), NOTHING), NOTHING)
    kept = NOTHING
    if commitment.is_verified:
        whole = entry.quantity is not None and link.quantity is None and link.counts
        kept = commitment.delivered_quantity if whole else share
    promised = share if _is_agreed(commitment) else NOTHING
    return Promise(answer=link.answer_id, promised=promised, kept=kept, lost=lost)


def _share(entry: Entry, link: Fulfilment) -> Decimal:
    return _ONE if entry.quantity is None else link.share or NOTHING


def _was_agreed(commitment: Commitment) -> bool:
    return commitment.giver_confirmed_at is not None and commitment.receiver_confirmed_at is not None


def _is_agreed(commitment: Commitment) -> bool:
    ended = commitment.status in {CommitmentStatus.CANCELLED, CommitmentStatus.SUPERSEDED}
    return not commitment.is_proposed and not ended


def _agree(entry: Entry, found: Amounts, links: Sequence[Fulfilment], now: dt.datetime) -> None:
    """What commitments promise without an accepted answer is agreed too; all of it, where nothing is counted."""
    alone = any(link.answer_id is None and _is_agreed(link.commitment) for link in links)
    whole = entry.quantity <= entry.agreed_quantity if entry.quantity is not None else alone
    if alone or (entry.quantity is not None and found.agreed):
        part = Status.ACCEPTED if whole else Status.PART_ACCEPTED
        status = part if entry.is_ask else Status.TAKEN_UP
        if allows(entry, status):
            entry.status = status
        entry.answered_at = entry.answered_at or now
    entry.is_open = entry.is_open and not whole


def _take_back(entry: Entry, found: Amounts, now: dt.datetime, *, lost: bool) -> None:
    """Open an entry again for what is no longer agreed; without a last day where that is past: nobody could answer."""
    before = entry.status
    if lost and not found.agreed:
        seen = entry.is_ask and entry.receipts.exclude(acknowledged_at=None).exists()
        _back_to(entry, Status.ACKNOWLEDGED if seen else Status.SHARED)
    elif lost or (entry.status == Status.COMMITTED and found.promised < found.agreed):
        part = entry.quantity is not None and entry.agreed_quantity < entry.quantity
        agreed = Status.PART_ACCEPTED if part else Status.ACCEPTED
        _back_to(entry, agreed if entry.is_ask else Status.TAKEN_UP)
    if lost:
        entry.is_open = True
        entry.reason = ""
        entry.reminded_at = None
        if entry.closes_on is not None and entry.closes_on < timezone.localdate(now):
            entry.closes_on = None
        reopened = event_about(entry, "reopened")
        note(entry=entry, event=reopened, author=None, organisation=None, now=now, before=before, after=entry.status)


def _back_to(entry: Entry, status: str) -> None:
    if status in WAY_BACK[entry.direction].get(entry.status, ()):
        entry.status = status


def _end(entry: Entry, found: Amounts, links: Sequence[Fulfilment]) -> str | None:
    """What a committed entry comes to, once what was promised for it has been verified; None while it has not."""
    end = Status.MET if entry.is_ask else Status.DELIVERED
    commitments = [link.commitment for link in links]
    waiting = any(one.is_proposed or (_is_agreed(one) and not one.is_verified) for one in commitments)
    if entry.quantity is None:
        return None if waiting else end
    if found.kept >= (entry.quantity if entry.is_ask else found.agreed):
        return end
    return Status.LAPSED if not waiting and found.kept >= found.agreed else None


def _share_to_give(link: Fulfilment, quantity: Decimal | None) -> Decimal | None:
    """How much of its entry the commitment is to meet, out of what its other entries of that direction leave it."""
    entry, commitment = link.entry, link.commitment
    if quantity is not None and quantity <= 0:
        raise UnableToMeet("The quantity must be more than 0.")
    if quantity is not None and entry.quantity is None:
        raise UnableToMeet("It has no quantity. Leave this empty.")
    if quantity is not None and quantity > (entry.quantity or quantity):
        raise UnableToMeet(f"It is for {entry.amount} in total.")
    if not link.counts or entry.quantity is None:
        return quantity
    others = commitment.fulfilments.filter(entry__direction=entry.direction, entry__unit=entry.unit).exclude(pk=link.pk)
    spare = commitment.quantity or NOTHING
    for other in others.select_related("entry", "commitment", "response").order_by("pk"):
        if other.quantity is None:
            # From now on it is shared: what the first one takes is written down.
            other.quantity = min(other.share or NOTHING, other.entry.quantity or NOTHING) or None
            other.save(update_fields=["quantity"])
        spare -= other.quantity or NOTHING
    if spare <= NOTHING or (quantity or NOTHING) > spare:
        left = f"only {entry.in_words(spare)} are left" if spare > 0 else "nothing is left"
        raise UnableToMeet(f"{commitment.reference} is linked to others as well: {left}.")
    return quantity or min(spare, entry.quantity)


def _does(entry: Entry) -> str:
    return "receives" if entry.is_ask else "gives"


_STEPS = {
    Status.COMMITTED: "committed",
    Status.MET: "met",
    Status.DELIVERED: "delivered",
    Status.LAPSED: "rest_lapsed",
}


def _step(entry: Entry, status: str, now: dt.datetime) -> None:
    if not allows(entry, status):
        return
    before, entry.status = entry.status, status
    if entry.is_over:
        entry.closed_at = now
        entry.is_open = False
    # Who confirmed is in the commitment's own timeline, for those who may read that.
    note(
        entry=entry,
        event=event_about(entry, _STEPS[Status(status)]),
        author=None,
        organisation=None,
        now=now,
        before=before,
        after=status,
    )
