"""Terms stay correct in rare cases: late signatures, old dates, races, hostile text."""

from __future__ import annotations

import datetime as dt
import io
import zipfile

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.links import terms_token
from partnerships.agreements.models import Status, TermsProposal, TermsSignature, TermsVersion
from partnerships.agreements.queries.terms import version_in_force
from partnerships.agreements.services import (
    PaperSignature,
    UnableToRemoveDocument,
    UnableToSendForSignature,
    UnableToSignTerms,
    change_status,
    escalate_late_signatures,
    give_notice,
    leave_partnership,
    record_paper_signature,
    record_terms_in_force,
    remind_terms_signers,
    remove_document,
    take_back_terms,
)
from partnerships.outbox.models import Email
from tests.agreements.signing import clause_text, days, draft_first_terms, propose_change, sign
from tests.support.moments import today
from tests.support.parties import invite_and_accept
from tests.support.signing_in import signed_in
from tests.support.terms import agree_terms, draft, put_up, sign_all
from tests.world import World


def travel_days(count: int) -> time_machine.travel:
    """Move the clock forward by this many days."""
    return time_machine.travel(timezone.now() + dt.timedelta(days=count))


def test_a_clause_of_a_consolidated_amendment_collides_until_it_is_in_force(
    world: World, agreed_terms: TermsVersion
) -> None:
    amendment_of_field = propose_change(world, world.ben, world.westmarch, reports_to="The board", from_day=days(10))
    amendment_of_clause = propose_change(world, world.amina, world.larkhaven, text="We meet twice.", from_day=days(30))
    sooner = put_up(amendment_of_field, world.ben, from_day=days(10))
    later = put_up(amendment_of_clause, world.amina, from_day=days(30))
    sign_all(sooner)
    sign_all(later)
    amendment_between = propose_change(world, world.ben, world.westmarch, text="We never meet.", from_day=days(20))

    with pytest.raises(UnableToSendForSignature, match="Amendment 2 of Larkhaven Homes changes clause “Terms” too"):
        put_up(amendment_between, world.ben, from_day=days(20))

    assert clause_text(version_in_force(world.partnership, days(40))) == "We meet twice."


def send_amendments_that_do_not_fit(world: World, *, checked: bool) -> tuple[TermsVersion, TermsVersion]:
    """Send two amendments for signature. Together, the end date would be before the start date."""
    agree_terms(world.partnership, world.amina, starts_on=today().isoformat(), ends_on=days(300).isoformat())
    later_start = propose_change(world, world.ben, world.westmarch, starts_on=days(100).isoformat())
    earlier_end = propose_change(world, world.amina, world.larkhaven, ends_on=days(50).isoformat())
    return put_up(later_start, world.ben), put_up(earlier_end, world.amina, checked=checked)


def test_amendments_of_the_start_and_the_end_that_do_not_fit_are_refused(world: World) -> None:
    with pytest.raises(UnableToSendForSignature, match=r"contradict each other\. “Starts on” is after “Ends on”"):
        send_amendments_that_do_not_fit(world, checked=True)


def test_the_last_signature_on_terms_that_do_not_fit_others_is_refused(world: World) -> None:
    later, shorter = send_amendments_that_do_not_fit(world, checked=False)
    sign_all(later)
    sign(shorter, world.amina, world.larkhaven)

    with pytest.raises(UnableToSignTerms, match=r"before the start date.*can return these terms to draft"):
        sign(shorter, world.ben, world.westmarch)

    assert not shorter.signatures.filter(organisation=world.westmarch).exists()
    assert version_in_force(world.partnership, days(400)) == later


def let_the_last_signatory_leave(world: World) -> TermsProposal:
    """Return a proposal that cannot come into force, after Harbour left without signing it and all others signed."""
    harbour_party = invite_and_accept(world, world.harbour, accepted_by=world.hana)
    later_start, earlier_end = send_amendments_that_do_not_fit(world, checked=False)
    sign_all(later_start)
    sign(earlier_end, world.amina, world.larkhaven)
    sign(earlier_end, world.ben, world.westmarch)
    leave_partnership(party=harbour_party, reason="Budget.", author=world.hana, now=timezone.now())
    return TermsProposal.objects.get(pk=earlier_end.proposal_id)


