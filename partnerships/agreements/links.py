"""Signed links in emails that let one person sign one version of the terms.

They expire.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.core import signing
from django.utils import timezone

from partnerships.agreements.models import TermsSignatory
from partnerships.agreements.queries.terms import required_parties, signers_of
from partnerships.people.models import User

SALT = "agreements.sign-terms"
#: How long a link to sign terms works.
LIFETIME = dt.timedelta(days=60)


@dataclass(frozen=True, slots=True)
class TermsLink:
    """The content of a link to sign, checked against today's posts."""

    signatory: TermsSignatory
    person: User


def terms_token(signatory: TermsSignatory, person: User) -> str:
    """The token of one person's link; a new `link_key` makes it invalid."""
    return signing.dumps([signatory.pk, signatory.link_key, person.pk], salt=SALT)


def read_terms_token(token: str) -> TermsLink | None:
    """The content of a token, or None if it is invalid or too old.

    Also None if the partnership is over, the party no longer takes part or is no longer asked, or the person no longer
    signs for it.
    """
    try:
        signatory_pk, key, person_pk = signing.loads(token, salt=SALT, max_age=LIFETIME)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    signatory = (
        TermsSignatory.objects.filter(pk=signatory_pk, link_key=key, removed_at=None)
        .select_related("version__partnership", "version__proposal", "organisation")
        .first()
    )
    person = User.objects.filter(pk=person_pk, is_active=True).first()
    if signatory is None or person is None:
        return None
    partnership = signatory.version.partnership
    if partnership.is_over:
        return None
    if signatory.organisation_id not in required_parties(partnership):
        return None
    if person not in signers_of(signatory.organisation_id, partnership, timezone.localdate()):
        return None
    return TermsLink(signatory, person)
