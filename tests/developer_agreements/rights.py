"""The people who may call the services of developer agreements."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from partnerships.commitments.services import RegisterPromise, create_from_register
from partnerships.developer_agreements.services import RegisterAgreement, link_promises, record_agreements
from tests.support.rights import ADMINISTRATOR, PARTNER, Row
from tests.world import World


def _record(world: World, author: Any, _: Any) -> Any:
    """Record an agreement of Westmarch as this author."""
    agreement = RegisterAgreement(reference="S106/1", kind="section 106", organisation=world.westmarch)
    return record_agreements(agreements=[agreement], run_id=1, author=author, now=timezone.now())


def _agreement_and_commitment(world: World) -> Any:
    """Return an agreement and a commitment that are not linked yet."""
    promise = RegisterPromise(
        reference="S106/1/homes",
        giver_name="Quay Builders",
        receiver=world.westmarch,
        text="Twelve affordable homes.",
        agreed_at=world.now,
    )
    (commitment,) = create_from_register(promises=[promise], source="Register", author=None, now=world.now)
    (agreement,), _ = _record(world, None, None)
    return agreement, commitment


ROWS = (
    Row("developer_agreements.record_agreements", _record, PARTNER | ADMINISTRATOR),
    Row(
        "developer_agreements.link_promises",
        lambda world, author, unlinked_pair: link_promises(promises=[unlinked_pair], author=author, now=timezone.now()),
        PARTNER | ADMINISTRATOR,
        prepare=_agreement_and_commitment,
    ),
)
WITHOUT_A_PERSON = {
    "developer_agreements.giver_name_for": "words for a commitment",
    "developer_agreements.promise_description": "words for a commitment",
}
