"""Commitments that meet asks and offers, for tests."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, NamedTuple

from partnerships.commitments import services as commitments
from partnerships.commitments.models import Commitment
from partnerships.commitments.models import Status as CommitmentStatus
from partnerships.commitments.origins import parse_origin_record
from partnerships.exchange.models import Entry
from partnerships.people.models import User
from tests.world import World


def confirmed_commitment(
    world: World, now: dt.datetime, *, quantity: Decimal | int | None, origin: str = "", **changes: Any
) -> Commitment:
    """Return a commitment from Westmarch to Larkhaven that both have confirmed, with these changes.

    `origin` says what it came from, for example "entry-12" or "response-3". Without one it came from nothing.
    """
    fields = {
        "giver": world.westmarch,
        "receiver": world.larkhaven,
        "text": "Land for homes",
        "quantity": None if quantity is None else Decimal(quantity),
        "unit": "homes" if quantity is not None else "",
        "owner": world.ben,
        "due_on": dt.date(2031, 1, 1),
        "partnership": None,
        "author": world.ben,
        "now": now,
        "came_from": parse_origin_record(origin) if origin else None,
    } | changes
    commitment = commitments.propose_commitment(**fields)
    for side, lead in ((world.westmarch, world.ben), (world.larkhaven, world.amina)):
        commitment = commitments.confirm_commitment(
            commitment=commitment, organisation=side, author=lead, revision=commitment.revision, now=now
        )
    return commitment


def deliver_and_verify(commitment: Commitment, world: World, now: dt.datetime) -> None:
    """Deliver a commitment, and let Larkhaven verify the delivery."""
    commitments.record_progress(
        commitment=commitment,
        status=CommitmentStatus.DONE,
        author=world.ben,
        now=now,
        delivered=commitment.quantity,
    )
    commitments.verify_delivery(commitment=commitment, author=world.amina, now=now)


def cancel_commitment(commitment: Commitment, author: User, now: dt.datetime) -> None:
    """Cancel a commitment because the land was sold."""
    commitments.end_commitment(commitment=commitment, reason="The land was sold.", author=author, now=now)


class EntryState(NamedTuple):
    """How far an ask or offer has got."""

    status: str
    is_open: bool
    agreed_quantity: Decimal


def state_of(entry: Entry) -> EntryState:
    """Return the state of an entry, as stored."""
    entry.refresh_from_db()
    return EntryState(entry.status, entry.is_open, entry.agreed_quantity)
