"""A party that joins an active partnership signs the version in force."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.links import terms_token
from partnerships.agreements.models import Partnership, Party, Status, TermsProposal, TermsSignatory, TermsVersion
from partnerships.agreements.queries.terms import bound_organisation_ids, unbound_organisation_ids, version_in_force
from partnerships.agreements.services import (
    PaperSignature,
    UnableToPropose,
    UnableToSignTerms,
    ask_joined_parties,
    change_party_role,
    change_status,
    decline_to_sign,
    escalate_late_signatures,
    record_paper_signature,
    remind_terms_signers,
    sign_terms,
)
from partnerships.organisations.services import merge_organisations
from partnerships.outbox.models import Email
from tests.agreements.signing import propose_change
from tests.organisations.handing_over import propose_and_accept_everything, record_merger, take_effect
from tests.support.moments import today
from tests.support.outbox import deliver, drop_emails, parts
from tests.support.parties import invite_and_accept
from tests.support.signing_in import signed_in
from tests.support.terms import draft, first_proposal, put_up, sign_all
from tests.world import World


def open_request_to_harbour(world: World) -> TermsSignatory:
    """Return the request to sign that Harbour has yet to answer."""
    return TermsSignatory.objects.waiting().get(organisation=world.harbour)


def sign(world: World, version: TermsVersion) -> None:
    """Sign the version for Harbour, as Hana."""
    sign_terms(
        version=version,
        organisation=world.harbour,
        person=world.hana,
        name="Hana",
        title="Director",
        now=timezone.now(),
    )


def test_a_party_that_joins_is_asked_to_sign_the_version_in_force(world: World, agreed_terms: TermsVersion) -> None:
    invite_and_accept(world, world.harbour, accepted_by=world.hana)

    request = open_request_to_harbour(world)
    assert request.version == agreed_terms
    assert request.joins
    assert Email.objects.filter(kind="agreements.terms_request", person_id=world.hana.pk).count() == 1


def test_a_party_that_joins_is_not_bound_before_it_signs(world: World, agreed_terms: TermsVersion) -> None:
    invite_and_accept(world, world.harbour, accepted_by=world.hana)

    address = reverse("agreements:members", args=[world.partnership.pk])
    members_page = signed_in(world.ben).get(address).content.decode()
    assert unbound_organisation_ids(world.partnership, today()) == {world.harbour.pk}
    assert "Has not signed the" in members_page


def test_a_partnership_stays_active_while_a_party_that_joins_has_not_signed(
    world: World, agreed_terms: TermsVersion
) -> None:
    invite_and_accept(world, world.harbour, accepted_by=world.hana)

    world.partnership.refresh_from_db()
    assert world.partnership.status == Status.ACTIVE


def sign_on_page(world: World, version: TermsVersion) -> int:
    """Sign the version for Harbour on its page, as Hana, and return the status code."""
    response = signed_in(world.hana).post(
        reverse("agreements:terms-sign", args=[world.partnership.pk, version.number]),
        {"organisation": world.harbour.pk, "decision": "sign", "name": "Hana Quay", "title": "Director"},
    )
    return response.status_code


def test_the_page_to_sign_says_that_the_terms_do_not_bind_a_party_that_joined_yet(
    world: World, agreed_terms: TermsVersion
) -> None:
    invite_and_accept(world, world.harbour, accepted_by=world.hana)
    address = reverse("agreements:terms-sign", args=[world.partnership.pk, agreed_terms.number])

    html = " ".join(signed_in(world.hana).get(address).content.decode().split())

    assert "We meet and decide together." in html
    assert "apply to your organisation once it has signed" in html


def test_a_party_that_joins_signs_on_the_page_and_is_bound(world: World, agreed_terms: TermsVersion) -> None:
    invite_and_accept(world, world.harbour, accepted_by=world.hana)

    status_code = sign_on_page(world, agreed_terms)

    assert status_code == 302
    assert unbound_organisation_ids(world.partnership, today()) == set()


def test_the_other_parties_read_the_signature_of_a_party_that_joined(world: World, agreed_terms: TermsVersion) -> None:
    invite_and_accept(world, world.harbour, accepted_by=world.hana)
    sign_on_page(world, agreed_terms)
    ben = signed_in(world.ben)
    print_address = reverse("agreements:terms-print", args=[world.partnership.pk, agreed_terms.number])

    version_page = ben.get(agreed_terms.get_absolute_url()).content.decode()
    print_page = ben.get(print_address).content.decode()

    assert "Hana Quay" in version_page
    assert "Hana Quay" in print_page


def test_the_other_parties_are_emailed_that_a_party_that_joined_has_signed(
    world: World, agreed_terms: TermsVersion
) -> None:
    invite_and_accept(world, world.harbour, accepted_by=world.hana)

    sign_on_page(world, agreed_terms)

    assert Email.objects.filter(kind="agreements.terms_signed", person_id=world.ben.pk).exists()


def test_a_party_that_joins_signs_by_the_link_in_the_email(world: World, agreed_terms: TermsVersion) -> None:
    invite_and_accept(world, world.harbour, accepted_by=world.hana)
    address = reverse("agreements:sign-by-link", args=[terms_token(open_request_to_harbour(world), world.hana)])
    browser = Client()

    response = browser.get(address)
    unbound_before_signing = unbound_organisation_ids(world.partnership, today())
    browser.post(
        address, {"organisation": world.harbour.pk, "decision": "sign", "name": "Hana Quay", "title": "Director"}
    )

    assert "We meet and decide together." in response.content.decode()
    assert unbound_before_signing == {world.harbour.pk}
    assert agreed_terms.signatures.get(organisation=world.harbour).how == "link"


def test_a_party_that_joins_signs_on_paper(world: World, agreed_terms: TermsVersion) -> None:
    invite_and_accept(world, world.harbour, accepted_by=world.hana)
    html = signed_in(world.amina).get(agreed_terms.get_absolute_url()).content.decode()

    record_paper_signature(
        version=agreed_terms,
        organisation=world.harbour,
        signature=PaperSignature(
            name="Hana Quay",
            title="Director",
            signed_on=today(),
            scan=ContentFile(b"%PDF-1.4\n%signed\n", name="signed.pdf"),
        ),
        author=world.amina,
        acting=world.larkhaven,
        now=timezone.now(),
    )

    assert "Record a signature on paper" in html
    assert unbound_organisation_ids(world.partnership, today()) == set()


def test_an_observer_that_joins_is_not_asked_to_sign(world: World, agreed_terms: TermsVersion) -> None:
    invite_and_accept(world, world.harbour, accepted_by=world.hana, role="observer")

    assert not TermsSignatory.objects.filter(organisation=world.harbour).exists()


def test_an_observer_that_becomes_a_member_is_asked_to_sign(world: World, agreed_terms: TermsVersion) -> None:
    party = invite_and_accept(world, world.harbour, accepted_by=world.hana, role="observer")

    change_party_role(party=party, role="member", reason="It pays now.", author=world.amina, now=timezone.now())

    assert open_request_to_harbour(world).joins


def test_a_member_that_becomes_an_observer_is_no_longer_asked_to_sign(world: World, agreed_terms: TermsVersion) -> None:
    party = invite_and_accept(world, world.harbour, accepted_by=world.hana)

    change_party_role(party=party, role="observer", reason="It does not pay.", author=world.amina, now=timezone.now())

    assert not TermsSignatory.objects.waiting().filter(organisation=world.harbour).exists()
    assert unbound_organisation_ids(world.partnership, today()) == set()


def test_a_party_that_has_not_signed_proposes_no_amendment(world: World, agreed_terms: TermsVersion) -> None:
    invite_and_accept(world, world.harbour, accepted_by=world.hana)

    with pytest.raises(UnableToPropose, match="has not signed the terms in force"):
        propose_change(world, world.hana, world.harbour, text="We never meet.")


def test_a_party_that_joined_and_signed_proposes_an_amendment(world: World, agreed_terms: TermsVersion) -> None:
    invite_and_accept(world, world.harbour, accepted_by=world.hana)
    sign(world, agreed_terms)

    proposal = propose_change(world, world.hana, world.harbour, text="We never meet.")

    assert proposal.proposed_by == world.harbour


def test_a_party_that_joins_and_declines_leaves_the_terms_in_force(world: World, agreed_terms: TermsVersion) -> None:
    invite_and_accept(world, world.harbour, accepted_by=world.hana)

    decline_for_harbour(world, agreed_terms)

    assert version_in_force(world.partnership, today()) == agreed_terms
    assert TermsProposal.objects.get(pk=agreed_terms.proposal_id).is_agreed
    assert unbound_organisation_ids(world.partnership, today()) == {world.harbour.pk}


def test_a_party_that_joined_and_declined_is_not_asked_again(world: World, agreed_terms: TermsVersion) -> None:
    invite_and_accept(world, world.harbour, accepted_by=world.hana)
    decline_for_harbour(world, agreed_terms)

    asked_count = ask_joined_parties(now=timezone.now())

    assert asked_count == 0


def decline_for_harbour(world: World, version: TermsVersion, reason: str = "Too long.") -> None:
    """Decline to sign the version for Harbour, as Hana."""
    decline_to_sign(
        version=version,
        organisation=world.harbour,
        person=world.hana,
        title="Director",
        reason=reason,
        now=timezone.now(),
    )


@pytest.fixture
def declined_version(world: World, agreed_terms: TermsVersion) -> TermsVersion:
    """Return the version in force, which Harbour declined to sign after it joined."""
    invite_and_accept(world, world.harbour, accepted_by=world.hana)
    decline_for_harbour(world, agreed_terms)
    return agreed_terms


@pytest.mark.usefixtures("declined_version")
def test_the_page_of_terms_offers_a_party_that_declined_to_sign_after_all(world: World) -> None:
    address = reverse("agreements:terms", args=[world.partnership.pk])

    page_of_hana = signed_in(world.hana).get(address).content.decode()
    page_of_ben = signed_in(world.ben).get(address).content.decode()

    assert "You can still sign version 1" in page_of_hana
    assert "You can still sign" not in page_of_ben


def test_a_party_that_joined_and_declined_signs_later_from_the_page(
    world: World, declined_version: TermsVersion
) -> None:
    status_code = sign_on_page(world, declined_version)

    version_page = signed_in(world.hana).get(declined_version.get_absolute_url()).content.decode()
    assert status_code == 302
    assert unbound_organisation_ids(world.partnership, today()) == set()
    assert "Signed by Hana Quay" in version_page
    assert "Too long." not in version_page


def test_a_party_that_signed_after_declining_cannot_sign_again(world: World, declined_version: TermsVersion) -> None:
    sign(world, declined_version)

    with pytest.raises(UnableToSignTerms, match="already signed"):
        sign(world, declined_version)


def test_a_party_that_joined_declines_a_version_once(world: World, agreed_terms: TermsVersion) -> None:
    invite_and_accept(world, world.harbour, accepted_by=world.hana)
    decline_for_harbour(world, agreed_terms)

    with pytest.raises(UnableToSignTerms, match="already declined"):
        decline_for_harbour(world, agreed_terms, "Still too long.")


@pytest.fixture
def replaced_version(world: World, agreed_terms: TermsVersion) -> TermsVersion:
    """Return terms that Harbour declined on joining, and that signed terms then replaced."""
    proposal = propose_change(world, world.amina, world.larkhaven, text="We meet twice.")
    invite_and_accept(world, world.harbour, accepted_by=world.hana)
    decline_for_harbour(world, agreed_terms)
    sign_all(put_up(proposal, world.amina))
    return agreed_terms


def test_a_version_declined_on_joining_cannot_be_signed_after_the_next(
    world: World, replaced_version: TermsVersion
) -> None:
    with pytest.raises(UnableToSignTerms, match="Another version is now in force"):
        sign(world, replaced_version)


def test_page_of_a_replaced_version_does_not_ask_for_a_signature(world: World, replaced_version: TermsVersion) -> None:
    html = signed_in(world.hana).get(replaced_version.get_absolute_url()).content.decode()

    assert "Sign or decline" not in html


@pytest.fixture
def versions_before_and_after_joining(world: World, agreed_terms: TermsVersion) -> tuple[TermsVersion, TermsVersion]:
    """Return the terms that Harbour was asked to sign on joining, and an amendment that all parties then signed."""
    proposal = propose_change(world, world.amina, world.larkhaven, text="We meet twice.")
    invite_and_accept(world, world.harbour, accepted_by=world.hana)
    amendment = put_up(proposal, world.amina)
    sign_all(amendment)
    return agreed_terms, amendment


def test_a_party_that_joins_is_bound_by_an_amendment_that_it_signs(
    world: World, versions_before_and_after_joining: tuple[TermsVersion, TermsVersion]
) -> None:
    _, amendment = versions_before_and_after_joining

    assert version_in_force(world.partnership, today()) == amendment
    assert world.harbour.pk in bound_organisation_ids(amendment)


def test_a_party_that_signed_an_amendment_is_not_asked_to_sign_the_earlier_terms(
    world: World, versions_before_and_after_joining: tuple[TermsVersion, TermsVersion]
) -> None:
    earlier_version, _ = versions_before_and_after_joining

    assert not TermsSignatory.objects.waiting().filter(organisation=world.harbour).exists()
    with pytest.raises(UnableToSignTerms, match="not waiting"):
        sign(world, earlier_version)


def test_parties_that_joined_earlier_are_asked_once(world: World, agreed_terms: TermsVersion) -> None:
    invite_and_accept(world, world.harbour, accepted_by=world.hana)
    TermsSignatory.objects.filter(organisation=world.harbour).delete()

    assert ask_joined_parties(now=timezone.now()) == 1
    assert ask_joined_parties(now=timezone.now()) == 0


def test_a_joining_party_that_does_not_sign_is_escalated_once(world: World, agreed_terms: TermsVersion) -> None:
    invite_and_accept(world, world.harbour, accepted_by=world.hana)

    with time_machine.travel(timezone.now() + dt.timedelta(days=31)):
        assert escalate_late_signatures(now=timezone.now()) == 1
        assert escalate_late_signatures(now=timezone.now()) == 0


def test_emails_about_a_late_signature_say_by_how_many_days_it_is_overdue(
    world: World, agreed_terms: TermsVersion
) -> None:
    invite_and_accept(world, world.harbour, accepted_by=world.hana)
    late_requests = TermsSignatory.objects.waiting()
    late_requests.update(asked_at=timezone.now() - dt.timedelta(days=9), due_on=today() - dt.timedelta(days=3))
    drop_emails()

    counts = remind_terms_signers(now=timezone.now()), escalate_late_signatures(now=timezone.now())

    emails = deliver()
    assert counts == (1, 1)
    assert len(emails) > 1
    assert all("overdue by 3 days" in part for email in emails for part in parts(email))


def test_terms_that_a_party_signed_bind_the_body_that_takes_over_its_part(
    world: World, agreed_terms: TermsVersion
) -> None:
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)

    take_effect(succession)

    version = version_in_force(world.partnership, today())
    assert version is not None
    assert Party.objects.accepted().filter(partnership=world.partnership, organisation=world.harbour).exists()
    assert unbound_organisation_ids(world.partnership, today()) == set()
    assert world.harbour.pk not in bound_organisation_ids(version)


def test_terms_bind_the_record_that_was_kept_of_two_that_were_one(world: World, agreed_terms: TermsVersion) -> None:
    merge_organisations(
        kept=world.harbour, merged=world.westmarch, reason="Recorded twice.", author=None, now=timezone.now()
    )

    assert unbound_organisation_ids(world.partnership, today()) == set()


def test_a_party_that_takes_over_anothers_part_still_signs_what_it_was_asked_to_sign(world: World) -> None:
    change_status(
        partnership=world.partnership, status="drafting", reason="Agreed.", author=world.amina, now=timezone.now()
    )
    invite_and_accept(world, world.harbour, accepted_by=world.hana)
    review = (today() + dt.timedelta(days=365)).isoformat()
    version = put_up(draft(first_proposal(world.partnership), world.amina, text="We meet.", review_on=review), None)
    common_arguments: dict[str, Any] = {"version": version, "name": "A lead", "title": "Lead", "now": timezone.now()}
    sign_terms(organisation=world.westmarch, person=world.ben, **common_arguments)
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    take_effect(succession)

    sign_terms(organisation=world.larkhaven, person=world.amina, **common_arguments)
    status_before_last_signature = Partnership.objects.get(pk=world.partnership.pk).status
    sign_terms(organisation=world.harbour, person=world.hana, **common_arguments)

    assert status_before_last_signature == Status.AWAITING_SIGN_OFF
    assert Partnership.objects.get(pk=world.partnership.pk).status == Status.ACTIVE
