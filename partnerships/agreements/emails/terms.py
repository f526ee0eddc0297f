"""Emails about terms and their signatures."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from partnerships.agreements.links import terms_token
from partnerships.agreements.models import (
    Partnership,
    TermsProposal,
    TermsSignatory,
    TermsSignature,
    TermsVersion,
)
from partnerships.agreements.queries.calendar import entries_of_signatories
from partnerships.agreements.queries.posts import people_in_post
from partnerships.agreements.queries.signers import signers_of
from partnerships.agreements.queries.terms import required_party_ids, signing_states
from partnerships.kit.calendars import write_file
from partnerships.organisations.models import Organisation, Role
from partnerships.organisations.queries import leads_of
from partnerships.outbox.content import Content, link
from partnerships.outbox.kinds import DueEmail
from partnerships.people.models import User

#: Why people of a former party get no email.
NO_LONGER_TAKES_PART = "The recipient’s organisation no longer takes part."


def write_terms_request(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email that asks a person to sign a version of the terms, with a personal link."""
    signatory = _terms_signatory(due)
    version = signatory.version
    # A newer request has another key, so the link in this email would not work.
    if signatory.link_key[:8] != due.params["key"]:
        return "A newer request was sent, or another person now signs for the party."
    refusal = _reason_not_to_ask(signatory, person, now)
    if refusal:
        return refusal

    asked_by = signatory.asked_by
    context = _version_context(version, person) | {
        "signatory": signatory,
        "organisation": signatory.organisation,
        "reminder": due.params["reminder"],
        "link": link("agreements:sign-by-link", token=terms_token(signatory, person)),
        "proposer": version.organisation,
    }
    calendar_entries = entries_of_signatories([signatory])
    return Content(
        "agreements/terms_request",
        context,
        reply_to=asked_by.email if asked_by else "",
        calendar=write_file(calendar_entries[0]) if calendar_entries else None,
    )


