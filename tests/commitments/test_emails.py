"""People are emailed at each step of a commitment that concerns them."""

from __future__ import annotations

import uuid
from typing import Any

from django.urls import reverse

from partnerships.commitments.models import Commitment
from tests.commitments.promises import agree, done_commitment, in_days, propose
from tests.support.outbox import deliver, drop_emails
from tests.support.signing_in import signed_in
from tests.world import World


def emails() -> list[tuple[str, str]]:
    """Return the recipients of sent emails with the part of each subject after the reference, and clear the emails."""
    sent = sorted(
        (email.to[0].partition("@")[0], email.subject.partition(" ")[2].partition(":")[0]) for email in deliver()
    )
    deliver().clear()
    return sent


def proposal_form(world: World) -> dict[str, Any]:
    """Return the form data with which Eddie proposes thirty homes to Westmarch."""
    day = in_days(60)
    return {
        "giver": world.larkhaven.pk,
        "receiver": world.westmarch.pk,
        "partnership": world.partnership.pk,
        "text": "Thirty homes at Quayside.",
        "quantity": "30",
        "unit": "homes",
        "owner": world.eddie.pk,
        "due_on": day.isoformat(),
        "key": uuid.uuid4(),
    }


def test_leads_of_both_sides_are_asked_once_to_confirm_a_proposal(world: World) -> None:
    form_data = proposal_form(world)
    eddie = signed_in(world.eddie)

    for _ in range(2):
        answer = eddie.post(reverse("commitments:new"), form_data, follow=True)

    assert emails() == [("amina", "needs your confirmation"), ("ben", "needs your confirmation")]
    assert Commitment.objects.count() == 1
    assert "waiting for Larkhaven Homes and Westmarch" in answer.content.decode()


def test_email_says_what_is_promised_and_links_to_its_page(world: World) -> None:
    signed_in(world.eddie).post(reverse("commitments:new"), proposal_form(world))

    email = next(email_to for email_to in deliver() if email_to.to == [world.ben.email])

    assert "Thirty homes at Quayside." in email.body
    assert "Larkhaven Homes to Westmarch" in email.body
    assert Commitment.objects.get().get_absolute_url() in email.body
    assert email.reply_to == [world.eddie.email]


def test_people_waiting_for_agreement_are_emailed_when_it_is_agreed(world: World) -> None:
    commitment = propose(world)

    for person, side in ((world.amina, "giving"), (world.ben, "receiving")):
        form_data = {"revision": commitment.revision, "owner": world.eddie.pk}
        signed_in(person).post(reverse("commitments:confirm", args=[commitment.pk, side]), form_data)

    assert emails() == [("amina", "has been agreed"), ("eddie", "has been agreed")]


def test_receiver_hears_when_it_is_done_and_giver_when_it_is_verified(world: World) -> None:
    commitment = agree(world)
    drop_emails()
    progress = {"status": "done", "delivered": "60", "seen": "0"}
    signed_in(world.eddie).post(reverse("commitments:progress", args=[commitment.pk]), progress)
    emails_after_report = emails()

    signed_in(world.ben).post(reverse("commitments:verify", args=[commitment.pk]), {"verdict": "verified"})

    assert emails_after_report == [("ben", "has been reported as done")]
    assert emails() == [("amina", "has been verified"), ("eddie", "has been verified")]


def test_progress_before_completion_sends_no_email(world: World) -> None:
    commitment = agree(world)
    drop_emails()
    progress = {"status": "in_progress", "delivered": "40", "seen": "0"}

    signed_in(world.eddie).post(reverse("commitments:progress", args=[commitment.pk]), progress)

    assert emails() == []


def test_owner_hears_what_is_missing_and_both_sides_hear_of_a_cancellation(world: World) -> None:
    commitment = done_commitment(world)
    drop_emails()
    form_data = {"verdict": "missing", "note_text": "Block C has no lift."}
    signed_in(world.ben).post(reverse("commitments:verify", args=[commitment.pk]), form_data)
    emails_after_answer = emails()

    signed_in(world.amina).post(reverse("commitments:end", args=[commitment.pk]), {"reason": "The site is sold."})

    assert emails_after_answer == [("amina", "is not complete yet"), ("eddie", "is not complete yet")]
    assert emails() == [("ben", "has been cancelled"), ("eddie", "has been cancelled")]


def test_owner_is_chosen_from_people_of_the_giver(world: World) -> None:
    commitment = agree(world)

    form = signed_in(world.ben).get(f"{reverse('commitments:new')}?replaces={commitment.pk}").context["form"]

    assert str(form["quantity"].value()) == "60"
    assert set(form.fields["owner"].queryset) == {world.amina, world.eddie, world.vera}


def test_people_are_emailed_whether_a_proposal_was_declined_or_withdrawn(world: World) -> None:
    declined = propose(world)
    withdrawn = propose(world)
    drop_emails()

    signed_in(world.ben).post(reverse("commitments:end", args=[declined.pk]), {"reason": "We have no land there."})
    emails_after_declining = emails()
    signed_in(world.amina).post(reverse("commitments:end", args=[withdrawn.pk]), {"reason": "The site is sold."})
    emails_after_withdrawal = emails()

    assert {words for _, words in emails_after_declining} == {"has been declined"}
    assert {words for _, words in emails_after_withdrawal} == {"has been withdrawn"}
