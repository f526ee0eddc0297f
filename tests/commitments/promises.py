"""Helpers that make commitments in each status through the services."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.utils import timezone

from partnerships.commitments import services
from partnerships.commitments.models import Commitment, Status
from partnerships.organisations.models import Organisation
from tests.world import World


def in_days(days: int) -> dt.date:
    """Return the date this many days from today."""
    return timezone.localdate() + dt.timedelta(days=days)


def propose(world: World, **terms: Any) -> Commitment:
    """Propose 60 homes from Larkhaven to Westmarch, due in 90 days, with Eddie as the owner.

    `terms` replace these terms.
    """
    default_terms: dict[str, Any] = {
        "giver": world.larkhaven,
        "receiver": world.westmarch,
        "text": "Sixty modular homes at Quayside for households in temporary accommodation.",
        "quantity": Decimal(60),
        "unit": "homes",
        "owner": world.eddie,
        "due_on": in_days(90),
        "partnership": world.partnership,
        "author": world.amina,
        "now": timezone.now(),
    }
    return services.propose_commitment(**(default_terms | terms))


def agree(world: World, **terms: Any) -> Commitment:
    """Propose a commitment, and confirm it as Amina and Ben."""
    commitment = propose(world, **terms)
    for organisation, lead in ((world.larkhaven, world.amina), (world.westmarch, world.ben)):
        commitment = services.confirm_commitment(
            commitment=commitment,
            organisation=organisation,
            author=lead,
            revision=commitment.revision,
            now=timezone.now(),
        )
    return commitment


def report(world: World, commitment: Commitment, status: str = Status.IN_PROGRESS, **report_fields: Any) -> None:
    """Record progress as Eddie. `report_fields` are passed on to `record_progress`."""
    services.record_progress(
        commitment=commitment, status=status, author=world.eddie, now=timezone.now(), **report_fields
    )


def done_commitment(world: World, **terms: Any) -> Commitment:
    """Return a commitment that Larkhaven reports as fully delivered."""
    commitment = agree(world, **terms)
    report(world, commitment, Status.DONE, delivered=commitment.quantity)
    commitment.refresh_from_db()
    return commitment


def verified_commitment(world: World, **terms: Any) -> Commitment:
    """Return a commitment whose delivery Westmarch has verified."""
    return services.verify_delivery(commitment=done_commitment(world, **terms), author=world.ben, now=timezone.now())


def done_action(world: World, receiver: Organisation | None = None) -> Commitment:
    """Return an action of Eddie, which he has reported as done."""
    action = services.propose_action(
        organisation=world.larkhaven,
        text="Send the layout.",
        owner=world.eddie,
        due_on=in_days(5),
        for_organisation=receiver,
        author=world.eddie,
        now=timezone.now(),
    )
    services.record_progress(commitment=action, status=Status.DONE, author=world.eddie, now=timezone.now())
    action.refresh_from_db()
    return action
