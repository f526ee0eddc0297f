"""The section of standing offers on an organisation's page, and the registry of sections on an entry's page."""

from __future__ import annotations

from django.db.models import QuerySet

from partnerships.exchange.models import Entry
from partnerships.exchange.queries import standing_offers_of
from partnerships.kit.sections import Section, Sections
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User

#: Sections on the page of an ask or offer.
ON_ENTRIES: Sections[User, Entry] = Sections()


def all_standing_offers_of(organisation_id: int) -> QuerySet[Entry]:
    """Return all standing offers of an organisation, even those with a restricted audience."""
    return Entry.objects.filter(organisation=organisation_id, standing=True)


def standing_offers_section(user: User, organisation: Organisation, *, has_rows: bool) -> Section | None:
    """Return the standing offers that the person can see, and for editors a link to add an offer.

    Returns None if there are no offers and the person may not add one.
    """
    offers = rows_for(standing_offers_of, organisation.pk, user) if has_rows else []
    may_add = Membership.objects.roles_of(user).get(organisation.pk) in EDITING_ROLES
    if not offers and not may_add:
        return None
    return Section("exchange/_standing.html", {"offers": offers, "may_add": may_add})
