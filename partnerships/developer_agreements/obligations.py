"""What happens to developer agreements when an authority ends and another succeeds it.

Agreements that have not ended pass to the successor. Ended ones stay as they are.
"""

from __future__ import annotations

from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.organisations.obligations import Column, HeldRecord, Obligation, register_obligation

AGREEMENTS = Obligation(
    code="developer_agreements",
    label="Developer agreements",
    columns=(Column("developer_agreements.DeveloperAgreement.organisation"),),
    records=lambda organisation, _day: DeveloperAgreement.objects.filter(organisation=organisation, ended_on=None),
    describe=lambda agreement, _organisation: HeldRecord(
        pk=agreement.pk,
        title=agreement.title,
        path=agreement.get_absolute_url(),
        what=agreement.planning_application,
        generic_title=agreement.title,
    ),
)


def register() -> None:
    """Register the agreements that have not ended."""
    register_obligation(AGREEMENTS)
