"""People propose, confirm, deliver and verify commitments on their pages."""

from __future__ import annotations

import uuid
from decimal import Decimal

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.services import answer_invitation, invite_organisation
from partnerships.commitments.models import Commitment, Status
from partnerships.kit.dates import long_date
from partnerships.organisations.models import Role
from partnerships.outbox.content import email_notice_sentence
from partnerships.people.models import User
from tests.commitments.promises import agree, done_commitment, in_days, propose, report
from tests.support.outbox import deliver, drop_emails
from tests.support.signing_in import signed_in
from tests.world import World, join


def day_field(name: str, days: int) -> dict[str, str]:
    """Return the form data of a day this many days from today."""
    return {name: in_days(days).isoformat()}


def page_url(name: str, commitment: Commitment, **arguments: str) -> str:
    """Return the URL of a page about a commitment."""
    return reverse(f"commitments:{name}", kwargs={"pk": commitment.pk, **arguments})


def test_form_asks_for_an_organisation_the_person_edits_for(world: World) -> None:
    party = invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=timezone.now(),
    )
    answer_invitation(party=party, accept=True, reason="", author=world.hana, now=timezone.now())
    form_data = {"giver": world.harbour.pk, "receiver": world.westmarch.pk, "text": "Homes.", **day_field("due_on", 90)}

    response = signed_in(world.eddie).post(reverse("commitments:new"), form_data | {"key": uuid.uuid4()})

    assert response.status_code == 422
    assert "You cannot make changes for either organisation" in response.content.decode()
    assert not Commitment.objects.exists()


def test_form_lets_only_a_lead_confirm_for_their_organisation(world: World) -> None:
    join(world.amina, world.westmarch, Role.EDITOR, timezone.now())
    terms = {"giver": world.westmarch.pk, "receiver": world.larkhaven.pk, "text": "Homes.", **day_field("due_on", 90)}
    form_data = terms | {"owner": world.ben.pk, "confirm": "on", "key": uuid.uuid4()}

    response = signed_in(world.amina).post(reverse("commitments:new"), form_data)

    assert response.status_code == 422
    assert "Only a lead of Westmarch Borough Council can confirm this" in response.content.decode()
    assert not Commitment.objects.exists()


def test_new_proposal_waits_for_giver_and_receiver(world: World) -> None:
    eddie = signed_in(world.eddie)
    form = eddie.get(reverse("commitments:new"), {"partnership": world.partnership.pk}).context["form"]
    form_data = {
        "giver": world.larkhaven.pk,
        "receiver": world.westmarch.pk,
        "partnership": world.partnership.pk,
        "text": "Sixty modular homes at Quayside.",
        "quantity": "60",
        "unit": "homes",
        "owner": world.eddie.pk,
        "key": form["key"].value(),
        **day_field("due_on", 90),
    }

    html = eddie.post(reverse("commitments:new"), form_data, follow=True).content.decode()

    commitment = Commitment.objects.get()
    assert commitment.status == Status.PROPOSED
    assert "waiting for Larkhaven Homes and Westmarch Borough Council" in html


def test_commitment_is_agreed_once_both_leads_confirm_on_its_page(world: World) -> None:
    commitment = propose(world)
    form_of_giver = {"revision": 1, "owner": world.eddie.pk}
    signed_in(world.amina).post(page_url("confirm", commitment, side="giving"), form_of_giver)

    response = signed_in(world.ben).post(
        page_url("confirm", commitment, side="receiving"), {"revision": 1}, follow=True
    )

    commitment.refresh_from_db()
    assert commitment.status == Status.AGREED
    assert f"{commitment.reference} has been agreed." in response.content.decode()


def test_page_shows_a_progress_report_with_its_file(world: World) -> None:
    commitment = agree(world)
    form_data = {
        "delivered": "40",
        "status": "in_progress",
        "note_text": "Blocks A and B are let.",
        "seen": 0,
        "evidence": SimpleUploadedFile("lettings.txt", b"Forty lettings."),
    }

    html = signed_in(world.eddie).post(page_url("progress", commitment), form_data, follow=True).content.decode()

    assert "40 of 60 homes" in html
    assert "lettings.txt" in html


def test_second_report_is_accepted_from_a_form_opened_after_the_first(world: World) -> None:
    commitment = agree(world)
    report(world, commitment, delivered=Decimal(40))
    eddie = signed_in(world.eddie)
    form = eddie.get(page_url("progress", commitment)).context["form"]

    eddie.post(page_url("progress", commitment), {"delivered": "60", "status": "done", "seen": form["seen"].value()})

    commitment.refresh_from_db()
    assert commitment.status == Status.DONE
    assert commitment.delivered_quantity == 60


def test_receiver_verifies_a_delivery_on_its_page(world: World) -> None:
    commitment = done_commitment(world)

    response = signed_in(world.ben).post(page_url("verify", commitment), {"verdict": "verified"}, follow=True)

    commitment.refresh_from_db()
    assert commitment.status == Status.VERIFIED
    assert "has been verified as delivered" in response.content.decode()


def test_confirming_the_same_terms_twice_is_refused(world: World) -> None:
    commitment = propose(world)
    ben = signed_in(world.ben)
    ben.post(page_url("confirm", commitment, side="receiving"), {"revision": 1})

    second_response = ben.post(page_url("confirm", commitment, side="receiving"), {"revision": 1})

    assert second_response.status_code == 422
    assert "has already confirmed" in second_response.content.decode()


