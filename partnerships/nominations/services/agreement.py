"""Update nominations agreements when other terms come into force, and when parties merge."""

from __future__ import annotations

from collections.abc import Collection

from partnerships.agreements.departures import TermsInForceChange
from partnerships.agreements.models import Party, PartyStatus
from partnerships.nominations.models import NominationsAgreement
from partnerships.nominations.schedule import nomination_terms_in
from partnerships.organisations.obligations import Change, RecordMove


def follow_terms(change: TermsInForceChange) -> None:
    """Create the agreement, or change its council and provider, when terms that name both come into force.

    The content of the terms has the names of the parties at that time, and the version has their ids. Terms that do not
    name two different parties change nothing.
    """
    agreed = nomination_terms_in(change.version.content)
    if agreed is None:
        return
    organisation_by_name = {party["name"]: party["organisation"] for party in change.version.parties}
    current_parties = change.partnership.parties.exclude(status=PartyStatus.DECLINED)
    party_by_organisation = {party.organisation_id: party for party in current_parties}
    council = party_by_organisation.get(organisation_by_name.get(agreed.council, 0))
    provider = party_by_organisation.get(organisation_by_name.get(agreed.provider, 0))
    if council is None or provider is None or council == provider:
        return
    NominationsAgreement.objects.update_or_create(
        partnership=change.partnership,
        defaults={"council": council, "provider": provider},
        create_defaults={"council": council, "provider": provider, "begun_at": change.now},
    )


def follow_parties(partnership_ids: Collection[int], move: RecordMove) -> list[Change]:
    """Change the council or provider of agreements whose party merged into another party of the same partnership."""
    changes: list[Change] = []
    for agreement in NominationsAgreement.objects.filter(partnership__in=partnership_ids).order_by("pk"):
        for side in ("council", "provider"):
            successor = _successor_of(agreement, side, move)
            change = _replace_party(agreement, side, successor) if successor else None
            if change is not None:
                changes.append(change)
    return changes


def _successor_of(agreement: NominationsAgreement, side: str, move: RecordMove) -> Party | None:
    """Return the party that takes over a side of the agreement, if that side's party has merged into it."""
    former_party = Party.objects.filter(pk=getattr(agreement, f"{side}_id"), organisation=move.source)
    if not former_party.exclude(status=PartyStatus.ACCEPTED).exists():
        return None
    parties = Party.objects.accepted().filter(partnership=agreement.partnership_id)
    return parties.filter(organisation=move.target).first()


def _replace_party(agreement: NominationsAgreement, side: str, party: Party) -> Change | None:
    """Make a party the council or the provider, unless it already is the other side."""
    other_side_id = agreement.provider_id if side == "council" else agreement.council_id
    if party.pk == other_side_id:
        return None
    before = getattr(agreement, f"{side}_id")
    setattr(agreement, side, party)
    agreement.save(update_fields=[side])
    return Change("nominations.NominationsAgreement", agreement.pk, {side: before}, {side: party.pk})
