"""Emails about taking part in a partnership, its terms and its posts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.core import signing
from django.utils import timezone

from partnerships.agreements.links import terms_token
from partnerships.agreements.models import (
    KEPT_MONTHS,
    DateKind,
    Holder,
    Notice,
    Partnership,
    Party,
    PartyRole,
    PartyStatus,
    TermsProposal,
    TermsSignatory,
    TermsSignature,
    TermsVersion,
)
from partnerships.agreements.queries.dates import dates_ahead, leads_who_decide, people_to_remind, words_of
from partnerships.agreements.queries.posts import people_in_post
from partnerships.agreements.queries.terms import required_parties, signers_of, signing_states
from partnerships.organisations.models import Organisation, Role
from partnerships.organisations.queries import leads_of, people_of
from partnerships.outbox.content import Content, link, message, repeatable
from partnerships.outbox.kinds import Batch, Candidate, Composer, Due
from partnerships.people.models import User


def write_invitation(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Email to a lead of an invited organisation."""
    party = _party(due)
    if not party.is_waiting or party.partnership.is_over:
        return "The invitation was answered or withdrawn."
    if not leads_of(party.organisation).filter(pk=person.pk).exists():
        return "They do not lead the invited organisation any more."
    inviter = party.invited_by
    context = {
        "party": party,
        "partnership": party.partnership,
        "person": person,
        "inviter": inviter,
        "link": link("agreements:answer", pk=party.partnership_id, party=party.pk),
    }
    return Content("agreements/invitation", context, reply_to=inviter.email if inviter else "")


