"""The rights of a person over recommendations (docs/rights.md)."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet
from django.utils import timezone

from partnerships.agreements.models import Partnership, PartnershipQuerySet, Party, PartyRole
from partnerships.agreements.rights import rights_over
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.organisations.rights import roles_of
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User
from partnerships.recommendations.models import Adoption, Recommendation
from partnerships.recommendations.queries.addressing import addressed_among


def may_answer_for(organisation: Organisation, person: User | None, now: dt.datetime) -> bool:
    """Return whether the person may respond for the organisation. Its editors and leads may."""
    return roles_of(person, now).may_edit_for(organisation.pk)


def organisations_to_respond_for(person: User, recommendation: Recommendation, now: dt.datetime) -> list[Organisation]:
    """Return the organisations to which the recommendation is addressed and for which the person may respond."""
    day = timezone.localdate(now)
    return addressed_among(recommendation, rows_for(edited_organisations, person), day)


def edited_organisations(person: User) -> QuerySet[Organisation]:
    """Return the organisations for which the person is an editor or lead, by name."""
    return Organisation.objects.of_person(person, *EDITING_ROLES).order_by("name", "pk")


def may_adopt_in(partnership: Partnership, person: User | None, now: dt.datetime) -> bool:
    """Return whether the person may propose and adopt recommendations in the partnership.

    Editors and leads of present parties that are not observers may.
    """
    return rights_over(partnership, person, now).may_edit_objectives  # the same people may edit objectives


def partnerships_to_propose_to(person: User, recommendation: Recommendation) -> PartnershipQuerySet:
    """Return the partnerships to which the person may propose a recommendation.

    These partnerships have not ended, and have neither adopted the recommendation nor been asked to adopt it. They may
    have dropped it before.
    """
    live_adoptions = Adoption.objects.live().filter(recommendation=recommendation)
    own_organisations = Organisation.objects.of_person(person, *EDITING_ROLES)
    own_parties = Party.objects.accepted().exclude(role=PartyRole.OBSERVER).filter(organisation__in=own_organisations)
    partnerships = Partnership.objects.visible_to(person).live().filter(pk__in=own_parties.values("partnership"))
    return partnerships.exclude(pk__in=live_adoptions.values("partnership")).order_by("title", "pk")
