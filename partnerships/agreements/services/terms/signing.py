"""Sign a version of the terms, on the page, by the link, on paper; or decline."""

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
    How,
    Partnership,
    ProposalStatus,
    TermsSignatory,
    TermsSignature,
    TermsVersion,
)
from partnerships.agreements.queries.terms import newest_version, required_parties, signers_of, version_to_join
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.documents import UnableToAddDocument, add_document
from partnerships.agreements.services.recording import record_event
from partnerships.agreements.services.terms.recording import email_leads, lock_version
from partnerships.agreements.services.terms.taking_force import UnableToTakeForce, back_to_drafting, settle
from partnerships.agreements.terms.projection import ends_before
from partnerships.documents.models import Decision
from partnerships.documents.services import InvalidAnswers, read_answers
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

NO_ANSWERS: Mapping[str, str] = MappingProxyType({})


class UnableToSignTerms(Exception):
    """The version waits for no signature of this party, or something is missing."""


@transaction.atomic
def sign_terms(
    *,
    version: TermsVersion,
    organisation: Organisation,
    person: User,
    name: str,
    title: str,
    now: dt.datetime,
    how: str = How.PAGE,
    answers: Mapping[str, str] = NO_ANSWERS,
) -> TermsSignature:
    """Sign a version for a party, and answer the questions to it.

    With a typed name and title. The person holds the party's signatory post or, where nobody does, leads it. Raises
    `UnableToSignTerms`.
    """
    partnership, locked = lock_version(version)
    require(person in signers_of(organisation, partnership, timezone.localdate(now)))
    if not " ".join(name.split()):
        raise UnableToSignTerms("Enter your name: it is your signature.")
    if not title.strip():
        raise UnableToSignTerms("Enter your job title.")
    signatory = _asked(partnership, locked, organisation, now)
    signature = _keep(
        locked,
        signatory,
        TermsSignature(
            decision=Decision.APPROVED,
            person=person,
            name=" ".join(name.split())[:200],
            role=" ".join(title.split())[:150],
            answers=_answers(signatory, answers, Decision.APPROVED),
            how=how,
            signed_on=timezone.localdate(now),
            signed_at=now,
        ),
    )
    _record(partnership, locked, signature, EventKind.TERMS_SIGNED, author=person, now=now, joins=signatory.joins)
    _settle_or_tell(partnership, locked, signature, author=person, now=now)
    return signature


def _answers(signatory: TermsSignatory, answers: Mapping[str, str], decision: str) -> list[dict[str, str]]:
    try:
        return read_answers(signatory.questions, answers, decision)
    except InvalidAnswers as error:
        raise UnableToSignTerms(str(error)) from error


def _asked(
    partnership: Partnership,
    version: TermsVersion,
    organisation: Organisation,
    now: dt.datetime,
    *,
    declines: bool = False,
) -> TermsSignatory:
    """The request to the party that it may still answer.

    One that joined may sign after it declined.
    """
    signatory = version.signatories.filter(organisation=organisation, removed_at=None).first()
    if signatory is not None and signatory.joins:
        _check_joining(partnership, version, now)
    else:
        _check_awaiting(partnership, version, now)
    if signatory is None:
        raise UnableToSignTerms(f"{organisation.name} is not asked to sign these terms.")
    if organisation.pk not in required_parties(partnership, timezone.localdate(now)):
        raise UnableToSignTerms(f"{organisation.name} no longer takes part in this partnership.")
    decided = version.signatures.filter(organisation=organisation).order_by("-pk").first()
    if decided is not None and (declines or not signatory.joins or not decided.is_rejected):
        raise UnableToSignTerms(f"{decided.name} has already {_verb(decided)} for {organisation.name}.")
    return signatory


def _check_joining(partnership: Partnership, version: TermsVersion, now: dt.datetime) -> None:
    """Whether a party that joined can still sign this version: it is the one in force."""
    today = timezone.localdate(now)
    if partnership.is_over_on(today):
        raise UnableToSignTerms("This partnership has ended.")
    present = version_to_join(partnership, today)
    if present is None or present.pk != version.pk:
        raise UnableToSignTerms("Another version is in force now. Read and sign that one.")


def _check_awaiting(partnership: Partnership, version: TermsVersion, now: dt.datetime) -> None:
    proposal = version.proposal
    newest = newest_version(proposal) if proposal else None
    if proposal is None or newest is None or newest.pk != version.pk:
        raise UnableToSignTerms("A newer version has been sent for signature. Read and sign that one.")
    if partnership.is_over_on(timezone.localdate(now)):
        raise UnableToSignTerms("This partnership has ended.")
    if proposal.status != ProposalStatus.AWAITING:
        raise UnableToSignTerms(f"These terms are not waiting for signatures: {proposal.get_status_display().lower()}.")
    today = timezone.localdate(now)
    if proposal.is_first and ends_before(version.content, today):
        raise UnableToSignTerms("The end date in these terms has passed. Take them back and change the end date.")
    if proposal.has_lapsed(today):
        raise UnableToSignTerms("The time to sign is over. The terms can be sent for signature again.")


def _verb(signature: TermsSignature) -> str:
    return "declined to sign" if signature.is_rejected else "signed"


