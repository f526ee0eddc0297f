"""Who may freeze and schedule reports (docs/rights.md)."""

from __future__ import annotations

from partnerships.agreements.models import Partnership
from partnerships.agreements.rights import edits_for
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.organisations.rights import has_open_account
from partnerships.people.models import User


def may_report_for(person: User, body: Organisation | Partnership) -> bool:
    """Whether they may freeze and schedule reports for its people: editors and leads."""
    return has_open_account(person) and edits_for(person, body)


def reported_for(person: User) -> list[Organisation | Partnership]:
    """The organisations and partnerships for which they may, by name."""
    return [
        *Organisation.objects.of_person(person, *EDITING_ROLES).order_by("name", "pk"),
        *Partnership.objects.present_for(person, *EDITING_ROLES).live().order_by("title", "pk"),
    ]