def test_terms_that_cannot_take_force_are_drafts_again_when_a_party_leaves(world: World) -> None:
    proposal = let_the_last_signatory_leave(world)

    assert proposal.is_drafting
    assert "before the start date" in proposal.outcome


def test_leads_are_emailed_that_signed_terms_cannot_take_force(world: World) -> None:
    let_the_last_signatory_leave(world)

    assert Email.objects.filter(kind="agreements.terms_stopped", person_id=world.ben.pk).exists()


def test_terms_signed_after_their_review_date_take_force(world: World) -> None:
    version = put_up(draft(draft_first_terms(world), world.amina, review_on=days(5).isoformat()), world.amina)

    with travel_days(8):
        sign_all(version)

    world.partnership.refresh_from_db()
    assert world.partnership.status == Status.ACTIVE
    assert world.partnership.terms_version == version


def test_an_amendment_keeps_the_day_on_which_the_partnership_began(world: World, agreed_terms: TermsVersion) -> None:
    sign_all(put_up(propose_change(world, world.ben, world.westmarch, text="We meet twice."), world.ben))

    world.partnership.refresh_from_db()
    assert world.partnership.starts_on == today()


def test_first_terms_cannot_apply_from_later_than_their_start_date(world: World) -> None:
    proposal = draft(draft_first_terms(world), world.amina, starts_on=days(5).isoformat())

    with pytest.raises(UnableToSendForSignature, match="empty, or change the start date in the draft"):
        put_up(proposal, world.amina, from_day=days(6))


def test_first_terms_can_apply_from_their_start_date(world: World) -> None:
    proposal = draft(draft_first_terms(world), world.amina, starts_on=days(5).isoformat())

    put_up(proposal, world.amina, from_day=days(5))

    assert proposal.is_awaiting_signatures


def draft_terms_that_end_in_five_days(world: World) -> TermsProposal:
    """Return the draft of first terms that end in five days."""
    return draft(draft_first_terms(world), world.amina, review_on=days(3).isoformat(), ends_on=days(5).isoformat())


def test_terms_can_be_signed_on_their_end_date_but_not_later(world: World) -> None:
    version = put_up(draft_terms_that_end_in_five_days(world), world.amina)

    with travel_days(5):
        sign(version, world.amina, world.larkhaven)
    with travel_days(6), pytest.raises(UnableToSignTerms, match="return the terms to draft and change the end date"):
        sign(version, world.ben, world.westmarch)


def test_terms_whose_end_has_passed_cannot_be_sent_for_signature_again(world: World) -> None:
    proposal = draft_terms_that_end_in_five_days(world)
    put_up(proposal, world.amina)

    with travel_days(6):
        take_back_terms(proposal=proposal, reason="Too late.", author=world.amina, now=timezone.now())
        with pytest.raises(UnableToSendForSignature, match="before they come into force"):
            put_up(proposal, world.amina)


@pytest.mark.parametrize("notice", [0, 731])
def test_days_of_notice_that_no_partnership_can_have_are_refused_before_signing(world: World, notice: int) -> None:
    proposal = draft(draft_first_terms(world), world.amina, notice_days=notice)

    with pytest.raises(UnableToSendForSignature, match="1 to 730 days"):
        put_up(proposal, world.amina)


def test_an_extension_must_apply_before_the_partnership_ends(world: World) -> None:
    agree_terms(world.partnership, world.amina, review_on=days(10).isoformat(), ends_on=days(20).isoformat())
    proposal = propose_change(world, world.ben, world.westmarch, ends_on=days(400).isoformat())

    with pytest.raises(UnableToSendForSignature, match="on that day or earlier"):
        put_up(proposal, world.ben, from_day=days(21))


