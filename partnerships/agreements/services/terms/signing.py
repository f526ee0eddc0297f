"""Sign a version of the terms, decline to sign it, or record a signature on paper."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.utils import timezone

from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import (
    Partnership,
    ProposalStatus,
    SigningMethod,
    TermsSignatory,
    TermsSignature,
    TermsVersion,
)
from partnerships.agreements.queries.signers import signers_of
from partnerships.agreements.queries.terms import newest_version, required_party_ids, version_to_join
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.documents import UnableToAddDocument, add_document
from partnerships.agreements.services.recording import record_event
from partnerships.agreements.services.terms.recording import email_leads, lock_version
from partnerships.agreements.services.terms.taking_force import (
    UnableToTakeForce,
    put_in_force_if_signed,
    return_to_drafting,
)
from partnerships.agreements.terms.projection import ends_before
from partnerships.documents.models import Decision
from partnerships.documents.services import InvalidAnswers, read_answers
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

NO_ANSWERS: Mapping[str, str] = MappingProxyType({})


class UnableToSignTerms(Exception):
    """The party cannot sign this version, or its name, job title, reason or answers are missing."""


@transaction.atomic
def sign_terms(
    *,
    version: TermsVersion,
    organisation: Organisation,
    person: User,
    name: str,
    title: str,
    now: dt.datetime,
    how: str = SigningMethod.PAGE,
    answers: Mapping[str, str] = NO_ANSWERS,
) -> TermsSignature:
    """Sign a version for a party with a typed name and job title, and answer the questions to the party.

    The person must hold the party's signatory post or, if nobody does, lead the party. With the last signature, the
    version comes into force. Until then, the leads of all parties are emailed about each signature. Raises
    `UnableToSignTerms`.
    """
    today = timezone.localdate(now)
    partnership, locked_version = lock_version(version)
    require(person in signers_of(organisation.pk, partnership, today))
    name, title = " ".join(name.split()), " ".join(title.split())
    if not name:
        raise UnableToSignTerms("Enter your full name as your signature.")
    if not title:
        raise UnableToSignTerms("Enter your job title.")
    signatory = _open_request(partnership, locked_version, organisation, now)

    signature = TermsSignature(
        decision=Decision.APPROVED,
        person=person,
        name=name[:200],
        role=title[:150],
        answers=_answers(signatory, answers, Decision.APPROVED),
        how=how,
        signed_on=today,
        signed_at=now,
    )
    _save_signature(signature, locked_version, signatory)
    _record_decision(locked_version, signature, EventKind.TERMS_SIGNED, author=person, now=now, joins=signatory.joins)
    _put_in_force_or_email(locked_version, signature, author=person, now=now)
    return signature


def _answers(signatory: TermsSignatory, answers: Mapping[str, str], decision: str) -> list[dict[str, str]]:
    """Return the questions to the party with its answers, for a signature. Raises `UnableToSignTerms`."""
    try:
        return read_answers(signatory.questions, answers, decision)
    except InvalidAnswers as error:
        raise UnableToSignTerms(str(error)) from error


def _open_request(
    partnership: Partnership,
    version: TermsVersion,
    organisation: Organisation,
    now: dt.datetime,
    *,
    declines: bool = False,
) -> TermsSignatory:
    """Return the request that the party may still answer. Raises `UnableToSignTerms` if there is none.

    A party that joined later may sign even after it has declined.
    """
    signatory = version.signatories.filter(organisation=organisation, removed_at=None).first()
    if signatory is not None and signatory.joins:
        _check_joining(partnership, version, now)
    else:
        _check_awaiting(partnership, version, now)
    if signatory is None:
        raise UnableToSignTerms(
            f"{organisation.name} has not been asked to sign these terms, so you cannot sign for it."
        )
    if organisation.pk not in required_party_ids(partnership, timezone.localdate(now)):
        raise UnableToSignTerms(
            f"{organisation.name} no longer takes part in this partnership, so you cannot sign for it."
        )

    earlier_signature = version.signatures.filter(organisation=organisation).order_by("-pk").first()
    if earlier_signature is None:
        return signatory
    signs_after_declining = signatory.joins and earlier_signature.is_rejected and not declines
    if not signs_after_declining:
        verb = "declined to sign" if earlier_signature.is_rejected else "signed"
        raise UnableToSignTerms(
            f"{earlier_signature.name} has already {verb} for {organisation.name}, so you do not need to."
        )
    return signatory


def _check_joining(partnership: Partnership, version: TermsVersion, now: dt.datetime) -> None:
    """Refuse the signature of a party that joined later, unless the version is in force."""
    today = timezone.localdate(now)
    if partnership.is_over_on(today):
        raise UnableToSignTerms("This partnership has ended, so its terms can no longer be signed.")
    current_version = version_to_join(partnership, today)
    if current_version is None or current_version.pk != version.pk:
        raise UnableToSignTerms("Another version is now in force. Read and sign that version instead.")


def _check_awaiting(partnership: Partnership, version: TermsVersion, now: dt.datetime) -> None:
    """Refuse a signature on a version that is not awaiting signatures."""
    today = timezone.localdate(now)
    proposal = version.proposal
    newest_sent_version = newest_version(proposal) if proposal else None
    if proposal is None or newest_sent_version is None or newest_sent_version.pk != version.pk:
        raise UnableToSignTerms("A newer version has been sent for signature. Read and sign that version.")
    if partnership.is_over_on(today):
        raise UnableToSignTerms("This partnership has ended, so its terms can no longer be signed.")
    if proposal.status != ProposalStatus.AWAITING:
        status = proposal.get_status_display().lower()
        raise UnableToSignTerms(f"These terms are not waiting for signatures. Their status is “{status}”.")
    if proposal.is_first and ends_before(version.content, today):
        raise UnableToSignTerms(
            "The end date in these terms has passed. A lead of the partnership can return the terms to draft and "
            "change the end date."
        )
    if proposal.has_lapsed(today):
        raise UnableToSignTerms(
            "The time to sign these terms is over. A lead of the partnership can send the terms for signature again."
        )


def _save_signature(signature: TermsSignature, version: TermsVersion, signatory: TermsSignatory) -> None:
    """Save the signature. Raises `UnableToSignTerms` if a colleague has decided for the party at the same time."""
    signature.version = version
    signature.organisation_id = signatory.organisation_id
    try:
        # A savepoint, because after the error of a constraint PostgreSQL would refuse all further queries.
        with transaction.atomic():
            signature.save(force_insert=True)
    except IntegrityError as error:
        raise UnableToSignTerms(
            f"A colleague has just signed or declined for {signatory.organisation.name}, so you do not need to."
        ) from error


def _record_decision(
    version: TermsVersion,
    signature: TermsSignature,
    event: EventKind,
    *,
    author: User | None,
    now: dt.datetime,
    joins: bool,
) -> None:
    """Record the decision of a party. `joins` says that the party joined after the version came into force."""
    reason_for_joining = "The organisation joined, and signed the version in force." if joins else ""
    record_event(
        version.partnership,
        event,
        author=author,
        now=now,
        organisation=signature.organisation,
        data={
            "number": version.number,
            "reason": signature.reason or reason_for_joining,
            "after": {"organisation": signature.organisation.name, "signed_by": signature.name, "how": signature.how},
        },
    )


def _put_in_force_or_email(
    version: TermsVersion, signature: TermsSignature, *, author: User | None, now: dt.datetime
) -> None:
    """Put the version in force if every party has signed. If not, email the leads that this party has signed."""
    if _put_in_force_if_complete(version, author=author, now=now):
        return
    email_leads(
        version.partnership,
        "agreements.terms_signed",
        {"signature": signature.pk},
        author=author,
        now=now,
        sender=signature.organisation,
    )


def _put_in_force_if_complete(version: TermsVersion, *, author: User | None, now: dt.datetime) -> bool:
    """Put the version in force if every party has signed, and return whether this happened.

    Raises `UnableToSignTerms` if the terms contradict other signed terms.
    """
    if version.proposal is None:  # a consolidated version, which is in force already
        return False
    version.proposal.partnership = version.partnership
    try:
        return put_in_force_if_signed(version.proposal, author=author, now=now)
    except UnableToTakeForce as error:
        raise UnableToSignTerms(
            f"{error} A lead of the partnership can return these terms to draft and change them."
        ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperSignature:
    """What a signature on paper says, and its scan. Answers to questions may be missing."""

    name: str
    title: str
    signed_on: dt.date
    scan: File[bytes]
    answers: Mapping[str, str] = field(default_factory=dict)


@transaction.atomic
def record_paper_signature(
    *,
    version: TermsVersion,
    organisation: Organisation,
    signature: PaperSignature,
    author: User | None,
    now: dt.datetime,
    acting: Organisation | None = None,
) -> TermsSignature:
    """Record a party's signature on paper, and add its scan to the documents of the partnership.

    `acting` is the organisation for which the author acts, if it is not the party itself. With the last signature, the
    version comes into force. Until then, the leads of all parties are emailed about each signature. Raises
    `UnableToSignTerms`.
    """
    partnership, locked_version = lock_version(version)
    require(rights_over(partnership, author, now).may_record_paper_for(organisation.pk))
    signatory = _open_request(partnership, locked_version, organisation, now)
    _check_paper(signature, locked_version, timezone.localdate(now))

    try:
        document = add_document(
            partnership=partnership,
            title=f"Signature of {organisation.name}, version {locked_version.number} of the terms",
            file=signature.scan,
            organisation=acting or organisation,
            author=author,
            now=now,
        )
    except UnableToAddDocument as error:
        raise UnableToSignTerms(str(error)) from error
    new_signature = TermsSignature(
        decision=Decision.APPROVED,
        person=None,
        name=" ".join(signature.name.split())[:200],
        role=" ".join(signature.title.split())[:150],
        # On paper, answers may be missing. The decision REJECTED makes answers optional.
        answers=_answers(signatory, signature.answers, Decision.REJECTED),
        how=SigningMethod.PAPER,
        scan=document,
        signed_on=signature.signed_on,
        recorded_by=author,
        signed_at=now,
    )
    _save_signature(new_signature, locked_version, signatory)

    event = EventKind.TERMS_SIGNED_ON_PAPER
    _record_decision(locked_version, new_signature, event, author=author, now=now, joins=signatory.joins)
    _put_in_force_or_email(locked_version, new_signature, author=author, now=now)
    return new_signature


def _check_paper(signature: PaperSignature, version: TermsVersion, today: dt.date) -> None:
    """Refuse a signature without name or job title, or with a day in the future or before the version was sent."""
    if not signature.name.strip() or not signature.title.strip():
        raise UnableToSignTerms("Enter the name and job title of the person who signed.")
    if signature.signed_on > today:
        raise UnableToSignTerms("The signature cannot be dated in the future. Enter today or an earlier day.")
    if signature.signed_on < timezone.localdate(version.published_at):
        raise UnableToSignTerms(
            f"Version {version.number} was sent for signature after that day. Check which version was signed on paper."
        )


@transaction.atomic
def decline_to_sign(
    *,
    version: TermsVersion,
    organisation: Organisation,
    person: User,
    title: str,
    reason: str,
    now: dt.datetime,
    how: str = SigningMethod.PAGE,
    answers: Mapping[str, str] = NO_ANSWERS,
) -> TermsSignature:
    """Decline to sign a version for a party, with a reason, and email the leads of the parties.

    The terms return to draft, and the links in emails stop working. If the party joined later, the terms remain in
    force for the other parties. Raises `UnableToSignTerms`.
    """
    today = timezone.localdate(now)
    partnership, locked_version = lock_version(version)
    require(person in signers_of(organisation.pk, partnership, today))
    signatory = _open_request(partnership, locked_version, organisation, now, declines=True)
    if not reason.strip():
        raise UnableToSignTerms("Enter why you are not signing. The other parties need to know what to change.")

    signature = TermsSignature(
        decision=Decision.REJECTED,
        reason=reason.strip(),
        person=person,
        name=person.display_name[:200],
        role=" ".join(title.split())[:150],
        answers=_answers(signatory, answers, Decision.REJECTED),
        how=how,
        signed_on=today,
        signed_at=now,
    )
    _save_signature(signature, locked_version, signatory)
    _record_decision(locked_version, signature, EventKind.TERMS_DECLINED, author=person, now=now, joins=signatory.joins)
    if not signatory.joins:
        assert locked_version.proposal is not None  # only a consolidated version has no proposal
        outcome = f"{organisation.name}: {signature.reason}"
        return_to_drafting(locked_version, locked_version.proposal, now=now, outcome=outcome)

    email_leads(
        partnership,
        "agreements.terms_declined",
        {"signature": signature.pk},
        author=person,
        now=now,
        sender=organisation,
    )
    return signature
