"""The section of standing offers on an organisation's page."""

from __future__ import annotations

from partnerships.exchange.queries import standing_offers_of
from partnerships.kit.sections import Section
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.people.models import User


def standing_section(user: User, organisation: Organisation) -> Section | None:
    """The standing offers they can see; editors also get a link to add one."""
    offers = list(standing_offers_of(organisation, user))
    may_add = Organisation.objects.of_person(user, *EDITING_ROLES).filter(pk=organisation.pk).exists()
    if not offers and not may_add:
        return None
    return Section("exchange/_standing.html", {"offers": offers, "may_add": may_add})
