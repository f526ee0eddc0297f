"""A commitment goes from proposal to verification on its pages."""

from __future__ import annotations

import uuid

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.services import answer_invitation, invite_organisation
from partnerships.commitments.models import Commitment, Status
from partnerships.kit.dates import long_date
from partnerships.organisations.models import Role
from partnerships.outbox.content import email_notice_sentence
from partnerships.people.models import User
from tests.commitments.promises import agree, done_commitment, in_days, propose
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

    answer = signed_in(world.eddie).post(reverse("commitments:new"), form_data | {"key": uuid.uuid4()})

    assert answer.status_code == 422
    assert "You cannot make changes for either organisation" in answer.content.decode()
    assert not Commitment.objects.exists()


def test_form_lets_only_a_lead_confirm_for_their_own_side(world: World) -> None:
    join(world.amina, world.westmarch, Role.EDITOR, timezone.now())
    terms = {"giver": world.westmarch.pk, "receiver": world.larkhaven.pk, "text": "Homes.", **day_field("due_on", 90)}
    form_data = terms | {"owner": world.ben.pk, "confirm": "on", "key": uuid.uuid4()}

    answer = signed_in(world.amina).post(reverse("commitments:new"), form_data)

    assert answer.status_code == 422
    assert "Only a lead of Westmarch Borough Council can confirm this" in answer.content.decode()
    assert not Commitment.objects.exists()


def test_commitment_goes_from_proposal_to_verification_on_its_pages(world: World) -> None:
    amina, eddie, ben = (signed_in(person) for person in (world.amina, world.eddie, world.ben))
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

    proposed = eddie.post(reverse("commitments:new"), form_data, follow=True)
    commitment = Commitment.objects.get()
    assert "waiting for Larkhaven Homes and Westmarch Borough Council" in proposed.content.decode()
    amina.post(page_url("confirm", commitment, side="giving"), {"revision": 1, "owner": world.eddie.pk})
    agreed = ben.post(page_url("confirm", commitment, side="receiving"), {"revision": 1}, follow=True)
    assert f"{commitment.reference} has been agreed." in agreed.content.decode()
    progress = eddie.post(
        page_url("progress", commitment),
        {
            "delivered": "40",
            "status": "in_progress",
            "note_text": "Blocks A and B are let.",
            "seen": 0,
            "evidence": SimpleUploadedFile("lettings.txt", b"Forty lettings."),
        },
        follow=True,
    )
    assert "40 of 60 homes" in progress.content.decode()
    assert "lettings.txt" in progress.content.decode()
    seen = eddie.get(page_url("progress", commitment)).context["form"]["seen"].value()
    eddie.post(page_url("progress", commitment), {"delivered": "60", "status": "done", "seen": seen})
    verified = ben.post(page_url("verify", commitment), {"verdict": "verified"}, follow=True)

    commitment.refresh_from_db()
    assert commitment.status == Status.VERIFIED
    assert "has been verified as delivered" in verified.content.decode()


def test_confirming_the_same_terms_twice_is_refused(world: World) -> None:
    commitment = propose(world)
    ben = signed_in(world.ben)
    ben.post(page_url("confirm", commitment, side="receiving"), {"revision": 1})

    second_answer = ben.post(page_url("confirm", commitment, side="receiving"), {"revision": 1})

    assert second_answer.status_code == 422
    assert "has already confirmed" in second_answer.content.decode()


def test_list_applies_filters_and_hides_commitments_of_others(world: World) -> None:
    agree(world, text="Canary homes.")
    propose(world, text="Another thing.")

    list_of_ben = signed_in(world.ben).get(reverse("commitments:list"), {"standing": "open"}).content.decode()
    list_of_chidi = signed_in(world.chidi).get(reverse("commitments:list"), {"words": "Canary"}).content.decode()

    assert "Canary homes." in list_of_ben
    assert "Another thing." not in list_of_ben
    assert "Canary homes." not in list_of_chidi


