"""Questions to a signatory of terms are answered with the signature."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.links import terms_token
from partnerships.agreements.models import TermsVersion
from partnerships.agreements.services import (
    UnableToSignTerms,
    answer_invitation,
    decline_to_sign,
    invite_organisation,
    sign_terms,
)
from tests.agreements.signing import draft_first_terms
from tests.support.signing_in import signed_in
from tests.support.terms import put_up
from tests.world import World

QUESTION = "Has your board seen the budget?"


def send_with_question(world: World) -> TermsVersion:
    """Send terms for signature as Larkhaven, with a question to the other parties."""
    return put_up(draft_first_terms(world), world.amina, organisation=world.larkhaven, questions=[QUESTION])


def test_a_question_is_asked_of_the_other_parties_only(world: World) -> None:
    version = send_with_question(world)

    questions = {signatory.organisation: signatory.questions for signatory in version.signatories.all()}

    assert questions == {world.larkhaven: [], world.westmarch: [QUESTION]}


def sign_on_page(world: World, version: TermsVersion, **answers: str) -> Any:
    """Sign the version for Westmarch on its page, as Ben, and return the response."""
    return signed_in(world.ben).post(
        reverse("agreements:terms-sign", args=[world.partnership.pk, version.number]),
        {
            "organisation": world.westmarch.pk,
            "decision": "sign",
            "name": "Ben West",
            "title": "Chief executive",
            **answers,
        },
    )


def test_signing_needs_an_answer_to_the_question(world: World) -> None:
    version = send_with_question(world)

    response = sign_on_page(world, version)

    assert response.status_code == 422
    assert QUESTION in response.content.decode()
    assert not version.signatures.filter(organisation=world.westmarch).exists()


def test_an_answer_is_stored_with_the_signature(world: World) -> None:
    version = send_with_question(world)

    sign_on_page(world, version, answer_0="Yes, on 3 March.")

    signature = version.signatures.get(organisation=world.westmarch)
    assert signature.answers == [{"question": QUESTION, "answer": "Yes, on 3 March."}]


def test_the_other_parties_read_an_answer_on_screen_and_in_print(world: World) -> None:
    version = send_with_question(world)
    sign_on_page(world, version, answer_0="Yes, on 3 March.")
    amina = signed_in(world.amina)

    version_page = amina.get(version.get_absolute_url()).content.decode()
    print_address = reverse("agreements:terms-print", args=[world.partnership.pk, version.number])
    print_page = amina.get(print_address).content.decode()

    assert "Yes, on 3 March." in version_page
    assert "Yes, on 3 March." in print_page


def test_the_link_in_the_email_asks_the_question_too(world: World) -> None:
    version = send_with_question(world)
    token = terms_token(version.signatories.get(organisation=world.westmarch), world.ben)
    address = reverse("agreements:sign-by-link", args=[token])
    browser = Client()

    html = browser.get(address).content.decode()
    browser.post(
        address,
        {
            "organisation": world.westmarch.pk,
            "decision": "sign",
            "name": "Ben West",
            "title": "Chief executive",
            "answer_0": "It has.",
        },
    )

    assert QUESTION in html
    assert version.signatures.get(organisation=world.westmarch).answers[0]["answer"] == "It has."


def test_the_service_refuses_a_signature_without_an_answer(world: World) -> None:
    version = send_with_question(world)

    with pytest.raises(UnableToSignTerms, match="Answer the question"):
        sign_terms(
            version=version,
            organisation=world.westmarch,
            person=world.ben,
            name="Ben",
            title="Lead",
            now=timezone.now(),
        )


def test_declining_needs_no_answer(world: World) -> None:
    version = send_with_question(world)

    signature = decline_to_sign(
        version=version,
        organisation=world.westmarch,
        person=world.ben,
        title="Lead",
        reason="The budget is missing.",
        now=timezone.now(),
    )

    assert signature.answers == []


def test_a_lead_asks_questions_when_putting_terms_up(world: World) -> None:
    proposal = draft_first_terms(world)
    address = reverse("agreements:send-for-signature", args=[world.partnership.pk, proposal.number])
    amina = signed_in(world.amina)

    form = amina.get(address).content.decode()
    response = amina.post(address, {"reason": "As agreed.", "questions": QUESTION, "asked": [world.westmarch.pk]})

    version = TermsVersion.objects.get(proposal=proposal)
    assert "Questions for the other parties" in form
    assert response.status_code == 302
    assert version.signatories.get(organisation=world.westmarch).questions == [QUESTION]


def test_a_party_that_joins_while_signatures_are_awaited_gets_the_question(world: World) -> None:
    version = send_with_question(world)
    party = invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=timezone.now(),
    )

    answer_invitation(party=party, accept=True, reason="", author=world.hana, now=timezone.now())

    assert version.signatories.get(organisation=world.harbour).questions == [QUESTION]