def test_an_extension_from_the_last_day_applies_even_if_no_job_ran_that_day(world: World) -> None:
    agree_terms(world.partnership, world.amina, review_on=days(10).isoformat(), ends_on=days(20).isoformat())
    new_end = days(400)
    extension = propose_change(world, world.ben, world.westmarch, ends_on=new_end.isoformat())
    sign_all(put_up(extension, world.ben, from_day=days(20)))

    with travel_days(25):
        record_terms_in_force(now=timezone.now())
        world.partnership.refresh_from_db()
        state = world.partnership.state

    assert state == Status.UNDER_REVIEW
    assert world.partnership.ends_on == new_end


def test_text_written_while_terms_were_sent_is_shown_again(world: World) -> None:
    proposal = draft_first_terms(world)
    revision_seen = proposal.revision_of("clauses/terms")
    put_up(proposal, world.amina)

    response = signed_in(world.ben).post(
        reverse("agreements:terms-item", args=[world.partnership.pk, 1, "clauses", "terms"]),
        {"title": "Terms", "body": "A long text of Ben.", "based_on": revision_seen},
    )

    html = response.content.decode()
    assert response.status_code == 422
    assert "A long text of Ben." in html
    assert "waiting for signatures" in html


def test_terms_sent_for_signature_have_no_page_for_editing(world: World) -> None:
    put_up(draft_first_terms(world), world.amina)

    response = signed_in(world.ben).get(reverse("agreements:terms-about", args=[world.partnership.pk, 1]))

    assert response.status_code == 404


def test_a_reason_for_declining_is_shown_again_when_the_terms_were_taken_back(world: World) -> None:
    proposal = draft_first_terms(world)
    version = put_up(proposal, world.amina)
    token = terms_token(version.signatories.get(organisation=world.westmarch), world.ben)
    link = reverse("agreements:sign-by-link", args=[token])
    take_back_terms(proposal=proposal, reason="Not yet.", author=world.amina, now=timezone.now())
    form = {"organisation": world.westmarch.pk, "decision": "decline", "reason": "The exit clause is too short."}

    response_of_page = signed_in(world.ben).post(
        reverse("agreements:terms-sign", args=[world.partnership.pk, version.number]), form
    )
    response_of_link = Client().post(link, form)

    assert response_of_page.status_code == 422
    assert response_of_link.status_code == 404
    assert "not waiting for signatures" in response_of_page.content.decode()
    assert "The exit clause is too short." in response_of_page.content.decode()
    assert "The exit clause is too short." in response_of_link.content.decode()


def assert_second_request_is_refused(world: World, step: str) -> None:
    """Assert that Ben's second request for a step is refused, and that the page keeps the reason he entered."""
    ben_client = signed_in(world.ben)
    step_url = reverse(f"agreements:{step}", args=[world.partnership.pk, 2])
    first_response = ben_client.post(step_url, {"reason": "As we discussed."})
    second_response = ben_client.post(step_url, {"reason": "As we discussed."})
    assert first_response.status_code == 302
    assert second_response.status_code == 422
    assert "As we discussed." in second_response.content.decode()


@pytest.mark.parametrize("step", ["send-for-signature", "withdraw"])
def test_a_step_on_a_draft_that_is_sent_twice_is_refused(world: World, agreed_terms: TermsVersion, step: str) -> None:
    propose_change(world, world.ben, world.westmarch, text="We meet twice.")

    assert_second_request_is_refused(world, step)


def test_terms_cannot_be_taken_back_twice(world: World, agreed_terms: TermsVersion) -> None:
    proposal = propose_change(world, world.ben, world.westmarch, text="We meet twice.")
    put_up(proposal, world.ben)

    assert_second_request_is_refused(world, "take-back")


def record_westmarchs_paper_signature(world: World) -> TermsSignature:
    """Send the first terms for signature, and record a signature of Westmarch on paper."""
    version = put_up(draft_first_terms(world), world.amina)
    return record_paper_signature(
        version=version,
        organisation=world.westmarch,
        signature=PaperSignature(
            name="Ben West",
            title="Chief executive",
            signed_on=today(),
            scan=ContentFile(b"%PDF-1.4\n%signed\n", name="signed.pdf"),
        ),
        author=world.amina,
        acting=world.larkhaven,
        now=timezone.now(),
    )


