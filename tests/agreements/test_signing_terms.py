"""Terms are drafted together, signed per party, and come into force on their day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.links import terms_token
from partnerships.agreements.models import (
    Partnership,
    Party,
    ProposalStatus,
    Status,
    TermsProposal,
    TermsSignatory,
    TermsSignature,
    TermsVersion,
)
from partnerships.agreements.queries.signers import can_be_signed_by, signers_of
from partnerships.agreements.queries.terms import content_of_proposal, signing_states, version_in_force
from partnerships.agreements.services import (
    ContactDetails,
    PaperSignature,
    UnableToSignTerms,
    UnableToWithdraw,
    answer_invitation,
    change_party_role,
    create_post,
    decline_to_sign,
    fill_post,
    invite_organisation,
    leave_partnership,
    record_paper_signature,
    save_terms_piece,
    take_back_terms,
    withdraw_proposal,
)
from partnerships.documents import PieceConflict
from partnerships.outbox.models import Email
from partnerships.people.models import User
from tests.agreements.signing import days, draft_first_terms, propose_change, sign
from tests.support.moments import today
from tests.support.outbox import deliver
from tests.support.signing_in import signed_in
from tests.support.terms import agree_terms, draft, first_proposal, put_up, sign_all
from tests.world import World


def fill_signatory_post(world: World, partnership: Partnership | None, holder: str | None) -> None:
    """Create a signatory post of Larkhaven, and give it to this person of the world or to a contact, if any."""
    post = create_post(
        organisation=world.larkhaven,
        partnership=partnership,
        role="signatory",
        author=world.amina,
        now=timezone.now(),
    )
    if holder is None:
        return
    is_contact = holder == "a contact"
    fill_post(
        post=post,
        person=None if is_contact else getattr(world, holder),
        contact=ContactDetails(name="Post Room") if is_contact else None,
        reason="Named.",
        author=world.amina,
        now=timezone.now(),
    )


@pytest.mark.parametrize(
    ("holder_of_general_post", "holder_of_post_in_partnership", "signer"),
    [
        (None, None, "amina"),
        ("eddie", None, "eddie"),
        ("eddie", "vera", "vera"),
        ("eddie", "a contact", "eddie"),
    ],
)
def test_signatory_posts_decide_who_signs(
    world: World, holder_of_general_post: str | None, holder_of_post_in_partnership: str | None, signer: str
) -> None:
    version = put_up(draft_first_terms(world), world.amina)
    fill_signatory_post(world, None, holder_of_general_post)
    fill_signatory_post(world, world.partnership, holder_of_post_in_partnership)

    signers = signers_of(world.larkhaven.pk, version.partnership, today())

    assert {person.pk for person in signers} == {getattr(world, signer).pk}
    check_signers_found_by_person(version)


def check_signers_found_by_person(version: TermsVersion) -> None:
    """Check that `can_be_signed_by` finds the same signers as `signers_of`, for everybody and every party."""
    for signatory in TermsSignatory.objects.waiting():
        signer_ids = {person.pk for person in signers_of(signatory.organisation_id, version.partnership, today())}
        for person in User.objects.all():
            may_sign = TermsSignatory.objects.filter(can_be_signed_by(person, today()), pk=signatory.pk).exists()
            assert may_sign == (person.pk in signer_ids), (signatory, person)


@pytest.fixture
def first_terms(world: World) -> TermsVersion:
    """Return the first terms of the Estuary Partnership, which await the signatures of Larkhaven and Westmarch."""
    version = put_up(draft_first_terms(world), world.amina)
    world.partnership.refresh_from_db()
    return version


def test_a_partnership_awaits_sign_off_until_every_required_party_has_signed(
    world: World, first_terms: TermsVersion
) -> None:
    status_before_signatures = world.partnership.status

    sign(first_terms, world.amina, world.larkhaven)

    world.partnership.refresh_from_db()
    assert status_before_signatures == Status.AWAITING_SIGN_OFF
    assert world.partnership.status == Status.AWAITING_SIGN_OFF


def test_a_partnership_is_active_once_every_required_party_has_signed(world: World, first_terms: TermsVersion) -> None:
    sign(first_terms, world.amina, world.larkhaven)

    sign(first_terms, world.ben, world.westmarch)

    world.partnership.refresh_from_db()
    assert world.partnership.status == Status.ACTIVE
    assert version_in_force(world.partnership, today()) == first_terms
    assert version_in_force(world.partnership, days(-1)) is None


def test_signed_terms_are_copied_to_the_columns_of_the_partnership(world: World, first_terms: TermsVersion) -> None:
    sign_all(first_terms)

    world.partnership.refresh_from_db()
    assert world.partnership.terms_version_id == first_terms.pk
    assert world.partnership.terms_of_reference == "Terms\n\nWe meet."
    assert world.partnership.review_on == days(365)


@pytest.fixture
def observer(world: World) -> Party:
    """Return Harbour's party in the Estuary Partnership, in which it is an observer."""
    party = invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="observer",
        reason="We need them.",
        author=world.amina,
        now=world.now,
    )
    answer_invitation(party=party, accept=True, reason="", author=world.hana, now=timezone.now())
    return party


