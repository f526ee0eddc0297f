"""Services of the terms of a partnership that tell somebody."""

from __future__ import annotations

import datetime as dt

from django.core.files.base import ContentFile
from django.utils import timezone

from partnerships.agreements.models import TermsProposal, TermsSignatory, TermsVersion
from partnerships.agreements.services import (
    PaperSignature,
    ask_new_signers,
    change_status,
    decline_to_sign,
    escalate_late_signatures,
    lapse_proposals,
    propose_amendment,
    record_paper_signature,
    record_terms_in_force,
    remind_terms_signers,
    sign_terms,
    take_back_terms,
    withdraw_proposal,
)
from tests.support.terms import agree_terms, draft, first_proposal, put_up
from tests.telling.case import Act, case
from tests.world import World

NOW = timezone.now


def _ready(w: World) -> TermsProposal:
    change_status(partnership=w.partnership, status="drafting", reason="Agreed.", author=w.amina, now=NOW())
    review = (timezone.localdate() + dt.timedelta(days=365)).isoformat()
    return draft(first_proposal(w.partnership), w.amina, text="We meet.", review_on=review)


def _up(w: World) -> TermsVersion:
    return put_up(_ready(w), w.amina)


def _amendment(w: World) -> TermsProposal:
    agree_terms(w.partnership, w.amina)
    made = propose_amendment(
        partnership=w.partnership, organisation=w.westmarch, reason="A board.", author=w.ben, now=NOW()
    )
    return draft(made, w.ben, text="We meet twice.")


def _sign(w: World, version: TermsVersion, who: str) -> None:
    person, body = {"amina": (w.amina, w.larkhaven), "ben": (w.ben, w.westmarch)}[who]
    sign_terms(version=version, organisation=body, person=person, name=person.name, title="Lead", now=NOW())


@case(("agreements.terms_request", "amina"), ("agreements.terms_request", "ben"))
def terms_sent_for_signature(w: World) -> Act:
    proposal = _ready(w)
    return lambda: put_up(proposal, w.amina)


@case(("agreements.terms_signed", "ben"))
def terms_signed_by_one_party(w: World) -> Act:
    version = _up(w)
    return lambda: _sign(w, version, "amina")


@case(("agreements.terms_agreed", "amina"), ("agreements.terms_agreed", "ben"))
def terms_signed_by_the_last_party(w: World) -> Act:
    version = _up(w)
    _sign(w, version, "amina")
    return lambda: _sign(w, version, "ben")


@case(("agreements.terms_signed", "ben"))
def terms_signed_on_paper(w: World) -> Act:
    version = _up(w)
    return lambda: record_paper_signature(
        version=version,
        organisation=w.larkhaven,
        signature=PaperSignature(
            name="Amina Larch",
            title="Chief executive",
            signed_on=timezone.localdate(),
            scan=ContentFile(b"%PDF-1.4\n%signed\n", name="signed.pdf"),
        ),
        author=w.amina,
        now=NOW(),
    )


@case(("agreements.terms_declined", "amina"))
def terms_declined_by_a_party(w: World) -> Act:
    version = _up(w)
    return lambda: decline_to_sign(
        version=version, organisation=w.westmarch, person=w.ben, title="Lead", reason="Too long.", now=NOW()
    )


@case(("agreements.terms_stopped", "ben"))
def terms_taken_back(w: World) -> Act:
    version = _up(w)
    assert version.proposal is not None
    proposal = version.proposal
    return lambda: take_back_terms(proposal=proposal, reason="A mistake.", author=w.amina, now=NOW())


@case(("agreements.terms_proposed", "amina"))
def amendment_proposed(w: World) -> Act:
    agree_terms(w.partnership, w.amina)
    return lambda: propose_amendment(
        partnership=w.partnership, organisation=w.westmarch, reason="A board.", author=w.ben, now=NOW()
    )


@case(("agreements.terms_stopped", "amina"))
def amendment_withdrawn(w: World) -> Act:
    proposal = _amendment(w)
    return lambda: withdraw_proposal(proposal=proposal, reason="No longer.", author=w.ben, now=NOW())


@case(("agreements.terms_stopped", "amina"), ("agreements.terms_stopped", "ben"))
def amendment_not_signed_in_time(w: World) -> Act:
    put_up(_amendment(w), w.ben)
    TermsProposal.objects.filter(number=2).update(sign_by=timezone.localdate() - dt.timedelta(days=40))
    return lambda: [lapse_proposals(now=NOW()) for _ in range(2)]


@case(("agreements.terms_in_force", "amina"), ("agreements.terms_in_force", "ben"))
def terms_in_force_on_their_day(w: World) -> Act:
    version = put_up(_amendment(w), w.ben, from_day=timezone.localdate() + dt.timedelta(days=3))
    for who in ("amina", "ben"):
        _sign(w, version, who)
    later = NOW() + dt.timedelta(days=3)
    return lambda: [record_terms_in_force(now=later) for _ in range(2)]


@case(("agreements.terms_request", "amina"), ("agreements.terms_request", "ben"))
def signers_of_terms_reminded(w: World) -> Act:
    _up(w)
    TermsSignatory.objects.update(
        asked_at=NOW() - dt.timedelta(days=5), due_on=timezone.localdate() + dt.timedelta(days=2)
    )
    return lambda: [remind_terms_signers(now=NOW()) for _ in range(2)]


@case(("agreements.terms_late", "amina"), ("agreements.terms_late", "ben"))
def signatures_on_terms_are_late(w: World) -> Act:
    _up(w)
    TermsSignatory.objects.update(
        asked_at=NOW() - dt.timedelta(days=9), due_on=timezone.localdate() - dt.timedelta(days=2)
    )
    return lambda: [escalate_late_signatures(now=NOW()) for _ in range(2)]


@case(("agreements.terms_request", "amina"))
def next_signer_of_terms_asked(w: World) -> Act:
    _up(w)
    TermsSignatory.objects.filter(organisation=w.larkhaven).update(asked_people=[])
    return lambda: [ask_new_signers(now=NOW()) for _ in range(2)]