def test_the_scan_of_a_signature_cannot_be_removed(world: World) -> None:
    scan = record_westmarchs_paper_signature(world).scan
    assert scan is not None

    with pytest.raises(UnableToRemoveDocument, match="signature"):
        remove_document(document=scan, author=world.amina, now=timezone.now())


def test_documents_page_offers_no_removal_of_the_scan_of_a_signature(world: World) -> None:
    scan = record_westmarchs_paper_signature(world).scan
    assert scan is not None

    html = signed_in(world.amina).get(reverse("agreements:documents", args=[world.partnership.pk])).content.decode()

    assert scan.title in html
    assert reverse("agreements:document-remove", args=[world.partnership.pk, scan.pk]) not in html


def test_a_paper_signature_of_a_party_with_a_long_name_is_recorded(world: World) -> None:
    type(world.westmarch).objects.filter(pk=world.westmarch.pk).update(name="The Council " + "of Westmarch " * 18)
    world.westmarch.refresh_from_db()

    signature = record_westmarchs_paper_signature(world)

    assert signature.scan is not None
    assert len(signature.scan.title) <= 200


def test_nobody_is_chased_to_sign_terms_of_a_partnership_that_is_over(world: World) -> None:
    version = put_up(draft_first_terms(world), world.amina, sign_by=days(2))
    token = terms_token(version.signatories.get(organisation=world.westmarch), world.ben)
    change_status(
        partnership=world.partnership, status="ended", reason="No money.", author=world.amina, now=timezone.now()
    )
    email_count = Email.objects.count()

    with travel_days(10):
        assert remind_terms_signers(now=timezone.now()) == 0
        assert escalate_late_signatures(now=timezone.now()) == 0
        assert Client().get(reverse("agreements:sign-by-link", args=[token])).status_code == 404

    assert Email.objects.count() == email_count


@pytest.fixture
def terms_of_leaver(world: World) -> TermsVersion:
    """Return an amendment that awaits three signatures, including Harbour's. Harbour's notice ends in three days."""
    harbour_party = invite_and_accept(world, world.harbour, accepted_by=world.hana)
    agree_terms(world.partnership, world.amina)
    give_notice(party=harbour_party, reason="Budget.", last_day=days(3), author=world.hana, now=timezone.now())
    return put_up(propose_change(world, world.amina, world.larkhaven, text="We meet twice."), world.amina)


def test_a_party_whose_notice_has_run_out_cannot_sign(world: World, terms_of_leaver: TermsVersion) -> None:
    token = terms_token(terms_of_leaver.signatories.get(organisation=world.harbour), world.hana)

    with travel_days(4):
        response = Client().get(reverse("agreements:sign-by-link", args=[token]))
        with pytest.raises(UnableToSignTerms, match="no longer takes part"):
            sign(terms_of_leaver, world.hana, world.harbour)

    assert response.status_code == 404


def test_terms_are_agreed_without_a_party_whose_notice_has_run_out(world: World, terms_of_leaver: TermsVersion) -> None:
    with travel_days(4):
        sign(terms_of_leaver, world.amina, world.larkhaven)
        sign(terms_of_leaver, world.ben, world.westmarch)

    assert TermsProposal.objects.get(pk=terms_of_leaver.proposal_id).is_agreed


def test_characters_that_xml_forbids_do_not_break_the_word_document(world: World) -> None:
    hostile = "We\x0bmeet\x0c \ufffe <b>=cmd()</b> & more."
    agree_terms(world.partnership, world.amina, text=hostile, reports_to="Board\x07\uffff")

    response = signed_in(world.vera).get(reverse("agreements:terms-word", args=[world.partnership.pk, 1]))
    document = zipfile.ZipFile(io.BytesIO(response.content)).read("word/document.xml").decode()

    assert response.status_code == 200
    assert "meet" in document
    assert "\ufffe" not in document
