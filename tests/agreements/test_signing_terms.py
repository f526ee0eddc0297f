"""Terms are drafted together, signed per party, and come into force on their day."""

from __future__ import annotations

import datetime as dt
import re
from importlib import import_module
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.core.files.base import ContentFile
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.links import terms_token
from partnerships.agreements.models import (
    Partnership,
    Post,
    ProposalStatus,
    Status,
    TermsProposal,
    TermsSignatory,
    TermsVersion,
)
from partnerships.agreements.queries.terms import (
    content_of_proposal,
    signers_of,
    signing_states,
    signs_for,
    version_in_force,
)
from partnerships.agreements.services import (
    Contact,
    PaperSignature,
    UnableToPropose,
    UnableToSendForSignature,
    UnableToSignTerms,
    UnableToWithdraw,
    answer_invitation,
    change_party_role,
    change_status,
    create_post,
    decline_to_sign,
    fill_post,
    invite_organisation,
    lapse_proposals,
    leave_partnership,
    propose_amendment,
    record_paper_signature,
    record_terms_in_force,
    remind_terms_signers,
    save_terms_piece,
    sign_terms,
    take_back_terms,
    update_terms_draft,
    withdraw_proposal,
)
from partnerships.documents import PieceConflict
from partnerships.outbox.models import Email
from partnerships.people.models import User
from tests.support.moments import today
from tests.support.outbox import deliver
from tests.support.signing_in import signed_in
from tests.support.terms import agree_terms, draft, first_proposal, put_up, sign_all
from tests.world import World


def days(count: int) -> dt.date:
    """Return the day this many days from today."""
    return today() + dt.timedelta(days=count)


def draft_first_terms(world: World) -> TermsProposal:
    """Complete the first draft of a partnership that is drafting, so that it can be signed."""
    change_status(
        partnership=world.partnership, status="drafting", reason="Agreed.", author=world.amina, now=timezone.now()
    )
    return draft(first_proposal(world.partnership), world.amina, text="We meet.", review_on=days(365).isoformat())


def propose_change(
    world: World, author: User, organisation: Any, *, from_day: dt.date | None = None, **change: Any
) -> TermsProposal:
    """Propose an amendment of an active partnership for the organisation, and change its draft."""
    proposal = propose_amendment(
        partnership=world.partnership,
        organisation=organisation,
        reason="A better way.",
        from_day=from_day,
        author=author,
        now=timezone.now(),
    )
    return draft(proposal, author, **change)


def clause_text(version: TermsVersion | None, key: str = "terms") -> str:
    """Return the text of a clause in a version of the terms."""
    assert version is not None
    return next(item["body"] for item in version.content["clauses"] if item["key"] == key)


def sign(version: TermsVersion, person: User, organisation: Any, **more: Any) -> Any:
    """Sign the version for the organisation, as this person."""
    return sign_terms(
        version=version,
        organisation=organisation,
        person=person,
        name=person.name,
        title="Lead",
        now=timezone.now(),
        **more,
    )


def test_who_signs_is_the_same_asked_by_person_or_by_party(world: World) -> None:
    version = put_up(draft_first_terms(world), world.amina)
    post_in_partnership, general_post = (
        create_post(
            organisation=world.larkhaven, partnership=part, role="signatory", author=world.amina, now=timezone.now()
        )
        for part in (world.partnership, None)
    )

    def signer_names() -> set[str]:
        """Return who signs for Larkhaven. Both functions must agree for everybody and every party."""
        names = set()
        for signatory in TermsSignatory.objects.waiting():
            signer_ids = {one.pk for one in signers_of(signatory.organisation, version.partnership, today())}
            for person in User.objects.all():
                may_sign = TermsSignatory.objects.filter(signs_for(person, today()), pk=signatory.pk).exists()
                assert may_sign == (person.pk in signer_ids), (signatory, person)
                if may_sign and signatory.organisation == world.larkhaven:
                    names.add(person.name)
        return names

    def fill(post: Post, person: User | None) -> None:
        contact = None if person else Contact(name="Post Room")
        fill_post(post=post, person=person, contact=contact, reason="Named.", author=world.amina, now=timezone.now())

    signers_without_holders = signer_names()
    fill(general_post, world.eddie)
    signers_by_general_post = signer_names()
    fill(post_in_partnership, world.vera)
    signers_by_own_post = signer_names()
    fill(post_in_partnership, None)

    assert signers_without_holders == {world.amina.name}
    assert signers_by_general_post == {world.eddie.name}
    assert signers_by_own_post == {world.vera.name}
    assert signer_names() == {world.eddie.name}


