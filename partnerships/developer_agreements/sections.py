"""Adds the link to an authority's developer agreements to its page."""

from __future__ import annotations

from django.db.models import QuerySet

from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.kit.sections import Section
from partnerships.organisations.models import Organisation
from partnerships.organisations.statements import count_for
from partnerships.people.models import User


def agreements_of(organisation: int) -> QuerySet[DeveloperAgreement]:
    """Return all agreements of an authority."""
    return DeveloperAgreement.objects.filter(organisation=organisation)


def agreements_section(user: User, organisation: Organisation, *, has_rows: bool) -> Section | None:
    """Return the link to the authority's agreements with their number, or None if it has none."""
    number = count_for(_published, user, organisation.pk) if has_rows else 0
    if not number:
        return None
    return Section("developer_agreements/_section.html", {"organisation": organisation, "number": number})


def _published(user: User, organisation: int) -> QuerySet[DeveloperAgreement]:
    """Return the agreements of the authority that the person may see."""
    return DeveloperAgreement.objects.visible_to(user).filter(organisation=organisation)
