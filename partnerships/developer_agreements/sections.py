"""The section with a link to the developer agreements of an authority, for its page."""

from __future__ import annotations

from django.db.models import QuerySet

from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.kit.sections import Section
from partnerships.organisations.models import Organisation
from partnerships.organisations.statements import Lookup, count_for, count_lookup
from partnerships.people.models import User


def agreements_of(organisation_id: int) -> QuerySet[DeveloperAgreement]:
    """Return all agreements of an authority."""
    return DeveloperAgreement.objects.filter(organisation=organisation_id)


def agreements_lookups(user: User, organisation: Organisation) -> list[Lookup]:
    """Return the query of `agreements_section`, so that it can be sent together with other queries."""
    return [count_lookup(_visible_agreements, user, organisation.pk)]


def agreements_section(user: User, organisation: Organisation, *, has_rows: bool) -> Section | None:
    """Return the section with the number of the authority's agreements, or None if it has none.

    `has_rows` is true if `agreements_of` returns any agreement of the authority.
    """
    agreement_count = count_for(_visible_agreements, user, organisation.pk) if has_rows else 0
    if agreement_count == 0:
        return None
    context = {"organisation": organisation, "agreement_count": agreement_count}
    return Section("developer_agreements/_section.html", context)


def _visible_agreements(user: User, organisation_id: int) -> QuerySet[DeveloperAgreement]:
    """Return the agreements of the authority that the person may see."""
    return DeveloperAgreement.objects.visible_to(user).filter(organisation=organisation_id)