def test_it_is_active_only_when_every_required_party_signed_one_version(world: World) -> None:
    version = put_up(draft_first_terms(world), world.amina)
    world.partnership.refresh_from_db()
    assert world.partnership.status == Status.AWAITING_SIGN_OFF

    sign(version, world.amina, world.larkhaven)
    world.partnership.refresh_from_db()
    status_after_one_signature = world.partnership.status
    sign(version, world.ben, world.westmarch)

    world.partnership.refresh_from_db()
    assert status_after_one_signature == Status.AWAITING_SIGN_OFF
    assert world.partnership.status == Status.ACTIVE
    assert world.partnership.terms_version_id == version.pk
    assert world.partnership.terms_of_reference == "Terms\n\nWe meet."
    assert world.partnership.review_on == days(365)
    assert version_in_force(world.partnership, today()) == version
    assert version_in_force(world.partnership, days(-1)) is None


def test_observers_never_sign_and_are_not_waited_for(world: World) -> None:
    party = invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="observer",
        reason="We need them.",
        author=world.amina,
        now=world.now,
    )
    answer_invitation(party=party, accept=True, reason="", author=world.hana, now=timezone.now())

    version = put_up(draft_first_terms(world), world.amina)

    assert {state.signatory.organisation for state in signing_states(version)} == {world.larkhaven, world.westmarch}
    with pytest.raises(UnableToSignTerms, match="not been asked"):
        sign(version, world.hana, world.harbour)
    change_party_role(
        party=party, role="member", reason="Agreed at the meeting.", author=world.amina, now=timezone.now()
    )
    sign_all(version)
    world.partnership.refresh_from_db()
    assert world.partnership.status == Status.ACTIVE
    assert version.signatures.filter(organisation=world.harbour).exists()


def test_a_version_and_its_signatures_never_change_in_the_database(world: World) -> None:
    version = agree_terms(world.partnership, world.amina)
    entry = world.partnership.terms_in_force.get()
    signature = version.signatures.first()

    for row, field in ((version, "note"), (signature, "name"), (entry, "from_day")):
        with pytest.raises(DatabaseError), transaction.atomic():
            type(row)._default_manager.filter(pk=row.pk).update(**{field: today() if field == "from_day" else "Other"})
        with pytest.raises(DatabaseError), transaction.atomic():
            type(row)._default_manager.filter(pk=row.pk).delete()


def test_a_stale_save_shows_both_texts_and_loses_nothing(world: World) -> None:
    proposal = draft_first_terms(world)
    revision_seen = proposal.revision_of("clauses/terms")
    save_terms_piece(
        proposal=proposal,
        piece="clauses/terms",
        value={"title": "Terms", "body": "Ben's text."},
        based_on=revision_seen,
        author=world.ben,
        now=timezone.now(),
    )

    with pytest.raises(PieceConflict) as conflict:
        save_terms_piece(
            proposal=proposal,
            piece="clauses/terms",
            value={"title": "Terms", "body": "Amina's text."},
            based_on=revision_seen,
            author=world.amina,
            now=timezone.now(),
        )
    page = signed_in(world.amina).post(
        reverse("agreements:terms-item", args=[world.partnership.pk, 1, "clauses", "terms"]),
        {"title": "Terms", "body": "Amina's text.", "based_on": revision_seen},
    )

    assert conflict.value.mine["body"] == "Amina's text."
    assert conflict.value.theirs["body"] == "Ben's text."
    assert page.status_code == 409
    page_text = page.content.decode()
    assert "Ben&#x27;s text." in page_text
    assert "Amina&#x27;s text." in page_text


