"""Sign terms for the parties that accepted their invitations, in a network file whose terms are already agreed."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import ProposalStatus, SigningMethod, TermsSignature, TermsVersion
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.recording import record_event
from partnerships.agreements.services.terms.recording import lock_version
from partnerships.agreements.services.terms.signing import UnableToSignTerms
from partnerships.agreements.services.terms.taking_force import UnableToTakeForce, put_in_force_if_signed
from partnerships.documents.models import Decision
from partnerships.kit.rights import require
from partnerships.people.models import User


@transaction.atomic
def record_acceptances(*, version: TermsVersion, author: User | None, now: dt.datetime) -> None:
    """Sign a version for each party that accepted its invitation, on the day on which it accepted.

    If every party has then signed, the version comes into force. Only the system may do this, when it loads a network
    file. Raises `UnableToSignTerms`.
    """
    partnership, locked_version = lock_version(version)
    require(rights_over(partnership, author, now).may_load)
    proposal = locked_version.proposal
    if proposal is None or proposal.status != ProposalStatus.AWAITING:
        raise UnableToSignTerms("These terms are not waiting for signatures. Send them for signature first.")

    signed_ids = set(locked_version.signatures.values_list("organisation", flat=True))
    parties = partnership.parties.required_to_sign().accepted().exclude(organisation__in=signed_ids)
    for party in parties.select_related("answered_by").order_by("pk"):
        accepted_at = party.answered_at or now
        TermsSignature.objects.create(
            version=locked_version,
            organisation_id=party.organisation_id,
            decision=Decision.APPROVED,
            person=party.answered_by,
            name=party.answered_by.display_name if party.answered_by else "",
            role="",
            how=SigningMethod.ACCEPTED,
            signed_on=timezone.localdate(accepted_at),
            signed_at=accepted_at,
        )
    record_event(partnership, EventKind.TERMS_ACCEPTED, author=author, now=now, data={"number": locked_version.number})

    proposal.partnership = partnership
    try:
        put_in_force_if_signed(proposal, author=author, now=now)
    except UnableToTakeForce as error:
        raise UnableToSignTerms(str(error)) from error