def _keep(version: TermsVersion, signatory: TermsSignatory, signature: TermsSignature) -> TermsSignature:
    signature.version, signature.organisation_id = version, signatory.organisation_id
    try:
        with transaction.atomic():
            signature.save(force_insert=True)
    except IntegrityError as error:
        raise UnableToSignTerms(f"Somebody has already decided for {signatory.organisation.name}.") from error
    return signature


def _record(
    partnership: Partnership,
    version: TermsVersion,
    signature: TermsSignature,
    event: EventKind,
    *,
    author: User | None,
    now: dt.datetime,
    joins: bool,
) -> None:
    """Record the decision, with who signed and how.

    `joins` says that the terms were in force before.
    """
    record_event(
        partnership,
        event,
        author=author,
        now=now,
        organisation=signature.organisation,
        data={
            "number": version.number,
            "reason": signature.reason or ("It joined, and signed the version in force." if joins else ""),
            "after": {"organisation": signature.organisation.name, "signed_by": signature.name, "how": signature.how},
        },
    )


def _settle_or_tell(
    partnership: Partnership, version: TermsVersion, signature: TermsSignature, *, author: User | None, now: dt.datetime
) -> None:
    """Put it in force if this was the last signature, else email the leads."""
    settled = False
    if version.proposal is not None:
        version.proposal.partnership = partnership
        try:
            settled = settle(version.proposal, author=author, now=now)
        except UnableToTakeForce as error:
            raise UnableToSignTerms(f"{error} Take these terms back and change them.") from error
    if not settled:
        email_leads(
            partnership,
            "agreements.terms_signed",
            {"signature": signature.pk},
            author=author,
            now=now,
            sender=signature.organisation,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperSignature:
    """What a signed page says: who signed, as what, when, and their answers. It may leave some out."""

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
    """Record a signature on paper, with its scan. Raises `UnableToSignTerms`.

    The scan is kept with the partnership's documents, added for `acting`: the organisation for which the author acts.
    """
    partnership, locked = lock_version(version)
    require(rights_over(partnership, author, now).may_record_paper_for(organisation.pk))
    signatory = _asked(partnership, locked, organisation, now)
    _check_paper(signature, locked, timezone.localdate(now))
    try:
        document = add_document(
            partnership=partnership,
            title=f"Signature of {organisation.name}, version {locked.number} of the terms",
            file=signature.scan,
            organisation=acting or organisation,
            author=author,
            now=now,
        )
    except UnableToAddDocument as error:
        raise UnableToSignTerms(str(error)) from error
    saved = _keep(
        locked,
        signatory,
        TermsSignature(
            decision=Decision.APPROVED,
            person=None,
            name=" ".join(signature.name.split())[:200],
            role=" ".join(signature.title.split())[:150],
            answers=_answers(signatory, signature.answers, Decision.REJECTED),
            how=How.PAPER,
            scan=document,
            signed_on=signature.signed_on,
            recorded_by=author,
            signed_at=now,
        ),
    )
    _record(partnership, locked, saved, EventKind.TERMS_SIGNED_ON_PAPER, author=author, now=now, joins=signatory.joins)
    _settle_or_tell(partnership, locked, saved, author=author, now=now)
    return saved


def _check_paper(signature: PaperSignature, version: TermsVersion, today: dt.date) -> None:
    """Refuse a page without a name, or signed before the version was sent or in the future."""
    if not signature.name.strip() or not signature.title.strip():
        raise UnableToSignTerms("Enter the name and job title of the person who signed.")
    if signature.signed_on > today:
        raise UnableToSignTerms("The date of the signature is in the future.")
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
    how: str = How.PAGE,
    answers: Mapping[str, str] = NO_ANSWERS,
) -> TermsSignature:
    """Decline to sign, with a reason: the terms go back to drafting.

    Links in emails stop working; the parties' leads get an email. Where a party that joined declines, the terms stay in
    force for the others. Raises `UnableToSignTerms`.
    """
    partnership, locked = lock_version(version)
    require(person in signers_of(organisation, partnership, timezone.localdate(now)))
    signatory = _asked(partnership, locked, organisation, now, declines=True)
    if not reason.strip():
        raise UnableToSignTerms("Enter why you are not signing: the other parties need to know what to change.")
    signature = _keep(
        locked,
        signatory,
        TermsSignature(
            decision=Decision.REJECTED,
            reason=reason.strip(),
            person=person,
            name=person.display_name[:200],
            role=" ".join(title.split())[:150],
            answers=_answers(signatory, answers, Decision.REJECTED),
            how=how,
            signed_on=timezone.localdate(now),
            signed_at=now,
        ),
    )
    _record(partnership, locked, signature, EventKind.TERMS_DECLINED, author=person, now=now, joins=signatory.joins)
    if not signatory.joins:
        assert locked.proposal is not None  # it was sent by a proposal
        back_to_drafting(locked, locked.proposal, now=now, outcome=f"{organisation.name}: {signature.reason}")
    email_leads(
        partnership,
        "agreements.terms_declined",
        {"signature": signature.pk},
        author=person,
        now=now,
        sender=organisation,
    )
    return signature
