"""The rights of a person over a nominations agreement and its returns (docs/rights.md)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from django.utils import timezone

from partnerships.agreements.queries.sharing import (
    ids_with_open_data,
    is_data_sharing_open,
    open_data_lookups,
    sharing_lookups,
)
from partnerships.agreements.rights import present_parties, rights_lookup
from partnerships.agreements.rights import rights_over as partnership_rights_over
from partnerships.nominations.models import NominationsAgreement, NominationsReturn
from partnerships.organisations.audience import Everybody, Reader
from partnerships.organisations.rights import Roles, roles_of
from partnerships.organisations.statements import Lookup, lookup, read_ahead, rows_for
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights of one person over one agreement now.

    `council_id` and `provider_id` are ids of organisations, or None if that organisation is no longer a party.
    `other_party_ids` are the ids of the other present parties. `is_open` says whether a signed data-sharing agreement
    is in force. Without one, nobody may read or enter a figure.
    """

    agreement: NominationsAgreement
    council_id: int | None
    provider_id: int | None
    other_party_ids: Collection[int]
    roles: Roles
    is_open: bool

    def _acts_for(self, *organisation_ids: int | None) -> bool:
        """Return whether the person belongs to one of these organisations. The id of a former party is None."""
        return any(pk is not None and self.roles.acts_for(pk) for pk in organisation_ids)

    @property
    def reads_returns(self) -> bool:
        """Return whether the person reads every figure of returns, as people of the council and the provider do."""
        return self.is_open and self._acts_for(self.council_id, self.provider_id)

    def reads_return(self, nominations_return: NominationsReturn) -> bool:
        """Return whether the person reads every figure of one return.

        People of the council read a return only after it was first sent.
        """
        return self.reads_returns and (bool(nominations_return.sendings) or self._acts_for(self.provider_id))

    @property
    def reads_other_areas(self) -> bool:
        """Return whether the person reads how many homes were let in other areas. Only the provider's people do."""
        return self.is_open and self._acts_for(self.provider_id)

    @property
    def reads_masked_results(self) -> bool:
        """Return whether the person, as a member of another party, reads only results with small numbers masked."""
        return self.is_open and not self.reads_returns and self._acts_for(*self.other_party_ids)

    @property
    def may_report(self) -> bool:
        """Return whether the person is an editor or lead of the provider, who may start, fill in and send a return."""
        return self.is_open and self.provider_id is not None and self.roles.may_edit_for(self.provider_id)

    @property
    def may_decide(self) -> bool:
        """Return whether the person is an editor or lead of the council, who may confirm and dispute lines."""
        return self.is_open and self.council_id is not None and self.roles.may_edit_for(self.council_id)

    @property
    def may_reopen(self) -> bool:
        """Return whether the person may reopen a confirmed return.

        Editors and leads of the council and of the provider may do this.
        """
        return self.may_report or self.may_decide

    def may_fill_in(self, nominations_return: NominationsReturn) -> bool:
        """Return whether the person may fill in and send this return now."""
        return self.may_report and nominations_return.is_writable

    def may_decide_about(self, nominations_return: NominationsReturn) -> bool:
        """Return whether the person may confirm and dispute lines of this return now."""
        return self.may_decide and nominations_return.is_sent

    def may_reopen_return(self, nominations_return: NominationsReturn) -> bool:
        """Return whether the person may reopen this return now."""
        return self.may_reopen and nominations_return.is_settled

    @property
    def may_ask(self) -> bool:
        """Return whether the person may ask the provider, for the council, to make up a shortfall."""
        return self.may_decide


def rights_over(agreement: NominationsAgreement, person: User | None, now: dt.datetime) -> Rights:
    """Return the rights of a person over an agreement at `now`. For the system, `person` is None.

    Fetch the agreement with `for_pages`. Otherwise, each call makes further queries.
    """
    partnership_id = agreement.partnership_id
    read_ahead(rights_lookups(partnership_id, now))
    partnership_rights = partnership_rights_over(agreement.partnership, person, now)
    present_parties = partnership_rights.present
    council_id, provider_id = agreement.council.organisation_id, agreement.provider.organisation_id
    is_open = person is None or is_data_sharing_open(agreement.partnership, timezone.localdate(now), person)
    return Rights(
        agreement=agreement,
        council_id=council_id if council_id in present_parties else None,
        provider_id=provider_id if provider_id in present_parties else None,
        other_party_ids=present_parties.keys() - {council_id, provider_id},
        roles=partnership_rights.roles,
        is_open=is_open,
    )


def rights_lookups(partnership_id: int, now: dt.datetime) -> list[Lookup]:
    """Return the lookups with which `rights_over` begins, for `read_ahead`."""
    return [rights_lookup(partnership_id, now), *sharing_lookups(partnership_id)]


def read_by(
    agreements: Collection[NominationsAgreement], reader: Reader, now: dt.datetime
) -> list[NominationsAgreement]:
    """Return the agreements whose results the reader may read, in full or with small numbers masked.

    The people of each present party may read them while data sharing is open. `Everybody` reads an agreement if all its
    organisations are present parties. Makes few queries. Fetch the agreements with `for_pages`.
    """
    partnerships = [agreement.partnership for agreement in agreements]
    partnership_ids, day = [partnership.pk for partnership in partnerships], timezone.localdate(now)
    party_ids: dict[int, set[int]] = defaultdict(set)
    for partnership_id, organisation_id in rows_for(present_parties, partnership_ids, now):
        party_ids[partnership_id].add(organisation_id)
    if isinstance(reader, Everybody):
        organisation_ids = set(reader.organisations)
        inside = {pk for pk, parties in party_ids.items() if organisation_ids and organisation_ids <= parties}
    elif isinstance(reader, User):
        organisation_ids = set(roles_of(reader, now).by_organisation)
        inside = {pk for pk, parties in party_ids.items() if organisation_ids & parties}
    else:
        inside = set()
    readable_ids = ids_with_open_data([row for row in partnerships if row.pk in inside], day, reader)
    return [agreement for agreement in agreements if agreement.partnership_id in readable_ids]


def read_by_lookups(partnership_ids: list[int], now: dt.datetime) -> list[Lookup]:
    """Return the lookups with which `read_by` begins, for the partnerships (ids) of the agreements."""
    return [lookup(present_parties, partnership_ids, now), *open_data_lookups(partnership_ids, timezone.localdate(now))]
