"""Calls of services of the terms of a partnership that send emails, with who gets each."""

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


def _ready(world: World) -> TermsProposal:
    change_status(
        partnership=world.partnership, status="drafting", reason="Agreed.", author=world.amina, now=timezone.now()
    )
    review = (timezone.localdate() + dt.timedelta(days=365)).isoformat()
    return draft(first_proposal(world.partnership), world.amina, text="We meet.", review_on=review)


def _up(world: World) -> TermsVersion:
    return put_up(_ready(world), world.amina)


def _amendment(world: World) -> TermsProposal:
    agree_terms(world.partnership, world.amina)
    proposal = propose_amendment(
        partnership=world.partnership,
        organisation=world.westmarch,
        reason="A board.",
        author=world.ben,
        now=timezone.now(),
    )
    return draft(proposal, world.ben, text="We meet twice.")


def _sign(world: World, version: TermsVersion, who: str) -> None:
    person, body = {"amina": (world.amina, world.larkhaven), "ben": (world.ben, world.westmarch)}[who]
    sign_terms(version=version, organisation=body, person=person, name=person.name, title="Lead", now=timezone.now())


@case(("agreements.terms_request", "amina"), ("agreements.terms_request", "ben"))
def terms_sent_for_signature(world: World) -> Act:
    proposal = _ready(world)
    return lambda: put_up(proposal, world.amina)


@case(("agreements.terms_signed", "ben"))
def terms_signed_by_one_party(world: World) -> Act:
    version = _up(world)
    return lambda: _sign(world, version, "amina")


@case(("agreements.terms_agreed", "amina"), ("agreements.terms_agreed", "ben"))
def terms_signed_by_the_last_party(world: World) -> Act:
    version = _up(world)
    _sign(world, version, "amina")
    return lambda: _sign(world, version, "ben")


@case(("agreements.terms_signed", "ben"))
def terms_signed_on_paper(world: World) -> Act:
    version = _up(world)
    return lambda: record_paper_signature(
        version=version,
        organisation=world.larkhaven,
        signature=PaperSignature(
            name="Amina Larch",
            title="Chief executive",
            signed_on=timezone.localdate(),
            scan=ContentFile(b"%PDF-1.4\n%signed\n", name="signed.pdf"),
        ),
        author=world.amina,
        now=timezone.now(),
    )


@case(("agreements.terms_declined", "amina"))
def terms_declined_by_a_party(world: World) -> Act:
    version = _up(world)
    return lambda: decline_to_sign(
        version=version,
        organisation=world.westmarch,
        person=world.ben,
        title="Lead",
        reason="Too long.",
        now=timezone.now(),
    )


@case(("agreements.terms_stopped", "ben"))
def terms_taken_back(world: World) -> Act:
    version = _up(world)
    assert version.proposal is not None
    proposal = version.proposal
    return lambda: take_back_terms(proposal=proposal, reason="A mistake.", author=world.amina, now=timezone.now())


@case(("agreements.terms_proposed", "amina"))
def amendment_proposed(world: World) -> Act:
    agree_terms(world.partnership, world.amina)
    return lambda: propose_amendment(
        partnership=world.partnership,
        organisation=world.westmarch,
        reason="A board.",
        author=world.ben,
        now=timezone.now(),
    )


@case(("agreements.terms_stopped", "amina"))
def amendment_withdrawn(world: World) -> Act:
    proposal = _amendment(world)
    return lambda: withdraw_proposal(proposal=proposal, reason="No longer.", author=world.ben, now=timezone.now())


@case(("agreements.terms_stopped", "amina"), ("agreements.terms_stopped", "ben"))
def amendment_not_signed_in_time(world: World) -> Act:
    put_up(_amendment(world), world.ben)
    TermsProposal.objects.filter(number=2).update(sign_by=timezone.localdate() - dt.timedelta(days=40))
    return lambda: [lapse_proposals(now=timezone.now()) for _ in range(2)]


@case(("agreements.terms_in_force", "amina"), ("agreements.terms_in_force", "ben"))
def terms_in_force_on_their_day(world: World) -> Act:
    version = put_up(_amendment(world), world.ben, from_day=timezone.localdate() + dt.timedelta(days=3))
    for who in ("amina", "ben"):
        _sign(world, version, who)
    later = timezone.now() + dt.timedelta(days=3)
    return lambda: [record_terms_in_force(now=later) for _ in range(2)]


@case(("agreements.terms_request", "amina"), ("agreements.terms_request", "ben"))
def signers_of_terms_reminded(world: World) -> Act:
    _up(world)
    TermsSignatory.objects.update(
        asked_at=timezone.now() - dt.timedelta(days=5), due_on=timezone.localdate() + dt.timedelta(days=2)
    )
    return lambda: [remind_terms_signers(now=timezone.now()) for _ in range(2)]


@case(("agreements.terms_late", "amina"), ("agreements.terms_late", "ben"))
def signatures_on_terms_are_late(world: World) -> Act:
    _up(world)
    TermsSignatory.objects.update(
        asked_at=timezone.now() - dt.timedelta(days=9), due_on=timezone.localdate() - dt.timedelta(days=2)
    )
    return lambda: [escalate_late_signatures(now=timezone.now()) for _ in range(2)]


@case(("agreements.terms_request", "amina"))
def next_signer_of_terms_asked(world: World) -> Act:
    _up(world)
    TermsSignatory.objects.filter(organisation=world.larkhaven).update(asked_people=[])
    return lambda: [ask_new_signers(now=timezone.now()) for _ in range(2)]
