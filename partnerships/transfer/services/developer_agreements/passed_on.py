"""Agreements and contributions that passed to successors.

Later files may still name who had them.
"""

from __future__ import annotations

from collections.abc import Iterable

from partnerships.commitments.models import Commitment
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.developer_agreements.services import SOURCE
from partnerships.organisations.models import Handover, HandoverState, Organisation

#: A reference, and the authority (id).
_Key = tuple[str, int]


class PassedOn:
    """Who holds today what an authority of a file had, so that its row finds it instead of adding it again."""

    def __init__(self) -> None:
        self._agreements = _holders(
            "developer_agreements", DeveloperAgreement.objects.values_list("pk", "reference", "organisation")
        )
        promises = Commitment.objects.filter(source=SOURCE).values_list("pk", "source_reference", "receiver")
        self._promises = _holders("commitments", promises)
        stayed = promises.filter(receiver__in={body for _, body in self._agreements})
        self._stayed = {(reference, body) for _, reference, body in stayed}

    def agreement(self, reference: str, authority: Organisation) -> Organisation:
        """Who holds the authority's agreement."""
        return self._agreements.get((reference, authority.pk), authority)

    def contribution(self, reference: str, agreement: str, authority: Organisation | None) -> Organisation | None:
        """Who holds the authority's contribution.

        Of one that is new, who holds its agreement (a reference).
        """
        if authority is None or (reference, authority.pk) in self._stayed:
            return authority
        return self._promises.get((reference, authority.pk)) or self.agreement(agreement, authority)


def _holders(kind: str, rows: Iterable[tuple[int, str, int | None]]) -> dict[_Key, Organisation]:
    """Who holds each record (id, reference, holder) of a kind of obligation that passed on, by who had it."""
    lines = list(Handover.objects.filter(kind=kind, state=HandoverState.APPLIED).values_list("record", "predecessor"))
    held = {pk: (reference, body) for pk, reference, body in rows} if lines else {}
    holders = {}
    for record, predecessor in lines:
        reference, body = held.get(record, ("", None))
        if body is not None and body != predecessor:
            holders[reference, predecessor] = body
    bodies = Organisation.objects.in_bulk(set(holders.values()))
    return {key: bodies[body] for key, body in holders.items()}