def test_an_amendment_takes_force_on_its_day_when_all_have_signed(world: World) -> None:
    first = agree_terms(world.partnership, world.amina)
    proposal = propose_change(world, world.ben, world.westmarch, text="We meet twice.", from_day=days(10))
    version = put_up(proposal, world.ben, from_day=days(10))
    sign_all(version)

    assert version_in_force(world.partnership, days(9)) == first
    assert version_in_force(world.partnership, days(10)) == version
    world.partnership.refresh_from_db()
    assert world.partnership.terms_of_reference == "Terms\n\nWe meet and decide together."
    with time_machine.travel(timezone.now() + dt.timedelta(days=10)):
        assert record_terms_in_force(now=timezone.now()) == 1
        assert record_terms_in_force(now=timezone.now()) == 0
    world.partnership.refresh_from_db()
    assert world.partnership.terms_of_reference == "Terms\n\nWe meet twice."
    assert world.partnership.terms_version_id == version.pk
    emails = Email.objects.filter(kind="agreements.terms_in_force")
    assert set(emails.values_list("person_id", flat=True)) == {world.amina.pk, world.ben.pk}


def test_two_amendments_of_one_clause_are_refused_with_what_collides(world: World) -> None:
    agree_terms(world.partnership, world.amina)
    first = propose_change(world, world.amina, world.larkhaven, text="We meet twice.")
    second = propose_change(world, world.ben, world.westmarch, text="We never meet.")
    put_up(first, world.amina)

    with pytest.raises(UnableToSendForSignature, match="Amendment 1 of Larkhaven Homes changes clause “Terms” too"):
        put_up(second, world.ben)

    withdraw_proposal(proposal=first, reason="No.", author=world.amina, now=timezone.now())
    put_up(second, world.ben)


def test_disjoint_amendments_are_consolidated_whichever_is_signed_first(world: World) -> None:
    agree_terms(world.partnership, world.amina)
    amendment_of_clause = propose_change(world, world.amina, world.larkhaven, text="We meet twice.", from_day=days(20))
    amendment_of_field = propose_change(world, world.ben, world.westmarch, reports_to="The board", from_day=days(10))
    later = put_up(amendment_of_clause, world.amina, from_day=days(20))
    sooner = put_up(amendment_of_field, world.ben, from_day=days(10))
    sign_all(later)
    sign_all(sooner)

    version_by_day = {day: version_in_force(world.partnership, days(day)) for day in (5, 15, 25)}

    assert version_by_day[15] == sooner
    consolidated = version_by_day[25]
    assert consolidated is not None
    assert consolidated.is_consolidated
    assert consolidated.amendment == sooner
    assert consolidated.base == later
    assert clause_text(consolidated) == "We meet twice."
    assert consolidated.content["about"]["reports_to"] == "The board"
    assert clause_text(version_by_day[5]) == "We meet and decide together."
    page = signed_in(world.vera).get(consolidated.get_absolute_url()).content.decode()
    assert f"version {later.number}" in page
    assert f"version {sooner.number}" in page


def test_a_draft_from_before_another_amendment_is_brought_up_to_date(world: World) -> None:
    agree_terms(world.partnership, world.amina)
    older_draft = propose_change(world, world.ben, world.westmarch, text="We never meet.", reports_to="The board")
    sign_all(put_up(propose_change(world, world.amina, world.larkhaven, text="We meet twice."), world.amina))

    with pytest.raises(UnableToSendForSignature, match="has changed clause “Terms” since"):
        put_up(older_draft, world.ben)
    parts_changed_twice = update_terms_draft(proposal=older_draft, author=world.ben, now=timezone.now())

    assert parts_changed_twice == ("clause “Terms”",)
    version = put_up(older_draft, world.ben)
    assert clause_text(version) == "We never meet."
    assert version.content["about"]["reports_to"] == "The board"


