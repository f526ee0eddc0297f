"""Links in emails with which one person can sign one version of the terms."""

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
    """The party and the person of a valid link. The person may still sign for that party today."""

    signatory: TermsSignatory
    person: User


def terms_token(signatory: TermsSignatory, person: User) -> str:
    """Return the token of one person's link. The token stops working when the signatory gets a new `link_key`."""
    return signing.dumps([signatory.pk, signatory.link_key, person.pk], salt=SALT)


def read_terms_token(token: str) -> TermsLink | None:
    """Return the signatory and person of a token, or None if the person cannot sign with it any more.

    The token may be invalid or expired, the partnership may be over, or the party may have left. The person may also no
    longer sign for the party. A link in an old email must not outlive the right to sign.
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