def test_invalid_filters_are_named_above_the_list(world: World) -> None:
    propose(world)

    answer = signed_in(world.ben).get(reverse("commitments:list"), {"side": "x", "after": "!!", "partnership": "y"})

    assert answer.status_code == 422
    assert "There is a problem" in answer.content.decode()


def test_stranger_cannot_open_evidence(world: World) -> None:
    commitment = agree(world)
    signed_in(world.eddie).post(
        page_url("attach", commitment), {"title": "Keys", "file": SimpleUploadedFile("keys.txt", b"Sixty keys.")}
    )
    address = reverse("commitments:evidence", kwargs={"pk": commitment.evidence.get().pk})

    answers = {name: signed_in(getattr(world, name)).get(address).status_code for name in ("vera", "ben", "chidi")}

    assert answers == {"vera": 200, "ben": 200, "chidi": 404}


def test_page_shows_what_is_missing(world: World) -> None:
    commitment = done_commitment(world)
    ben = signed_in(world.ben)

    without_note = ben.post(page_url("verify", commitment), {"verdict": "missing"})
    with_note = ben.post(page_url("verify", commitment), {"verdict": "missing", "note_text": "No keys."}, follow=True)

    assert without_note.status_code == 422
    assert "in progress again" in with_note.content.decode()


def test_end_form_offers_its_proposer_to_withdraw_and_the_other_side_to_decline(world: World) -> None:
    commitment = propose(world)

    proposer_page = signed_in(world.amina).get(page_url("end", commitment)).content.decode()
    other_page = signed_in(world.ben).get(page_url("end", commitment)).content.decode()

    assert "Withdraw proposal" in proposer_page
    assert "Decline proposal" in other_page
    assert "Decline" not in proposer_page


def test_escalating_emails_the_person_without_the_words(world: World) -> None:
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


def test_form_for_other_terms_starts_with_the_old_ones(world: World) -> None:
    commitment = agree(world)

    form = signed_in(world.eddie).get(reverse("commitments:new"), {"replaces": commitment.pk}).context["form"]

    assert form["text"].value() == commitment.text
    assert form["giver"].value() == world.larkhaven.pk or form.initial["giver"] == world.larkhaven


def test_people_who_may_answer_see_that_it_is_their_turn(world: World) -> None:
    def count_turns(commitment: Commitment, person: User) -> int:
        return signed_in(person).get(commitment.get_absolute_url()).content.decode().count("Your turn")

    proposed = propose(world)
    delivered = done_commitment(world)

    assert [count_turns(proposed, person) for person in (world.amina, world.ben, world.eddie, world.vera)] == [
        1,
        1,
        0,
        0,
    ]
    assert [count_turns(delivered, person) for person in (world.amina, world.ben)] == [0, 1]


def test_timeline_names_a_moved_due_date_and_a_file(world: World) -> None:
    commitment = agree(world)
    eddie = signed_in(world.eddie)
    eddie.post(page_url("due-date", commitment), {"reason": "No consent yet.", **day_field("due_on", 120)})
    eddie.post(page_url("attach", commitment), {"title": "Plan", "file": SimpleUploadedFile("plan.txt", b"A plan.")})

    file, due_date_change = eddie.get(commitment.get_absolute_url()).context["lines"][:2]

    assert [(change.field, change.was, change.now) for change in due_date_change.changes] == [
        ("due", long_date(in_days(90)), long_date(in_days(120)))
    ]
    assert [(change.field, change.now) for change in file.changes] == [("file", "Plan")]


def test_page_names_who_gets_an_email() -> None:
    assert email_notice_sentence([]) == ""
    assert email_notice_sentence(["Ben West"]) == " An email will be sent to Ben West."
    three = ["Ben West", "Wendy March", "Una"]

    assert email_notice_sentence(three) == " An email will be sent to Ben West, Wendy March and Una."