@pytest.mark.usefixtures("observer")
def test_observers_are_not_asked_to_sign(world: World) -> None:
    version = put_up(draft_first_terms(world), world.amina)

    assert {state.signatory.organisation for state in signing_states(version)} == {world.larkhaven, world.westmarch}


@pytest.mark.usefixtures("observer")
def test_observers_cannot_sign(world: World) -> None:
    version = put_up(draft_first_terms(world), world.amina)

    with pytest.raises(UnableToSignTerms, match="not been asked"):
        sign(version, world.hana, world.harbour)


def test_an_observer_that_becomes_a_member_signs_too(world: World, observer: Party) -> None:
    version = put_up(draft_first_terms(world), world.amina)
    change_party_role(
        party=observer, role="member", reason="Agreed at the meeting.", author=world.amina, now=timezone.now()
    )

    sign_all(version)

    world.partnership.refresh_from_db()
    assert world.partnership.status == Status.ACTIVE
    assert version.signatures.filter(organisation=world.harbour).exists()


def test_a_version_and_its_signatures_never_change_in_the_database(world: World, agreed_terms: TermsVersion) -> None:
    entry = world.partnership.terms_in_force.get()
    signature = agreed_terms.signatures.first()

    for row, field in ((agreed_terms, "note"), (signature, "name"), (entry, "from_day")):
        with pytest.raises(DatabaseError), transaction.atomic():
            type(row)._default_manager.filter(pk=row.pk).update(**{field: today() if field == "from_day" else "Other"})
        with pytest.raises(DatabaseError), transaction.atomic():
            type(row)._default_manager.filter(pk=row.pk).delete()


@pytest.fixture
def revision_before_bens_text(world: World) -> int:
    """Return the revision of the clause that Amina sees in her form, before Ben saves his text."""
    proposal = draft_first_terms(world)
    revision = proposal.revision_of("clauses/terms")
    save_terms_piece(
        proposal=proposal,
        piece="clauses/terms",
        value={"title": "Terms", "body": "Ben's text."},
        based_on=revision,
        author=world.ben,
        now=timezone.now(),
    )
    return revision


def test_a_stale_save_is_refused_with_both_texts(world: World, revision_before_bens_text: int) -> None:
    with pytest.raises(PieceConflict) as conflict:
        save_terms_piece(
            proposal=first_proposal(world.partnership),
            piece="clauses/terms",
            value={"title": "Terms", "body": "Amina's text."},
            based_on=revision_before_bens_text,
            author=world.amina,
            now=timezone.now(),
        )

    assert conflict.value.mine["body"] == "Amina's text."
    assert conflict.value.theirs["body"] == "Ben's text."


def test_a_stale_save_on_the_page_shows_both_texts(world: World, revision_before_bens_text: int) -> None:
    response = signed_in(world.amina).post(
        reverse("agreements:terms-item", args=[world.partnership.pk, 1, "clauses", "terms"]),
        {"title": "Terms", "body": "Amina's text.", "based_on": revision_before_bens_text},
    )

    html = response.content.decode()
    assert response.status_code == 409
    assert "Ben&#x27;s text." in html
    assert "Amina&#x27;s text." in html


def decline_for_westmarch(version: TermsVersion, world: World, reason: str = "Too short a term.") -> None:
    """Decline to sign as Ben, for Westmarch."""
    decline_to_sign(
        version=version,
        organisation=world.westmarch,
        person=world.ben,
        title="Chief executive",
        reason=reason,
        now=timezone.now(),
    )


def test_declining_needs_a_reason(world: World, first_terms: TermsVersion) -> None:
    with pytest.raises(UnableToSignTerms, match="why"):
        decline_for_westmarch(first_terms, world, reason=" ")


def test_declining_opens_the_draft_again(world: World, first_terms: TermsVersion) -> None:
    decline_for_westmarch(first_terms, world)

    proposal = first_proposal(world.partnership)
    assert proposal.status == ProposalStatus.DRAFTING
    assert proposal.outcome == "Westmarch Borough Council: Too short a term."


