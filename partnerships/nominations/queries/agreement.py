"""What a nominations agreement says on a day."""

from __future__ import annotations

import datetime as dt

from partnerships.agreements.models import Partnership
from partnerships.agreements.queries.terms import version_in_force
from partnerships.nominations.models import NominationsAgreement
from partnerships.nominations.schedule import Agreed, agreed_in


def agreement_of(partnership: Partnership) -> NominationsAgreement | None:
    """The nominations agreement of a partnership, ready for pages."""
    found = NominationsAgreement.objects.for_pages().filter(partnership=partnership).first()
    if found is not None:
        found.partnership = partnership
    return found


def agreed_on(agreement: NominationsAgreement, day: dt.date) -> Agreed | None:
    """What the terms in force on the day say; None before the first, or if they leave out a figure."""
    version = version_in_force(agreement.partnership, day)
    return agreed_in(version.content) if version else None


def sides_on(agreement: NominationsAgreement, day: dt.date) -> tuple[set[int], set[int]]:
    """Ids of the council and of the provider: those of today, and those that the terms in force on the day name.

    They differ once a successor has taken the place of one.
    """
    councils, providers = {agreement.council.organisation_id}, {agreement.provider.organisation_id}
    version = version_in_force(agreement.partnership, day)
    agreed = agreed_in(version.content) if version else None
    if version is not None and agreed is not None:
        ids = {line["name"]: line["organisation"] for line in version.parties}
        councils |= {ids[name] for name in (agreed.council,) if name in ids}
        providers |= {ids[name] for name in (agreed.provider,) if name in ids}
    return councils, providers