def test_list_applies_filters_and_hides_commitments_of_others(world: World) -> None:
    agree(world, text="Canary homes.")
    propose(world, text="Another thing.")

    list_of_ben = signed_in(world.ben).get(reverse("commitments:list"), {"standing": "open"}).content.decode()
    list_of_chidi = signed_in(world.chidi).get(reverse("commitments:list"), {"words": "Canary"}).content.decode()

    assert "Canary homes." in list_of_ben
    assert "Another thing." not in list_of_ben
    assert "Canary homes." not in list_of_chidi


def test_invalid_filters_are_reported_above_the_list(world: World) -> None:
    propose(world)

    response = signed_in(world.ben).get(reverse("commitments:list"), {"side": "x", "after": "!!", "partnership": "y"})

    assert response.status_code == 422
    assert "There is a problem" in response.content.decode()


def test_evidence_opens_for_parties_but_not_for_strangers(world: World) -> None:
    commitment = agree(world)
    signed_in(world.eddie).post(
        page_url("attach", commitment), {"title": "Keys", "file": SimpleUploadedFile("keys.txt", b"Sixty keys.")}
    )
    address = reverse("commitments:evidence", args=[commitment.evidence.get().pk])

    statuses = {name: signed_in(getattr(world, name)).get(address).status_code for name in ("vera", "ben", "chidi")}

    assert statuses == {"vera": 200, "ben": 200, "chidi": 404}


def test_delivery_is_not_sent_back_without_a_note(world: World) -> None:
    commitment = done_commitment(world)

    response = signed_in(world.ben).post(page_url("verify", commitment), {"verdict": "missing"})

    assert response.status_code == 422


def test_delivery_is_in_progress_again_after_it_was_sent_back(world: World) -> None:
    commitment = done_commitment(world)
    form_data = {"verdict": "missing", "note_text": "No keys."}

    response = signed_in(world.ben).post(page_url("verify", commitment), form_data, follow=True)

    assert "in progress again" in response.content.decode()


def test_proposer_is_offered_to_withdraw_a_proposal(world: World) -> None:
    commitment = propose(world, author=world.amina)

    html = signed_in(world.amina).get(page_url("end", commitment)).content.decode()

    assert "Withdraw proposal" in html
    assert "Decline" not in html


def test_other_organisation_is_offered_to_decline_a_proposal(world: World) -> None:
    commitment = propose(world, author=world.amina)

    html = signed_in(world.ben).get(page_url("end", commitment)).content.decode()

    assert "Decline proposal" in html


def test_escalation_email_does_not_quote_the_reason(world: World) -> None:
    commitment = agree(world)
    drop_emails()

    signed_in(world.eddie).post(page_url("escalate", commitment), {"person": world.ben.pk, "reason": "Canary reason."})

    (email,) = deliver()
    assert email.to == ["ben@westmarch.example"]
    assert "Canary" not in email.body + email.alternatives[0].content


def test_hostile_words_are_shown_as_typed(world: World) -> None:
    commitment = propose(world, text="<script>alert(1)</script> & 'homes'")

    html = signed_in(world.ben).get(commitment.get_absolute_url()).content.decode()

    assert "<script>alert(1)" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_form_to_replace_a_commitment_starts_with_its_terms(world: World) -> None:
    commitment = agree(world)

    form = signed_in(world.eddie).get(reverse("commitments:new"), {"replaces": commitment.pk}).context["form"]

    assert form["text"].value() == commitment.text
    assert form.initial["giver"] == world.larkhaven


def turns_shown_to(person: User, commitment: Commitment) -> int:
    """Return how many times the page of a commitment says "Your turn" to a person."""
    return signed_in(person).get(commitment.get_absolute_url()).content.decode().count("Your turn")


def test_page_asks_leads_of_giver_and_receiver_to_confirm(world: World) -> None:
    commitment = propose(world)

    assert turns_shown_to(world.amina, commitment) == 1
    assert turns_shown_to(world.ben, commitment) == 1
    assert turns_shown_to(world.eddie, commitment) == 0
    assert turns_shown_to(world.vera, commitment) == 0


def test_page_asks_leads_of_the_receiver_to_verify(world: World) -> None:
    commitment = done_commitment(world)

    assert turns_shown_to(world.ben, commitment) == 1
    assert turns_shown_to(world.amina, commitment) == 0


def test_timeline_names_a_moved_due_date_and_a_file(world: World) -> None:
    commitment = agree(world)
    eddie = signed_in(world.eddie)
    eddie.post(page_url("due-date", commitment), {"reason": "No consent yet.", **day_field("due_on", 120)})
    eddie.post(page_url("attach", commitment), {"title": "Plan", "file": SimpleUploadedFile("plan.txt", b"A plan.")})

    newest_line, second_line = eddie.get(commitment.get_absolute_url()).context["lines"][:2]

    assert [(change.field, change.now) for change in newest_line.changes] == [("file", "Plan")]
    assert [(change.field, change.was, change.now) for change in second_line.changes] == [
        ("due", long_date(in_days(90)), long_date(in_days(120)))
    ]


def test_message_names_every_person_who_gets_an_email() -> None:
    assert email_notice_sentence([]) == ""
    assert email_notice_sentence(["Ben West"]) == " An email will be sent to Ben West."
    assert (
        email_notice_sentence(["Ben West", "Wendy March", "Una"])
        == " An email will be sent to Ben West, Wendy March and Una."
    )
