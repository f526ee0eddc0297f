"""Helpers that save agreements of Westmarch and their promises through the services, as an import does."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from partnerships.commitments.models import Commitment
from partnerships.commitments.services import RegisterPromise, create_from_register
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.developer_agreements.services import RegisterAgreement, link_promises, record_agreements
from tests.world import World


def save_agreements(world: World, *references: str, agreed_on: dt.date | None = None) -> list[DeveloperAgreement]:
    """Save section 106 agreements of Westmarch with these references, without promises."""
    agreements = [
        RegisterAgreement(reference, "section 106", world.westmarch, agreed_on=agreed_on) for reference in references
    ]
    stored_agreements, _ = record_agreements(agreements=agreements, run_id=1, author=None, now=world.now)
    return stored_agreements


def save_promise(world: World, agreement: DeveloperAgreement) -> Commitment:
    """Save a commitment of £250,000 for education that was made in the agreement."""
    promise = RegisterPromise(
        reference=f"{agreement.reference}/education",
        text="Education contribution",
        receiver=world.westmarch,
        giver_name="Quay Builders",
        agreed_at=world.now,
        quantity=Decimal(250_000),
        unit="pounds",
    )
    (commitment,) = create_from_register(promises=[promise], source="Register", author=None, now=world.now)
    link_promises(promises=[(agreement, commitment)], author=None, now=world.now)
    return commitment
