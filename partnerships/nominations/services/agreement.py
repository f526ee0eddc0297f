"""Keep nominations agreements true to the terms in force and to their parties."""

from __future__ import annotations

from collections.abc import Collection

from partnerships.agreements.departures import TermsInForceChange
from partnerships.agreements.models import Party, PartyStatus
from partnerships.nominations.models import NominationsAgreement
from partnerships.nominations.schedule import agreed_in
from partnerships.organisations.obligations import Change, Moving


def follow_terms(change: TermsInForceChange) -> None:
    """Begin the agreement, or name other parties, when terms that say so come into force.

    Terms name parties as they were called when the version was sent; it keeps their ids. Terms that do not name two
    of its parties change nothing.
    """
    agreed = agreed_in(change.version.content)
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


def follow_parties(partnerships: Collection[int], moving: Moving) -> list[Change]:
    """Name the party of the body that took over a place in partnerships in which it had one already."""
    changes = []
    for agreement in NominationsAgreement.objects.filter(partnership__in=partnerships).order_by("pk"):
        for side in ("council", "provider"):
            left = Party.objects.filter(pk=getattr(agreement, f"{side}_id"), organisation=moving.source)
            taker = Party.objects.present().filter(partnership=agreement.partnership_id, organisation=moving.target)
            if left.exclude(status=PartyStatus.ACCEPTED).exists() and (successor := taker.first()):
                changes.append(_name(agreement, side, successor))
    return [change for change in changes if change is not None]


def _name(agreement: NominationsAgreement, side: str, party: Party) -> Change | None:
    other = agreement.provider_id if side == "council" else agreement.council_id
    if party.pk == other:
        return None
    before = getattr(agreement, f"{side}_id")
    setattr(agreement, side, party)
    agreement.save(update_fields=[side])
    return Change("nominations.NominationsAgreement", agreement.pk, {side: before}, {side: party.pk})
