"""Links from the page of a commitment to the developer agreement in which it was made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db.models import QuerySet

from partnerships.commitments.models import Commitment
from partnerships.commitments.origins import CommitmentSuggestion, Origin, OriginLink
from partnerships.developer_agreements.models import AgreementPromise, DeveloperAgreement
from partnerships.people.models import User


def agreement_links_of(*, commitment: Commitment, user: User) -> Sequence[OriginLink]:
    """Return links to the agreement in which the commitment was made."""
    agreements = DeveloperAgreement.objects.visible_to(user).filter(promises__commitment=commitment).order_by("pk")
    return [OriginLink(agreement.title, agreement.get_absolute_url()) for agreement in agreements]


def suggest_nothing(*, user: User, record_id: int) -> CommitmentSuggestion | None:
    """Return None, because people do not propose commitments from an agreement. Imports create them."""
    return None


def link_nothing(*, commitment: Commitment, record_id: int, author: User, now: dt.datetime) -> None:
    """Do nothing, because `link_promises` stores the links of agreements."""


def promises_of(commitment_id: int) -> QuerySet[AgreementPromise]:
    """Return the row that links a commitment to its agreement."""
    return AgreementPromise.objects.filter(commitment=commitment_id)


AGREEMENT = Origin(
    name="agreement", suggest=suggest_nothing, link=link_nothing, links_of=agreement_links_of, rows=(promises_of,)
)