def test_a_link_to_sign_a_declined_version_is_invalid(world: World, first_terms: TermsVersion) -> None:
    token = terms_token(first_terms.signatories.get(organisation=world.westmarch), world.ben)
    decline_for_westmarch(first_terms, world)

    response = Client().get(reverse("agreements:sign-by-link", args=[token]))

    assert response.status_code == 404


def test_a_declined_version_cannot_be_signed(world: World, first_terms: TermsVersion) -> None:
    decline_for_westmarch(first_terms, world)

    with pytest.raises(UnableToSignTerms, match="not waiting"):
        sign(first_terms, world.amina, world.larkhaven)


def test_a_second_version_can_be_signed_after_the_first_was_declined(world: World, first_terms: TermsVersion) -> None:
    decline_for_westmarch(first_terms, world)
    proposal = first_proposal(world.partnership)
    draft(proposal, world.ben, text="We meet for five years.")
    second_version = put_up(proposal, world.amina)

    sign_all(second_version)

    world.partnership.refresh_from_db()
    assert second_version.number == 2
    assert world.partnership.status == Status.ACTIVE


def signing_link(version: TermsVersion, world: World) -> str:
    """Return the address in Ben's email, with which he signs for Westmarch without signing in."""
    token = terms_token(version.signatories.get(organisation=world.westmarch), world.ben)
    return reverse("agreements:sign-by-link", args=[token])


def signature_fields(world: World) -> dict[str, Any]:
    """Return what Ben enters on the page of his link."""
    return {
        "organisation": world.westmarch.pk,
        "decision": "sign",
        "name": "Benjamin West",
        "title": "Chief executive",
    }


def test_opening_the_link_shows_the_terms(world: World, first_terms: TermsVersion) -> None:
    html = Client().get(signing_link(first_terms, world)).content.decode()

    assert "We meet." in html


def test_opening_the_link_signs_nothing(world: World, first_terms: TermsVersion) -> None:
    Client().get(signing_link(first_terms, world))

    assert not first_terms.signatures.exists()


def test_a_link_signs_the_terms_without_signing_in(world: World, first_terms: TermsVersion) -> None:
    response = Client().post(signing_link(first_terms, world), signature_fields(world))

    signature = first_terms.signatures.get()
    assert response.status_code == 302
    assert signature.person == world.ben
    assert signature.name == "Benjamin West"
    assert signature.role == "Chief executive"
    assert signature.how == "link"


def test_a_used_link_no_longer_shows_the_terms(world: World, first_terms: TermsVersion) -> None:
    link = signing_link(first_terms, world)
    Client().post(link, signature_fields(world))

    html = Client().get(link).content.decode()
    second_response = Client().post(link, signature_fields(world))

    assert "Signed" in html
    assert "We meet." not in html
    assert second_response.status_code == 422


def test_an_organisation_with_a_second_factor_closes_the_link(world: World) -> None:
    version = put_up(draft_first_terms(world), world.amina)
    type(world.westmarch).objects.filter(pk=world.westmarch.pk).update(second_factor_required=True)
    token = terms_token(version.signatories.get(organisation=world.westmarch), world.ben)

    address = reverse("agreements:sign-by-link", args=[token])
    form = {"organisation": world.westmarch.pk, "decision": "sign", "name": "Ben West", "title": "Chief executive"}

    for response in (Client().get(address), Client().post(address, form)):
        assert response.status_code == 302
        assert response["Location"] == reverse("agreements:terms-sign", args=[world.partnership.pk, version.number])
        assert b"We meet" not in response.content
    assert not version.signatures.exists()


@pytest.fixture
def paper_signature(world: World, first_terms: TermsVersion) -> TermsSignature:
    """Return Westmarch's signature on paper, which Amina recorded after she had signed for Larkhaven."""
    sign(first_terms, world.amina, world.larkhaven)
    return record_paper_signature(
        version=first_terms,
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


def test_a_paper_signature_has_its_scan_and_who_recorded_it(world: World, paper_signature: TermsSignature) -> None:
    world.partnership.refresh_from_db()

    assert paper_signature.recorded_by == world.amina
    assert paper_signature.is_on_paper
    assert paper_signature.scan is not None
    assert world.partnership.status == Status.ACTIVE


def test_the_version_shows_the_scan_of_a_paper_signature(
    world: World, first_terms: TermsVersion, paper_signature: TermsSignature
) -> None:
    html = signed_in(world.ben).get(first_terms.get_absolute_url()).content.decode()

    assert "Scan of the signed page" in html
    assert "recorded by Amina Larch" in html


def test_a_party_that_leaves_is_no_longer_waited_for(world: World) -> None:
    party = invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=world.now,
    )
    answer_invitation(party=party, accept=True, reason="", author=world.hana, now=timezone.now())
    version = put_up(draft_first_terms(world), world.amina)
    sign(version, world.amina, world.larkhaven)
    sign(version, world.ben, world.westmarch)
    token = terms_token(version.signatories.get(organisation=world.harbour), world.hana)

    leave_partnership(party=party, reason="Budget.", author=world.hana, now=timezone.now())

    world.partnership.refresh_from_db()
    assert world.partnership.status == Status.ACTIVE
    assert Client().get(reverse("agreements:sign-by-link", args=[token])).status_code == 404