def write_answer(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Email with the answer, to the person who sent the invitation."""
    party = _party(due)
    if party.is_waiting:
        return "The organisation has been invited again since."
    if not Partnership.objects.inside_for(person).filter(pk=party.partnership_id).exists():
        return "They may not read the partnership any more."
    context = {
        "party": party,
        "partnership": party.partnership,
        "person": person,
        "link": link("agreements:detail", pk=party.partnership_id),
    }
    return Content("agreements/answer", context)


def write_gone(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Email that an organisation has left or was removed.

    For leads of the other parties, and of the one removed.
    """
    party = _party(due)
    if party.status != PartyStatus.LEFT:
        return "The organisation has been invited again since."
    own = leads_of(party.organisation).filter(pk=person.pk).exists()
    if not own and not Partnership.objects.present_for(person, Role.LEAD).filter(pk=party.partnership_id).exists():
        return "They do not lead a party of the partnership any more."
    context = {
        "party": party,
        "partnership": party.partnership,
        "person": person,
        "own": own,
        "removed": due.params["removed"],
        "link": link("agreements:detail", pk=party.partnership_id),
    }
    return Content("agreements/gone", context)


def write_date_came(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Email that a partnership has started, gone under review or ended."""
    partnership = Partnership.objects.get(pk=due.params["partnership"])
    if partnership.state_on(timezone.localdate(now)) != due.params["status"]:
        return "Its status has changed since."
    if not leads_who_decide(partnership).filter(pk=person.pk).exists():
        return "They do not lead a party of the partnership any more."
    context = {
        "partnership": partnership,
        "person": person,
        "status": due.params["status"],
        "link": link("agreements:detail", pk=partnership.pk),
    }
    return Content("agreements/date_came", context)


def write_dates_ahead(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Email about dates that are coming; those that still stand."""
    today = timezone.localdate(now)
    partnerships = Partnership.objects.in_bulk({one["partnership"] for one in due.params["dates"]})
    dates = []
    for one in due.params["dates"]:
        partnership, kind = partnerships.get(one["partnership"]), DateKind(one["kind"])
        day = dates_ahead(partnership, today).get(kind) if partnership else None
        if partnership is None or day is None or day.isoformat() != one["on"]:
            continue
        if not _is_reminded(person, partnership, today):
            continue
        dates.append(
            {
                "partnership": partnership,
                "what": words_of(kind, partnership),
                "on": day,
                "days": (day - today).days,
                "link": link("agreements:dates", pk=partnership.pk),
            }
        )
    if not dates:
        return "The dates have moved, or they no longer lead a party."
    return Content("agreements/dates_ahead", {"person": person, "dates": dates, "first": dates[0]})


def _is_reminded(person: User, partnership: Partnership, day: dt.date) -> bool:
    """Whether the person is reminded for one of the parties that decide."""
    parties = partnership.parties.present().exclude(role=PartyRole.OBSERVER)
    return any(person.pk in people_to_remind(party, partnership, day) for party in parties)


def write_notice(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Email that a party has given notice or withdrawn it."""
    notice = Notice.objects.select_related("partnership", "organisation").get(pk=due.params["notice"])
    if due.params["withdrawn"] == notice.is_open:
        return "The notice has been withdrawn or carried out since."
    if not leads_who_decide(notice.partnership).filter(pk=person.pk).exists():
        return "They do not lead a party of the partnership any more."
    context = {
        "notice": notice,
        "reason": notice.withdrawn_because or notice.reason,
        "partnership": notice.partnership,
        "person": person,
        "link": link("agreements:dates", pk=notice.partnership_id),
    }
    return Content("agreements/notice", context)


def _party(due: Due) -> Party:
    return Party.objects.select_related("partnership", "organisation", "invited_by").get(pk=due.params["party"])


def write_terms_request(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Ask somebody to sign a version of the terms, with a personal link."""
    signatory = _terms_signatory(due)
    version = signatory.version
    if signatory.link_key[:8] != due.params["key"]:
        return "The party was asked again since, or somebody else signs for it."
    refusal = _not_waiting(signatory, person, now)
    if refusal:
        return refusal
    asked_by = signatory.asked_by
    context = _about_terms(version, person) | {
        "signatory": signatory,
        "organisation": signatory.organisation,
        "reminder": due.params["reminder"],
        "link": link("agreements:sign-by-link", token=terms_token(signatory, person)),
        "proposer": version.organisation,
    }
    return Content("agreements/terms_request", context, reply_to=asked_by.email if asked_by else "")


def write_terms_late(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Tell the escalation post of a party that its signature is late."""
    signatory = _terms_signatory(due)
    if _is_decided(signatory):
        return "The party has decided."
    if not leads_of(signatory.organisation).filter(pk=person.pk).exists() and person not in people_in_post(
        signatory.organisation,
        "escalation",
        partnership=signatory.version.partnership_id,
        day=timezone.localdate(now),
    ):
        return "They no longer hold that post."
    context = _about_terms(signatory.version, person) | {
        "signatory": signatory,
        "organisation": signatory.organisation,
        "signers": signers_of(signatory.organisation_id, signatory.version.partnership_id, timezone.localdate(now)),
    }
    return Content("agreements/terms_late", context)


def write_terms_proposed(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Tell a lead that a party proposes to change the terms."""
    proposal = TermsProposal.objects.select_related("partnership", "proposed_by", "author").get(
        pk=due.params["proposal"]
    )
    if not proposal.is_open:
        return "The proposal is closed."
    if not Partnership.objects.present_for(person, Role.LEAD).filter(pk=proposal.partnership_id).exists():
        return "They do not lead a party of the partnership any more."
    context = {
        "proposal": proposal,
        "partnership": proposal.partnership,
        "person": person,
        "link": link("agreements:proposal", pk=proposal.partnership_id, number=proposal.number),
    }
    author = proposal.author
    return Content("agreements/terms_proposed", context, reply_to=author.email if author else "")


def write_terms_signed(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Tell a lead that a party has signed."""
    return _write_signature(due, person, "agreements/terms_signed")


def write_terms_declined(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Tell a lead that a party declined to sign, and why."""
    return _write_signature(due, person, "agreements/terms_declined")


def _write_signature(due: Due, person: User, template: str) -> Content | str:
    signature = TermsSignature.objects.select_related("version__partnership", "organisation", "person").get(
        pk=due.params["signature"]
    )
    if not TermsVersion.objects.visible_to(person).filter(pk=signature.version_id).exists():
        return "They may not read the terms any more."
    waiting = [state.signatory.organisation.name for state in signing_states(signature.version) if state.must_decide]
    context = _about_terms(signature.version, person) | {"signature": signature, "waiting": waiting}
    signer = signature.person
    return Content(template, context, reply_to=signer.email if signer else "")


def write_terms_agreed(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Tell a lead that every party has signed."""
    version = _terms_version(due)
    if not TermsVersion.objects.visible_to(person).filter(pk=version.pk).exists():
        return "They may not read the terms any more."
    from_day = dt.date.fromisoformat(due.params["from_day"])
    context = _about_terms(version, person) | {
        "from_day": from_day,
        "has_begun": from_day <= timezone.localdate(now),
    }
    return Content("agreements/terms_agreed", context)


def write_terms_in_force(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Tell a lead that signed terms are in force from today."""
    version = _terms_version(due)
    if not TermsVersion.objects.visible_to(person).filter(pk=version.pk).exists():
        return "They may not read the terms any more."
    return Content("agreements/terms_in_force", _about_terms(version, person))


def write_terms_stopped(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Tell a lead that a proposal was taken back, withdrawn or lapsed."""
    proposal = TermsProposal.objects.select_related("partnership", "proposed_by").get(pk=due.params["proposal"])
    if not Partnership.objects.present_for(person, Role.LEAD).filter(pk=proposal.partnership_id).exists():
        return "They do not lead a party of the partnership any more."
    if proposal.is_awaiting or proposal.is_agreed:
        return "The terms have been put up for signature again."
    context = {
        "proposal": proposal,
        "partnership": proposal.partnership,
        "person": person,
        "what": due.params["what"],
        "link": link("agreements:proposal", pk=proposal.partnership_id, number=proposal.number),
    }
    return Content("agreements/terms_stopped", context)


def _terms_signatory(due: Due) -> TermsSignatory:
    return TermsSignatory.objects.select_related(
        "version__partnership", "version__proposal", "version__organisation", "organisation", "asked_by"
    ).get(pk=due.params["signatory"])


def _terms_version(due: Due) -> TermsVersion:
    return TermsVersion.objects.select_related("partnership", "proposal").get(pk=due.params["version"])


def _is_decided(signatory: TermsSignatory) -> bool:
    proposal = signatory.version.proposal
    decided = signatory.version.signatures.filter(organisation=signatory.organisation_id).exists()
    return decided or signatory.removed_at is not None or proposal is None or not proposal.is_awaiting


def _not_waiting(signatory: TermsSignatory, person: User, now: dt.datetime) -> str:
    """Why the person need not sign; empty if they must."""
    if _is_decided(signatory):
        return "The party has decided, or is no longer asked."
    day, partnership = timezone.localdate(now), signatory.version.partnership
    if signatory.organisation_id not in required_parties(partnership):
        return "The organisation no longer takes part."
    if person not in signers_of(signatory.organisation_id, partnership, day):
        return "They no longer sign for the organisation."
    return ""


def _about_terms(version: TermsVersion, person: User) -> dict[str, object]:
    return {
        "version": version,
        "partnership": version.partnership,
        "person": person,
        "link": link("agreements:terms-version", pk=version.partnership_id, number=version.number),
    }


def write_post_filled(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Email to a person whom somebody else has named the holder of a post."""
    holder = _holder(due)
    if not Holder.objects.open(timezone.localdate(now)).filter(pk=holder.pk, person=person).exists():
        return "They do not hold the post any more."
    context = {
        "holder": holder,
        "post": holder.post,
        "person": person,
        "link": link("agreements:post", pk=holder.post_id),
    }
    return Content("agreements/post_filled", context)


def write_no_lead(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Email to administrators and the holder of the escalation post: nobody leads the organisation."""
    organisation = Organisation.objects.get(pk=due.params["organisation"])
    if leads_of(organisation).exists():
        return "Somebody leads the organisation again."
    if not person.is_staff and not people_of(organisation).filter(pk=person.pk).exists():
        return "They do not act for the organisation any more."
    context = {
        "organisation": organisation,
        "person": person,
        "link": link("organisations:people", pk=organisation.pk),
    }
    return Content("agreements/no_lead", context)


#: The kind of the email to a contact without an account.
CONTACT = "agreements.contact"
#: Signs the links by which contacts without an account see and remove what is held about them.
CONTACT_SALT = "agreements.contact"


def contact_token(holder: Holder) -> str:
    """The token of the link in the email to a contact without an account."""
    return signing.dumps([holder.pk, holder.added_at.isoformat()], salt=CONTACT_SALT)


def holder_of_token(token: str) -> Holder | None:
    """The contact of a link; None if it is invalid or nothing is held any more."""
    try:
        number, added_at = signing.loads(token, salt=CONTACT_SALT)
    except signing.BadSignature:
        return None
    holders = Holder.objects.select_related("post__organisation", "post__partnership")
    return holders.filter(pk=number, added_at=added_at, person=None, cleared_at=None).first()


class ContactComposer(Composer):
    """Composes the email that tells a contact without an account what is held about them.

    UK GDPR, Article 14: who holds it, from whom, why, how long and how to object.
    """

    def candidates(self, due: Sequence[Due], *, now: dt.datetime) -> list[Candidate]:
        """The holders' present addresses; none once the data is emptied."""
        numbers = [one.params["holder"] for one in due]
        holders = Holder.objects.select_related("post__organisation", "post__partnership", "added_by").in_bulk(numbers)
        found = []
        for one in due:
            holder = holders.get(one.params["holder"])
            if holder is None or holder.person_id is not None or not holder.email:
                found.append(Candidate(one, "", refusal="Nothing is held about them any more."))
            else:
                found.append(ContactCandidate(one, holder.email, holder.name, holder=holder))
        return found

    def compose(self, candidates: Sequence[Candidate], batch: Batch, *, now: dt.datetime) -> None:
        """Write each email with its link, or repeat one that may have been sent."""
        again = repeatable(candidates)
        for one in candidates:
            if not isinstance(one, ContactCandidate):
                continue
            if one.pk in again:
                batch.again.append(one)
                continue
            holder = one.holder
            author = holder.added_by
            context = {
                "holder": holder,
                "post": holder.post,
                "months": KEPT_MONTHS,
                "link": link("agreements:contact-data", token=contact_token(holder)),
            }
            content = Content("agreements/contact", context, reply_to=author.email if author else "")
            batch.messages[one.pk] = message(
                content.render(),
                name=one.name,
                address=one.address,
                message_id=one.due.message_id,
                is_secret=True,
                now=now,
            )


class ContactCandidate(Candidate):
    """A due email with the holder that it goes to."""

    def __init__(self, due: Due, address: str, name: str, *, holder: Holder) -> None:
        super().__init__(due, address, name)
        self.holder = holder


def _holder(due: Due) -> Holder:
    return Holder.objects.select_related("post__organisation", "post__partnership").get(pk=due.params["holder"])
