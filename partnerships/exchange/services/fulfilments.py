"""Seeing an entry through: linked to commitments, committed when both sides confirmed, met when its quantity is."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction

from partnerships.commitments.models import Commitment
from partnerships.exchange.models import Direction, Entry, Fulfilment, Response, Status
from partnerships.exchange.services.common import allows, lock, note, word
from partnerships.people.models import User

_ENDED = ("cancelled", "superseded")


@transaction.atomic
def link_commitment(
    *, entry: Entry, commitment: Commitment, response: Response | None = None, author: User, now: dt.datetime
) -> Fulfilment:
    """Say that a commitment meets an entry; said again, the first stands. An accepted response counts already."""
    fulfilment, made = Fulfilment.objects.get_or_create(
        entry=entry,
        commitment=commitment,
        defaults={
            "response": response,
            "counted": response is not None and response.entry_id == entry.pk and response.is_accepted,
        },
    )
    if made:
        settle_entry(entry=entry, author=author, now=now)
    return fulfilment


def commitment_moved(*, commitment: Commitment, author: User | None, now: dt.datetime) -> None:
    """Take what became of a commitment into the entries it meets; called inside the transaction of its change."""
    entries = Entry.objects.filter(fulfilments__commitment=commitment).order_by("pk")
    for entry in entries:
        settle_entry(entry=entry, author=author, now=now)


@transaction.atomic
def settle_entry(*, entry: Entry, author: User | None, now: dt.datetime) -> None:
    """Bring an entry's status up to what its commitments say; never back.

    Agreed by both sides: what the commitment promises counts as agreed, and an entry agreed in whole is committed.
    Verified: what was delivered counts, and an entry whose whole quantity is delivered is met (an offer: delivered).
    """
    lock(entry)
    links = [
        link
        for link in entry.fulfilments.select_related("commitment").order_by("pk")
        if link.commitment.status not in _ENDED
    ]
    agreed = [link for link in links if not link.commitment.is_proposed]
    for link in agreed:
        _count(entry, link, now)
    whole = not entry.is_open and entry.status in {Status.ACCEPTED, Status.TAKEN_UP}
    if whole and agreed:
        _step(entry, Status.COMMITTED, author, now)
    if entry.status == Status.COMMITTED and _is_met(entry, links):
        _step(entry, Status.MET if entry.is_ask else Status.DELIVERED, author, now)
    entry.save(update_fields=["status", "is_open", "agreed_quantity", "answered_at", "closed_at", "matched_at"])


def _count(entry: Entry, link: Fulfilment, now: dt.datetime) -> None:
    """What a commitment made without an accepted response promises is agreed from now on."""
    if link.counted or entry.standing or entry.is_draft or entry.is_over:
        return
    promised = link.commitment.quantity if link.commitment.unit == entry.unit else None
    if entry.quantity is not None:
        left = entry.quantity - entry.agreed_quantity
        entry.agreed_quantity += min(left, promised) if promised is not None else left
    whole = entry.quantity is None or entry.agreed_quantity >= entry.quantity
    if entry.direction == Direction.OFFER:
        target: str = Status.TAKEN_UP
    else:
        target = Status.ACCEPTED if whole else Status.PART_ACCEPTED
    if allows(entry, target):
        entry.status = target
    entry.is_open = entry.is_open and not whole
    entry.answered_at = entry.answered_at or now
    entry.matched_at = None
    link.counted = True
    link.save(update_fields=["counted"])


def _is_met(entry: Entry, links: list[Fulfilment]) -> bool:
    verified = [link.commitment for link in links if link.commitment.is_verified]
    if entry.quantity is None:
        return bool(links) and len(verified) == len(links)
    if any(one.quantity is None or one.unit != entry.unit for one in verified):
        return len(verified) == len(links)
    return sum((one.delivered_quantity for one in verified), Decimal(0)) >= entry.quantity


def _step(entry: Entry, status: str, author: User | None, now: dt.datetime) -> None:
    if not allows(entry, status):
        return
    before, entry.status = entry.status, status
    if entry.is_over:
        entry.closed_at = now
        entry.is_open = False
    verb = {Status.COMMITTED: "committed to", Status.MET: "met", Status.DELIVERED: "delivered"}[Status(status)]
    note(
        entry=entry,
        verb=f"{verb} an {word(entry)}",
        # Who confirmed is in the commitment's own timeline, for those who may read that.
        author=None,
        organisation=None,
        now=now,
        before=before,
        after=status,
    )