def test_a_former_party_reads_the_versions_from_before_it_left(world: World, agreed_terms: TermsVersion) -> None:
    party = invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=world.now,
    )
    answer_invitation(party=party, accept=True, reason="", author=world.hana, now=timezone.now())
    leave_partnership(party=party, reason="Budget.", author=world.hana, now=timezone.now())
    later = put_up(propose_change(world, world.amina, world.larkhaven, text="A secret plan."), world.amina)
    sign_all(later)
    hana = signed_in(world.hana)

    html = hana.get(reverse("agreements:terms", args=[world.partnership.pk])).content.decode()

    assert "We meet and decide together." in html
    assert "A secret plan." not in html
    assert hana.get(agreed_terms.get_absolute_url()).status_code == 200
    assert hana.get(later.get_absolute_url()).status_code == 404
    assert hana.get(reverse("agreements:proposal", args=[world.partnership.pk, 2])).status_code == 404


def send_change_for_signature(world: World) -> TermsProposal:
    """Send an amendment of Westmarch's for signature, and return it."""
    agree_terms(world.partnership, world.amina)
    proposal = propose_change(world, world.ben, world.westmarch, text="We meet twice.")
    put_up(proposal, world.ben)
    return proposal


@pytest.mark.parametrize("service", [take_back_terms, withdraw_proposal])
def test_a_proposal_that_awaits_signatures_needs_a_reason_to_be_stopped(
    world: World, service: Callable[..., Any]
) -> None:
    proposal = send_change_for_signature(world)

    with pytest.raises(UnableToWithdraw, match="why"):
        service(proposal=proposal, reason=" ", author=world.ben, now=timezone.now())


def test_terms_that_are_taken_back_are_a_draft_again(world: World) -> None:
    proposal = send_change_for_signature(world)

    take_back_terms(proposal=proposal, reason="A mistake.", author=world.ben, now=timezone.now())

    proposal.refresh_from_db()
    assert proposal.is_drafting
    assert content_of_proposal(proposal)["clauses"][0]["body"] == "We meet twice."


@pytest.mark.parametrize(("name", "is_offered"), [("ben", True), ("vera", False)])
def test_only_leads_can_return_a_version_that_awaits_signatures(world: World, name: str, is_offered: bool) -> None:
    version = send_change_for_signature(world).versions.get()

    html = signed_in(getattr(world, name)).get(version.get_absolute_url()).content.decode()

    assert ("Return the terms to draft" in html) == is_offered


def test_page_of_a_version_says_that_it_was_returned(world: World) -> None:
    proposal = send_change_for_signature(world)
    version = proposal.versions.get()
    take_back_terms(proposal=proposal, reason="A mistake.", author=world.ben, now=timezone.now())

    html = signed_in(world.ben).get(version.get_absolute_url()).content.decode()

    assert "Returned to draft" in html


def test_page_of_a_returned_version_says_that_a_later_one_was_sent(world: World) -> None:
    proposal = send_change_for_signature(world)
    version = proposal.versions.get()
    take_back_terms(proposal=proposal, reason="A mistake.", author=world.ben, now=timezone.now())
    sign_all(put_up(proposal, world.ben))

    html = signed_in(world.ben).get(version.get_absolute_url()).content.decode()

    assert "Sent again as a later version" in html
    assert "Signed by every party" not in html


@pytest.mark.usefixtures("first_terms")
def test_people_who_must_sign_are_emailed(world: World) -> None:
    requests = Email.objects.filter(kind="agreements.terms_request")

    assert set(requests.values_list("person_id", flat=True)) == {world.amina.pk, world.ben.pk}


def test_leads_of_other_parties_are_emailed_about_a_signature(world: World, first_terms: TermsVersion) -> None:
    sign(first_terms, world.amina, world.larkhaven)

    assert [email.person_id for email in Email.objects.filter(kind="agreements.terms_signed")] == [world.ben.pk]


