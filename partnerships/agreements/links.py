"""Signed links in emails, each of which lets one person sign one version of the terms until it expires."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.core import signing
from django.utils import timezone

from partnerships.agreements.models import TermsSignatory
from partnerships.agreements.queries.signers import signers_of
from partnerships.agreements.queries.terms import required_party_ids
from partnerships.people.models import User

SALT = "agreements.sign-terms"
#: How long a link to sign terms works.
LIFETIME = dt.timedelta(days=60)


@dataclass(frozen=True, slots=True)
class TermsLink:
    """A valid link: the signatory that it belongs to, and the person, who still signs for that party today."""

    signatory: TermsSignatory
    person: User


def terms_token(signatory: TermsSignatory, person: User) -> str:
    """Return the token of one person's link. A new `link_key` of the signatory makes the token invalid."""
    return signing.dumps([signatory.pk, signatory.link_key, person.pk], salt=SALT)


def read_terms_token(token: str) -> TermsLink | None:
    """Return the signatory and person of a token, or None if the token is invalid or too old.

    Also returns None if the partnership is over, the party has left or its signature is no longer needed, or the person
    no longer signs for the party: a link in an old email must not outlive the right to sign.
    """
    try:
        signatory_id, link_key, person_id = signing.loads(token, salt=SALT, max_age=LIFETIME)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    signatory = (
        TermsSignatory.objects.filter(pk=signatory_id, link_key=link_key, removed_at=None)
        .select_related("version__partnership", "version__proposal", "version__base", "organisation")
        .first()
    )
    person = User.objects.filter(pk=person_id, is_active=True).first()
    if signatory is None or person is None:
        return None
    partnership = signatory.version.partnership
    if partnership.is_over:
        return None
    if signatory.organisation_id not in required_party_ids(partnership):
        return None
    if person not in signers_of(signatory.organisation_id, partnership, timezone.localdate()):
        return None
    return TermsLink(signatory, person)
