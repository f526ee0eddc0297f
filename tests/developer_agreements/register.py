"""An agreement of Westmarch with one promise, saved as an import saves it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from partnerships.commitments.models import Commitment
from partnerships.commitments.services import RegisterPromise, create_from_register
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.developer_agreements.services import RegisterAgreement, link_promises, record_agreements
from tests.world import World


def save_agreements(world: World, *references: str, agreed_on: dt.date | None = None) -> list[DeveloperAgreement]:
    """Section 106 agreements of Westmarch without promises."""
    agreements = [
        RegisterAgreement(reference, "section 106", world.westmarch, agreed_on=agreed_on) for reference in references
    ]
    rows, _ = record_agreements(agreements=agreements, run_id=1, author=None, now=world.now)
    return rows


def save_promise(world: World, agreement: DeveloperAgreement) -> Commitment:
    """£250,000 for education, promised in the agreement."""
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
