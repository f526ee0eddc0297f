"""Developer agreements as records that pass to the successor of an authority."""

from __future__ import annotations

from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.organisations.obligations import Column, HeldRecord, Obligation, register_obligation

AGREEMENTS = Obligation(
    "developer_agreements",
    "Developer agreements",
    (Column("developer_agreements.DeveloperAgreement.organisation"),),
    lambda organisation, _: DeveloperAgreement.objects.filter(organisation=organisation, ended_on=None),
    lambda agreement, _: HeldRecord(
        agreement.pk,
        agreement.title,
        agreement.get_absolute_url(),
        agreement.planning_application,
        generic_title=agreement.title,
    ),
)


def register() -> None:
    """Register the agreements that have not ended."""
    register_obligation(AGREEMENTS)
