"""Which organisations an entry asks, and who deals with it."""

from __future__ import annotations

from partnerships.agreements.models import Party, PartyRole
from partnerships.exchange.models import Audience, Entry


def parties_able_to_answer(partnership_id: int | None) -> set[int]:
    """Ids of the present parties that are not observers."""
    present = Party.objects.present().filter(partnership=partnership_id).exclude(role=PartyRole.OBSERVER)
    return set(present.values_list("organisation_id", flat=True))


def addressed_ids(entry: Entry) -> set[int] | None:
    """Ids of the organisations it asks; None if it asks the whole network."""
    if entry.audience == Audience.NETWORK:
        return None
    if entry.audience == Audience.PARTNERSHIP:
        return parties_able_to_answer(entry.partnership_id) - {entry.organisation_id}
    return set(entry.addressees.values_list("organisation_id", flat=True)) - {entry.organisation_id}