def test_all_leads_are_emailed_about_the_last_signature(world: World, first_terms: TermsVersion) -> None:
    sign(first_terms, world.amina, world.larkhaven)

    sign(first_terms, world.ben, world.westmarch)

    emails = Email.objects.filter(kind="agreements.terms_agreed")
    assert {email.person_id for email in emails} == {world.amina.pk, world.ben.pk}
    assert emails.count() == 2
    assert Email.objects.filter(kind="agreements.terms_signed").count() == 1  # the one about Amina's signature


def bodies_about_signed_terms() -> list[str]:
    """Return the emails that say that every party has signed, each on one line."""
    emails = [email for email in deliver() if email.subject.startswith("Every party has signed")]
    return [" ".join(str(email.body).split()) for email in emails]


def test_email_about_first_terms_says_that_none_apply_until_they_start(world: World) -> None:
    sign_all(put_up(draft_first_terms(world), world.amina, from_day=days(10)))

    assert ["no terms are in force" in body for body in bodies_about_signed_terms()] == [True, True]


def test_email_about_amended_terms_says_that_the_current_terms_apply_until_then(
    world: World, agreed_terms: TermsVersion
) -> None:
    sign_all(
        put_up(propose_change(world, world.ben, world.westmarch, text="We meet twice."), world.ben, from_day=days(30))
    )

    assert ["the current terms still apply" in body for body in bodies_about_signed_terms()][-2:] == [True, True]


@pytest.fixture
def amendment_in_thirty_days(world: World, agreed_terms: TermsVersion) -> TermsVersion:
    """Return a signed amendment of terms in force. It applies in thirty days."""
    proposal = propose_change(world, world.ben, world.westmarch, text="We meet twice.")
    version = put_up(proposal, world.ben, from_day=days(30))
    sign_all(version)
    return version


@pytest.mark.usefixtures("amendment_in_thirty_days")
def test_the_terms_in_force_on_a_day_can_be_read(world: World) -> None:
    vera = signed_in(world.vera)
    address = reverse("agreements:terms", args=[world.partnership.pk])

    terms_today = vera.get(address).content.decode()
    terms_later = vera.get(address, {"on": days(31).isoformat()}).content.decode()

    assert "We meet and decide together." in terms_today
    assert "We meet twice." in terms_later
    assert Partnership.objects.get(pk=world.partnership.pk).status == Status.ACTIVE


def test_signed_terms_are_printed_with_their_signatures(world: World, amendment_in_thirty_days: TermsVersion) -> None:
    address = reverse("agreements:terms-print", args=[world.partnership.pk, amendment_in_thirty_days.number])

    html = signed_in(world.vera).get(address).content.decode()

    assert "Signed electronically" in html
    assert "Westmarch Borough Council" in html


def test_signed_terms_can_be_downloaded_for_word(world: World, amendment_in_thirty_days: TermsVersion) -> None:
    address = reverse("agreements:terms-word", args=[world.partnership.pk, amendment_in_thirty_days.number])

    response = signed_in(world.vera).get(address)

    assert response.content[:2] == b"PK"  # a Word document is a ZIP archive


def test_signed_terms_can_be_downloaded_as_a_pdf(world: World, amendment_in_thirty_days: TermsVersion) -> None:
    address = reverse("agreements:terms-pdf", args=[world.partnership.pk, amendment_in_thirty_days.number])

    response = signed_in(world.vera).get(address)

    # Without the program that makes PDFs, the page says so with 503.
    assert response.status_code == 503 or response.content[:4] == b"%PDF"


def test_only_todays_terms_page_says_when_first_terms_come_into_force(world: World) -> None:
    vera = signed_in(world.vera)
    page = reverse("agreements:terms", args=[world.partnership.pk])

    today = " ".join(vera.get(page).content.decode().split())
    earlier = " ".join(vera.get(page, {"on": "2020-01-01"}).content.decode().split())

    assert "No terms are in force. Terms come into force once every party has signed them." in today
    assert "No terms were in force on that day." in earlier
    assert "Terms come into force" not in earlier


def test_fields_needed_for_a_signature_say_so_in_the_draft(world: World) -> None:
    proposal = draft_first_terms(world)

    page = signed_in(world.amina).get(reverse("agreements:terms-about", args=[world.partnership.pk, proposal.number]))

    assert "The partnership comes up for review on this day. Needed before anyone can sign." in page.content.decode()


def test_kind_can_be_chosen_until_terms_are_put_up(world: World) -> None:
    amina = signed_in(world.amina)
    address = reverse("agreements:edit", args=[world.partnership.pk])
    had_kind = 'name="kind"' in amina.get(address).content.decode()

    agree_terms(world.partnership, world.amina)

    assert had_kind
    assert 'name="kind"' not in amina.get(address).content.decode()
