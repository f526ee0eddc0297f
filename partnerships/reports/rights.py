"""Who may freeze and schedule reports (docs/rights.md)."""

from __future__ import annotations

import datetime as dt

from partnerships.agreements.models import Partnership, Party, PartyRole
from partnerships.agreements.rights import rights_over
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.organisations.rights import has_open_account, roles_of
from partnerships.people.models import User


def may_report_for(person: User, audience: Organisation | Partnership, now: dt.datetime) -> bool:
    """Return whether the person may freeze and schedule reports for an organisation or partnership.

    These are editors and leads of the organisation, or of a present party of the partnership that is not an observer.
    They may also end schedules.
    """
    if not has_open_account(person):
        return False
    if isinstance(audience, Organisation):
        return roles_of(person, now).may_edit_for(audience.pk)
    return bool(rights_over(audience, person, now).adds_documents_for)


def bodies_to_report_for(person: User) -> list[Organisation | Partnership]:
    """Return the organisations and partnerships for which the person may freeze and schedule reports, by name."""
    organisations = Organisation.objects.of_person(person, *EDITING_ROLES)
    parties = Party.objects.accepted().exclude(role=PartyRole.OBSERVER).filter(organisation__in=organisations)
    partnerships = Partnership.objects.filter(pk__in=parties.values("partnership"))
    return [*organisations.order_by("name", "pk"), *partnerships.live().order_by("title", "pk")]
