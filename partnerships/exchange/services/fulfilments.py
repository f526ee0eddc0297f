"""Services that link commitments to the asks and offers that they meet."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction

from partnerships.commitments.models import Commitment
from partnerships.exchange.amounts import NOTHING
from partnerships.exchange.models import Entry, Fulfilment, Response
from partnerships.exchange.rights import rights_over
from partnerships.exchange.services.recording import UnableToChangeEntry, event_kind_of, lock_entry, record_event
from partnerships.exchange.services.status import update_entry_status
from partnerships.kit.rights import require
from partnerships.people.models import User


class UnableToMeet(UnableToChangeEntry):
    """Raised if the commitment belongs to other organisations, is over, or has nothing left."""


@transaction.atomic
def link_commitment(
    *, entry: Entry, commitment: Commitment, response: Response | None = None, author: User, now: dt.datetime
) -> Fulfilment:
    """Link a new commitment to the entry that it came from. A second call changes nothing."""
    lock_entry(entry)
    require(rights_over(entry, author, now).may_link(commitment))
    fulfilment, created = Fulfilment.objects.get_or_create(
        entry=entry, commitment=commitment, defaults={"response": response}
    )
    if created:
        update_entry_status(entry=entry, author=author, now=now)
    return fulfilment


@transaction.atomic
def meet_entry(
    *, entry: Entry, commitment: Commitment, quantity: Decimal | None, author: User, now: dt.datetime
) -> Fulfilment:
    """Link an existing commitment to an entry. Raises `UnableToMeet`.

    The entry's organisation must receive the commitment, or give it if the entry is an offer. The commitment meets
    `quantity` of the entry, or all that the commitment has left: no part of a commitment meets two asks, or two offers.
    A second call replaces the quantity.
    """
    # The commitment is locked too, because it may meet several entries, which share its quantity.
    commitment = Commitment.objects.select_for_update().get(pk=commitment.pk)
    lock_entry(entry)
    require(rights_over(entry, author, now).may_edit)
    _check_commitment(entry, commitment)

    fulfilment, _ = Fulfilment.objects.get_or_create(entry=entry, commitment=commitment)
    fulfilment.entry, fulfilment.commitment = entry, commitment
    fulfilment.quantity = _quantity_to_use(fulfilment, quantity)
    fulfilment.save(update_fields=["quantity"])

    record_event(
        entry,
        event=event_kind_of(entry, "fulfilment_set"),
        author=author,
        organisation=entry.organisation_id,
        now=now,
    )
    update_entry_status(entry=entry, author=author, now=now)
    return fulfilment


def _check_commitment(entry: Entry, commitment: Commitment) -> None:
    """Refuse a commitment of the wrong organisation, or a commitment or entry that is not open."""
    side_id = commitment.receiver_id if entry.is_ask else commitment.giver_id
    if side_id != entry.organisation_id or commitment.is_action:
        verb = "receives" if entry.is_ask else "gives"
        raise UnableToMeet(f"Choose a commitment that {entry.organisation.name} {verb}.")
    if commitment.is_over:
        status = commitment.get_status_display().lower()
        raise UnableToMeet(f"{commitment.reference} is {status}. Choose an open commitment.")
    if entry.is_draft or entry.is_over:
        status = entry.get_status_display().lower()
        raise UnableToMeet(f"This {entry.noun} is {status}, so you cannot link a commitment to it.")


def transfer_fulfilments(*, old: Commitment, new: Commitment) -> None:
    """Link a new commitment to the entries of the commitment that it replaces.

    The new commitment meets no more of an entry than it promises.
    """
    for fulfilment in Fulfilment.objects.filter(commitment=old).select_related("entry").order_by("pk"):
        entry, quantity = fulfilment.entry, fulfilment.quantity
        if quantity is not None and new.quantity is not None and new.unit == entry.unit:
            quantity = min(quantity, new.quantity)
        Fulfilment.objects.get_or_create(
            entry=entry, commitment=new, defaults={"response_id": fulfilment.response_id, "quantity": quantity}
        )


def _quantity_to_use(fulfilment: Fulfilment, quantity: Decimal | None) -> Decimal | None:
    """Return how much of the entry the commitment meets: `quantity`, or all that other entries leave.

    Raises `UnableToMeet` if the quantity is invalid, or more than the other entries leave.
    """
    entry, commitment = fulfilment.entry, fulfilment.commitment
    if quantity is not None and quantity <= 0:
        raise UnableToMeet("The quantity must be more than 0.")
    if quantity is not None and entry.quantity is None:
        raise UnableToMeet(f"Leave this empty, because the {entry.noun} has no quantity.")
    if quantity is not None and quantity > (entry.quantity or quantity):
        raise UnableToMeet(f"Enter at most {entry.amount}, because that is the whole {entry.noun}.")
    if not fulfilment.has_same_unit or entry.quantity is None:
        return quantity

    quantity_left = _quantity_left(fulfilment)
    explanation = f"{commitment.reference} also counts towards other asks or offers"
    if quantity_left <= NOTHING:
        raise UnableToMeet(f"{explanation}, so nothing is left of it. Choose another commitment.")
    if quantity is not None and quantity > quantity_left:
        raise UnableToMeet(
            f"{explanation}. Enter at most {entry.in_words(quantity_left)}, because that is all that is left."
        )
    return quantity or min(quantity_left, entry.quantity)


def _quantity_left(fulfilment: Fulfilment) -> Decimal:
    """Return how much of the commitment its other entries leave for this entry."""
    entry, commitment = fulfilment.entry, fulfilment.commitment
    links_of_same_unit = commitment.fulfilments.filter(entry__direction=entry.direction, entry__unit=entry.unit)
    other_links = links_of_same_unit.exclude(pk=fulfilment.pk).select_related("entry", "commitment", "response")
    quantity_left = commitment.quantity or NOTHING
    for other in other_links.order_by("pk"):
        if other.quantity is None:
            # The commitment is now shared, so store how much the first entry uses.
            other.quantity = min(other.share or NOTHING, other.entry.quantity or NOTHING) or None
            other.save(update_fields=["quantity"])
        quantity_left -= other.quantity or NOTHING
    return quantity_left
