"""Signed links in emails, with which one person can sign one version of a plan without signing in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.core import signing

from partnerships.organisations.models import Role
from partnerships.organisations.queries import organisation_for
from partnerships.people.models import User
from partnerships.plans.models import Signatory
from partnerships.plans.queries import takes_part_condition

SALT = "plans.sign-off"
#: How long a link to sign a plan works.
LIFETIME = dt.timedelta(days=60)


@dataclass(frozen=True, slots=True)
class SignOffLink:
    """The signatory, person and version number in a link to sign.

    A link is read only if the person leads the organisation today.
    """

    signatory: Signatory
    person: User
    number: int


def sign_off_token(signatory: Signatory, person: User, number: int) -> str:
    """Return the token of one person's link.

    The token becomes invalid when the signatory gets a new `link_key`.
    """
    return signing.dumps([signatory.pk, signatory.link_key, person.pk, number], salt=SALT)


def read_sign_off_token(token: str) -> SignOffLink | None:
    """Return the signatory, person and version in a token, or None if the link does not work.

    A link does not work if the token is invalid or too old, if the organisation no longer takes part in the plan, or if
    the person no longer leads the organisation.
    """
    try:
        signatory_pk, link_key, person_pk, number = signing.loads(token, salt=SALT, max_age=LIFETIME)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    signatory = (
        Signatory.objects.filter(takes_part_condition(), pk=signatory_pk, link_key=link_key, removed_at=None)
        .select_related("plan__partnership", "organisation")
        .first()
    )
    person = User.objects.filter(pk=person_pk, is_active=True).first()
    if signatory is None or person is None:
        return None
    if organisation_for(person, signatory.organisation_id, Role.LEAD) is None:
        return None
    return SignOffLink(signatory, person, number)