def write_terms_late(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email that tells a party's escalation contact, or a lead, that its signature is late."""
    signatory = _terms_signatory(due)
    if _needs_no_decision(signatory, now):
        return "The party has decided, or no longer needs to sign."
    # Leads get this email if the escalation post is vacant.
    is_lead = leads_of(signatory.organisation).filter(pk=person.pk).exists()
    if not is_lead and person not in people_in_post(
        signatory.organisation_id,
        "escalation",
        partnership=signatory.version.partnership_id,
        day=timezone.localdate(now),
    ):
        return "The recipient no longer holds the escalation post."
    context = _version_context(signatory.version, person) | {
        "signatory": signatory,
        "organisation": signatory.organisation,
        "signers": signers_of(signatory.organisation_id, signatory.version.partnership_id, timezone.localdate(now)),
    }
    return Content("agreements/terms_late", context)


def write_terms_proposed(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email that tells a lead that a party proposes to change the terms."""
    proposal = TermsProposal.objects.select_related("partnership", "proposed_by", "author").get(
        pk=due.params["proposal"]
    )
    if not proposal.is_open:
        return "The proposal is closed."
    if not Partnership.objects.with_party_of(person, Role.LEAD).filter(pk=proposal.partnership_id).exists():
        return "The recipient is no longer a lead of an organisation in the partnership."
    context = {
        "proposal": proposal,
        "partnership": proposal.partnership,
        "person": person,
        "link": link("agreements:proposal", pk=proposal.partnership_id, number=proposal.number),
    }
    author = proposal.author
    return Content("agreements/terms_proposed", context, reply_to=author.email if author else "")


def write_terms_signed(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email that tells a lead that a party has signed."""
    return _write_signature(due, person, "agreements/terms_signed")


def write_terms_declined(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email that tells a lead that a party declined to sign, and why."""
    return _write_signature(due, person, "agreements/terms_declined")


def _write_signature(due: DueEmail, person: User, template: str) -> Content | str:
    """Return the email that tells a lead that a party has signed or declined to sign."""
    signature = TermsSignature.objects.select_related("version__partnership", "organisation", "person").get(
        pk=due.params["signature"]
    )
    if not _takes_part(person, signature.version):
        return NO_LONGER_TAKES_PART
    undecided_names = [
        state.signatory.organisation.name for state in signing_states(signature.version) if state.must_decide
    ]
    context = _version_context(signature.version, person) | {
        "signature": signature,
        "waiting": undecided_names,
        "joins": signature.version.signatories.filter(organisation=signature.organisation_id, joins=True).exists(),
    }
    signer = signature.person
    return Content(template, context, reply_to=signer.email if signer else "")


def write_terms_agreed(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email that tells a lead that every party has signed."""
    version = _terms_version(due)
    if not _takes_part(person, version):
        return NO_LONGER_TAKES_PART
    from_day = dt.date.fromisoformat(due.params["from_day"])
    context = _version_context(version, person) | {
        "from_day": from_day,
        "has_begun": from_day <= timezone.localdate(now),
        "is_first": version.proposal is not None and version.proposal.is_first,
    }
    return Content("agreements/terms_agreed", context)


def write_terms_in_force(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email that tells a lead that signed terms are in force from today."""
    version = _terms_version(due)
    if not _takes_part(person, version):
        return NO_LONGER_TAKES_PART
    return Content("agreements/terms_in_force", _version_context(version, person))


def write_terms_stopped(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email that tells a lead that terms were returned to draft, withdrawn or not signed in time."""
    proposal = TermsProposal.objects.select_related("partnership", "proposed_by").get(pk=due.params["proposal"])
    if not Partnership.objects.with_party_of(person, Role.LEAD).filter(pk=proposal.partnership_id).exists():
        return "The recipient is no longer a lead of an organisation in the partnership."
    if proposal.is_awaiting_signatures or proposal.is_agreed:
        return "The terms have been sent for signature again."
    context = {
        "proposal": proposal,
        "partnership": proposal.partnership,
        "person": person,
        "what": due.params["what"],
        # Emails recorded earlier, and steps that no party took, name no organisation.
        "organisation": Organisation.objects.filter(pk=due.params.get("organisation") or 0).first(),
        "link": link("agreements:proposal", pk=proposal.partnership_id, number=proposal.number),
    }
    return Content("agreements/terms_stopped", context)


def _takes_part(person: User, version: TermsVersion) -> bool:
    """Return whether the person's organisation is a present or invited party of the version's partnership."""
    return Partnership.objects.readable_today_by(person).filter(pk=version.partnership_id).exists()


def _terms_signatory(due: DueEmail) -> TermsSignatory:
    """Return the signatory that the email is about."""
    return TermsSignatory.objects.select_related(
        "version__partnership", "version__proposal", "version__organisation", "organisation", "asked_by"
    ).get(pk=due.params["signatory"])


def _terms_version(due: DueEmail) -> TermsVersion:
    """Return the version that the email is about."""
    return TermsVersion.objects.select_related("partnership", "proposal").get(pk=due.params["version"])


def _needs_no_decision(signatory: TermsSignatory, now: dt.datetime) -> bool:
    """Return whether the party has decided, or no longer has to."""
    version = signatory.version
    has_decided = version.signatures.filter(organisation=signatory.organisation_id).exists()
    # A party that joined later signs the version in force, and the proposal of that version is closed.
    is_proposal_closed = not signatory.joins and (
        version.proposal is None or not version.proposal.is_awaiting_signatures
    )
    is_partnership_over = version.partnership.is_over_on(timezone.localdate(now))
    return is_partnership_over or is_proposal_closed or has_decided or signatory.removed_at is not None


def _reason_not_to_ask(signatory: TermsSignatory, person: User, now: dt.datetime) -> str:
    """Return why the person need not be asked to sign, or "" if the person must be asked."""
    if _needs_no_decision(signatory, now):
        return "The party has decided, or no longer needs to sign."
    day, partnership = timezone.localdate(now), signatory.version.partnership
    if signatory.organisation_id not in required_party_ids(partnership, day):
        return "The organisation no longer takes part."
    if person not in signers_of(signatory.organisation_id, partnership, day):
        return "The recipient no longer signs for the organisation."
    return ""


def _version_context(version: TermsVersion, person: User) -> dict[str, object]:
    """Return the context that all emails about a version share."""
    return {
        "version": version,
        "partnership": version.partnership,
        "person": person,
        "link": link("agreements:terms-version", pk=version.partnership_id, number=version.number),
    }