def test_declining_needs_a_reason_and_opens_the_draft_again(world: World) -> None:
    proposal = draft_first_terms(world)
    version = put_up(proposal, world.amina)
    token = terms_token(version.signatories.get(organisation=world.westmarch), world.ben)
    with pytest.raises(UnableToSignTerms, match="why"):
        decline_to_sign(
            version=version, organisation=world.westmarch, person=world.ben, title="", reason=" ", now=timezone.now()
        )

    decline_to_sign(
        version=version,
        organisation=world.westmarch,
        person=world.ben,
        title="Chief executive",
        reason="Too short a term.",
        now=timezone.now(),
    )

    proposal.refresh_from_db()
    assert proposal.status == ProposalStatus.DRAFTING
    assert proposal.outcome == "Westmarch Borough Council: Too short a term."
    assert Client().get(reverse("agreements:sign-by-link", args=[token])).status_code == 404
    with pytest.raises(UnableToSignTerms, match="not waiting"):
        sign(version, world.amina, world.larkhaven)
    draft(proposal, world.ben, text="We meet for five years.")
    second_version = put_up(proposal, world.amina)
    assert second_version.number == 2
    sign_all(second_version)
    world.partnership.refresh_from_db()
    assert world.partnership.status == Status.ACTIVE


def test_reading_the_link_signs_nothing_and_sending_it_signs_once(world: World) -> None:
    version = put_up(draft_first_terms(world), world.amina)
    address = reverse(
        "agreements:sign-by-link",
        args=[terms_token(version.signatories.get(organisation=world.westmarch), world.ben)],
    )
    browser = Client()

    first_response = browser.get(address)
    assert "We meet." in first_response.content.decode()
    assert not version.signatures.exists()
    response = browser.post(
        address,
        {
            "organisation": world.westmarch.pk,
            "decision": "sign",
            "name": "Benjamin West",
            "title": "Chief executive",
        },
    )

    assert response.status_code == 302
    signature = version.signatures.get()
    assert signature.person == world.ben
    assert signature.name == "Benjamin West"
    assert signature.role == "Chief executive"
    assert signature.how == "link"
    page_after_signing = browser.get(address).content.decode()
    assert "Signed" in page_after_signing
    assert "We meet." not in page_after_signing, "Once used, the mailbox alone no longer shows the terms."


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


