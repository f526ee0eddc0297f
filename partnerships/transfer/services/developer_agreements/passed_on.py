"""Find agreements and contributions that passed to a successor, although later files name the predecessor."""

from __future__ import annotations

from collections.abc import Iterable

from partnerships.commitments.models import Commitment
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.developer_agreements.services import SOURCE
from partnerships.organisations.models import Handover, HandoverState, Organisation

#: A reference, and the id of an authority.
_Key = tuple[str, int]


class PassedOn:
    """Finds the present holder of an agreement or contribution, so that its row does not add it a second time."""

    def __init__(self) -> None:
        self._agreements = _holders(
            "developer_agreements", DeveloperAgreement.objects.values_list("pk", "reference", "organisation")
        )
        commitments = Commitment.objects.filter(source=SOURCE).values_list("pk", "source_reference", "receiver")
        self._contributions = _holders("commitments", commitments)
        predecessor_ids = {authority_id for _, authority_id in self._agreements}
        self._contributions_kept_by_predecessors = {
            (reference, receiver_id) for _, reference, receiver_id in commitments.filter(receiver__in=predecessor_ids)
        }

    def agreement(self, reference: str, authority: Organisation) -> Organisation:
        """Return the present holder of the authority's agreement, which is the authority unless it passed on."""
        return self._agreements.get((reference, authority.pk), authority)

    def contribution(self, reference: str, agreement: str, authority: Organisation | None) -> Organisation | None:
        """Return the present holder of a contribution, or of its agreement if the contribution is new.

        `reference` and `agreement` are the references of the contribution and of its agreement. Returns None if the row
        has no authority.
        """
        if authority is None or (reference, authority.pk) in self._contributions_kept_by_predecessors:
            return authority
        return self._contributions.get((reference, authority.pk)) or self.agreement(agreement, authority)


def _holders(kind: str, records: Iterable[tuple[int, str, int | None]]) -> dict[_Key, Organisation]:
    """Return the present holders of the records that passed on, by reference and predecessor.

    `records` has the primary key, the reference and the holder's id of every record of this kind of obligation.
    """
    handovers = list(
        Handover.objects.filter(kind=kind, state=HandoverState.APPLIED).values_list("record", "predecessor")
    )
    if not handovers:
        return {}
    record_by_pk = {pk: (reference, holder_id) for pk, reference, holder_id in records}
    holder_ids: dict[_Key, int] = {}
    for record_pk, predecessor_id in handovers:
        reference, holder_id = record_by_pk.get(record_pk, ("", None))
        if holder_id is not None and holder_id != predecessor_id:
            holder_ids[reference, predecessor_id] = holder_id
    organisations = Organisation.objects.in_bulk(set(holder_ids.values()))
    return {key: organisations[holder_id] for key, holder_id in holder_ids.items()}
