"""Helpers for spreadsheets of commitments, asks and offers, and contacts, which belong to a partnership."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from partnerships.agreements.models import Partnership, Party, PartyRole
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.spreadsheets.services.kinds.base import Target


def partnership_of(target: Target) -> Partnership:
    """Return the partnership of the target."""
    assert target.partnership is not None  # only partnerships have these kinds
    return target.partnership


def parties_of(target: Target) -> list[Organisation]:
    """Return the present parties, without observers, by name."""
    parties = Party.objects.accepted().filter(partnership=partnership_of(target)).exclude(role=PartyRole.OBSERVER)
    return [party.organisation for party in parties.select_related("organisation").order_by("organisation__name", "pk")]


def may_import(target: Target, person: User, now: dt.datetime) -> bool:
    """Return whether the person is an editor or lead of a present party that is not an observer.

    Only these people may import, and only until the partnership is over.
    """
    party = target.organisation
    if party is None or partnership_of(target).is_over_on(timezone.localdate(now)):
        return False
    return roles_of(person, now).may_edit_for(party.pk) and party in parties_of(target)


def remembered_for(target: Target, person: User, now: dt.datetime) -> Organisation | None:
    """Return the party that the person acts for, whose confirmed headings are remembered."""
    return target.organisation
