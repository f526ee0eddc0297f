"""Queries for the pages of developer agreements."""

from __future__ import annotations

import datetime as dt

from django.db.models import Value
from django.db.models.functions import Coalesce

from partnerships.commitments.models import Commitment, CommitmentQuerySet
from partnerships.commitments.queries import sorted_by_due_date
from partnerships.developer_agreements.models import DeveloperAgreement, DeveloperAgreementQuerySet
from partnerships.kit.moments import beginning_of
from partnerships.organisations.lineage import holders_at
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

#: The order of lists, newest first. Keyset pages compare values, so they need `agreed_key`, which is never null.
NEWEST_FIRST = ("-agreed_key", "-pk")
#: Agreements without a date are sorted as if they had this one.
_UNDATED = dt.date(1, 1, 1)


def agreements_of(organisation: Organisation, user: User) -> DeveloperAgreementQuerySet:
    """Return the authority's agreements that the person may see, with the annotation for `NEWEST_FIRST`."""
    agreements = DeveloperAgreement.objects.visible_to(user).filter(organisation=organisation)
    return agreements.for_listing().annotate(agreed_key=Coalesce("agreed_on", Value(_UNDATED)))


def promises_in(agreement: DeveloperAgreement, user: User) -> CommitmentQuerySet:
    """Return the commitments made in the agreement that the person may see."""
    commitments = Commitment.objects.visible_to(user).filter(promised_in__agreement=agreement)
    return sorted_by_due_date(commitments.for_listing())


def original_authority_of(agreement: DeveloperAgreement) -> Organisation | None:
    """Return the authority that made an agreement which now belongs to its successor.

    Returns None if the agreement still belongs to the authority that made it, or if its day is unknown.
    """
    if agreement.agreed_on is None:
        return None
    earlier_holders = holders_at("developer_agreements", agreement.pk, beginning_of(agreement.agreed_on))
    return earlier_holders.get(agreement.organisation_id)