def test_a_paper_signature_has_its_scan_and_who_recorded_it(world: World) -> None:
    version = put_up(draft_first_terms(world), world.amina)
    sign(version, world.amina, world.larkhaven)

    signature = record_paper_signature(
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

    world.partnership.refresh_from_db()
    assert signature.recorded_by == world.amina
    assert signature.is_on_paper
    assert world.partnership.status == Status.ACTIVE
    assert signature.scan is not None
    page = signed_in(world.ben).get(version.get_absolute_url()).content.decode()
    assert "Scan of the signed page" in page
    assert "recorded by Amina Larch" in page


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


def test_a_former_party_reads_the_versions_from_before_it_left(world: World) -> None:
    first = agree_terms(world.partnership, world.amina)
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

    page = hana.get(reverse("agreements:terms", args=[world.partnership.pk])).content.decode()

    assert "We meet and decide together." in page
    assert "A secret plan." not in page
    assert hana.get(first.get_absolute_url()).status_code == 200
    assert hana.get(later.get_absolute_url()).status_code == 404
    assert hana.get(reverse("agreements:proposal", args=[world.partnership.pk, 2])).status_code == 404


def test_taking_back_and_withdrawing_need_a_reason(world: World) -> None:
    agree_terms(world.partnership, world.amina)
    proposal = propose_change(world, world.ben, world.westmarch, text="We meet twice.")
    put_up(proposal, world.ben)
    for call in (take_back_terms, withdraw_proposal):
        with pytest.raises(UnableToWithdraw, match="why"):
            call(proposal=proposal, reason=" ", author=world.ben, now=timezone.now())

    take_back_terms(proposal=proposal, reason="A mistake.", author=world.ben, now=timezone.now())

    proposal.refresh_from_db()
    assert proposal.is_drafting
    assert content_of_proposal(proposal)["clauses"][0]["body"] == "We meet twice."


def test_a_version_that_was_taken_back_says_so_and_is_not_called_signed(world: World) -> None:
    agree_terms(world.partnership, world.amina)
    proposal = propose_change(world, world.ben, world.westmarch, text="We meet twice.")
    version = put_up(proposal, world.ben)
    ben = signed_in(world.ben)

    page_while_awaiting = ben.get(version.get_absolute_url()).content.decode()
    take_back_terms(proposal=proposal, reason="A mistake.", author=world.ben, now=timezone.now())
    page_after_return = ben.get(version.get_absolute_url()).content.decode()
    sign_all(put_up(proposal, world.ben))
    page_after_replacement = ben.get(version.get_absolute_url()).content.decode()

    assert "Return it to draft" in page_while_awaiting
    assert "Return it to draft" not in signed_in(world.vera).get(version.get_absolute_url()).content.decode()
    assert "Returned to draft" in page_after_return
    assert "Sent again as a later version" in page_after_replacement
    assert "Signed by every party" not in page_after_replacement


def test_what_is_not_signed_in_time_is_reminded_and_then_lapses(world: World) -> None:
    agree_terms(world.partnership, world.amina)
    proposal = propose_change(world, world.ben, world.westmarch, text="We meet twice.")
    version = put_up(proposal, world.ben, sign_by=days(5))
    sign(version, world.ben, world.westmarch)

    with time_machine.travel(timezone.now() + dt.timedelta(days=3)):
        assert remind_terms_signers(now=timezone.now()) == 1
        assert remind_terms_signers(now=timezone.now()) == 0
    with time_machine.travel(timezone.now() + dt.timedelta(days=36)):
        with pytest.raises(UnableToSignTerms, match="time to sign is over"):
            sign(version, world.amina, world.larkhaven)
        assert lapse_proposals(now=timezone.now()) == 1

    proposal.refresh_from_db()
    assert proposal.status == ProposalStatus.NOT_AGREED
    assert proposal.outcome == "Not signed in time by Larkhaven Homes."


def test_only_terms_in_force_can_be_amended_and_with_a_reason(world: World) -> None:
    with pytest.raises(UnableToPropose, match="in force"):
        propose_change(world, world.ben, world.westmarch)
    agree_terms(world.partnership, world.amina)

    with pytest.raises(UnableToPropose, match="why"):
        propose_amendment(
            partnership=world.partnership,
            organisation=world.westmarch,
            reason=" ",
            author=world.ben,
            now=timezone.now(),
        )


def test_the_emails_ask_those_who_sign_and_tell_the_leads(world: World) -> None:
    version = put_up(draft_first_terms(world), world.amina)
    requests = Email.objects.filter(kind="agreements.terms_request")
    assert set(requests.values_list("person_id", flat=True)) == {world.amina.pk, world.ben.pk}

    sign(version, world.amina, world.larkhaven)
    sign(version, world.ben, world.westmarch)

    kinds = list(
        Email.objects.filter(kind__startswith="agreements.terms_").order_by("pk").values_list("kind", flat=True)
    )
    assert kinds.count("agreements.terms_signed") == 1
    assert kinds.count("agreements.terms_agreed") == 2


def bodies_about_signed_terms() -> list[str]:
    """Return the emails that say that every party has signed, each on one line."""
    emails = [email for email in deliver() if email.subject.startswith("Every party has signed")]
    return [" ".join(str(email.body).split()) for email in emails]


def test_email_about_first_terms_says_that_none_apply_until_they_start(world: World) -> None:
    sign_all(put_up(draft_first_terms(world), world.amina, from_day=days(10)))

    assert ["no terms are in force" in body for body in bodies_about_signed_terms()] == [True, True]


def test_email_about_amended_terms_says_that_the_current_terms_apply_until_then(world: World) -> None:
    agree_terms(world.partnership, world.amina)
    sign_all(
        put_up(propose_change(world, world.ben, world.westmarch, text="We meet twice."), world.ben, from_day=days(30))
    )

    assert ["the current terms still apply" in body for body in bodies_about_signed_terms()][-2:] == [True, True]


def test_the_terms_in_force_on_a_day_can_be_read_and_printed(world: World) -> None:
    agree_terms(world.partnership, world.amina)
    sign_all(
        put_up(propose_change(world, world.ben, world.westmarch, text="We meet twice."), world.ben, from_day=days(30))
    )
    vera = signed_in(world.vera)
    page = reverse("agreements:terms", args=[world.partnership.pk])

    terms_today = vera.get(page)
    terms_later = vera.get(page, {"on": days(31).isoformat()})
    print_page = vera.get(reverse("agreements:terms-print", args=[world.partnership.pk, 2])).content.decode()

    word = vera.get(reverse("agreements:terms-word", args=[world.partnership.pk, 2]))
    pdf = vera.get(reverse("agreements:terms-pdf", args=[world.partnership.pk, 2]))

    assert word.content[:2] == b"PK"
    assert pdf.status_code == 503 or pdf.content[:4] == b"%PDF"
    assert "We meet and decide together." in terms_today.content.decode()
    assert "We meet twice." in terms_later.content.decode()
    assert re.search(r"Signed electronically", print_page)
    assert "Westmarch Borough Council" in print_page
    assert Partnership.objects.get(pk=world.partnership.pk).status == Status.ACTIVE


def test_only_todays_terms_page_says_when_first_terms_come_into_force(world: World) -> None:
    vera = signed_in(world.vera)
    page = reverse("agreements:terms", args=[world.partnership.pk])

    today = " ".join(vera.get(page).content.decode().split())
    earlier = " ".join(vera.get(page, {"on": "2020-01-01"}).content.decode().split())

    assert "No terms are in force. Terms come into force once every party has signed them." in today
    assert "No terms were in force on that day." in earlier
    assert "Terms come into force" not in earlier


def test_an_amendment_that_waits_is_closed_when_the_partnership_ends(world: World) -> None:
    agree_terms(world.partnership, world.amina)
    proposal = propose_change(world, world.ben, world.westmarch, text="We meet twice.")
    version = put_up(proposal, world.ben)

    change_status(
        partnership=world.partnership, status="ended", reason="No money.", author=world.amina, now=timezone.now()
    )

    proposal.refresh_from_db()
    assert proposal.status == ProposalStatus.NOT_AGREED
    assert proposal.outcome == "The partnership has ended. No money."
    amina = signed_in(world.amina)
    page = amina.get(reverse("agreements:terms", args=[world.partnership.pk])).content.decode()
    assert "needs your signature" not in page
    assert "The last terms in force" in page
    assert "Not agreed" in amina.get(version.get_absolute_url()).content.decode()


def test_migration_closes_what_waits_in_partnerships_that_were_over(world: World) -> None:
    agree_terms(world.partnership, world.amina)
    proposal = propose_change(world, world.ben, world.westmarch, text="We meet twice.")
    put_up(proposal, world.ben)
    Partnership.objects.filter(pk=world.partnership.pk).update(status="renewed", ends_on=today())

    import_module("partnerships.agreements.migrations.0024_close_proposals_of_ended").close(apps, None)

    proposal.refresh_from_db()
    assert proposal.status == ProposalStatus.NOT_AGREED
    assert proposal.outcome == "The partnership was renewed."


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


def test_amendments_are_numbered_from_1(world: World) -> None:
    agree_terms(world.partnership, world.amina)
    first = propose_change(world, world.ben, world.westmarch, text="We meet twice.")
    withdraw_proposal(proposal=first, reason="No.", author=world.ben, now=timezone.now())
    second = propose_change(world, world.amina, world.larkhaven, text="We never meet.")

    assert first_proposal(world.partnership).name == "First terms"
    assert first.name == "Amendment 1"
    assert second.name == "Amendment 2"
    page = signed_in(world.amina).get(second.get_absolute_url()).content.decode()
    assert "Amendment 2" in page
    assert "Amendment 3" not in page


def test_migration_numbers_the_amendments_that_were_there(world: World) -> None:
    agree_terms(world.partnership, world.amina)
    proposals = [propose_change(world, world.ben, world.westmarch, text=f"We meet {count} times.") for count in (2, 3)]
    TermsProposal.objects.filter(based_on__isnull=False).update(amendment_number=F("number") + 10)

    with connection.cursor() as cursor:
        cursor.execute(import_module("partnerships.agreements.migrations.0025_number_amendments").NUMBER)

    assert [TermsProposal.objects.get(pk=proposal.pk).amendment_number for proposal in proposals] == [1, 2]
    assert first_proposal(world.partnership).amendment_number is None
