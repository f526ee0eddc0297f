"""People are emailed at each step of a commitment that concerns them."""

from __future__ import annotations

import uuid
from typing import Any

from django.urls import reverse
from django.utils import timezone

from partnerships.commitments import services
from partnerships.commitments.models import Commitment
from tests.commitments.promises import agree, done_action, done_commitment, in_days, propose
from tests.support.outbox import deliver, drop_emails
from tests.support.signing_in import signed_in
from tests.world import World


def emails() -> list[tuple[str, str]]:
    """Return the recipient of each email, with the part of its subject after the reference. Then clear the emails."""
    sent = sorted(
        (email.to[0].partition("@")[0], email.subject.partition(" ")[2].partition(":")[0]) for email in deliver()
    )
    deliver().clear()
    return sent


def proposal_form(world: World) -> dict[str, Any]:
    """Return the form data with which Eddie proposes thirty homes to Westmarch."""
    return {
        "giver": world.larkhaven.pk,
        "receiver": world.westmarch.pk,
        "partnership": world.partnership.pk,
        "text": "Thirty homes at Quayside.",
        "quantity": "30",
        "unit": "homes",
        "owner": world.eddie.pk,
        "due_on": in_days(60).isoformat(),
        "key": uuid.uuid4(),
    }


def test_leads_of_giver_and_receiver_are_asked_once_to_confirm(world: World) -> None:
    form_data = proposal_form(world)
    eddie = signed_in(world.eddie)

    for _ in range(2):
        response = eddie.post(reverse("commitments:new"), form_data, follow=True)

    assert emails() == [("amina", "needs your confirmation"), ("ben", "needs your confirmation")]
    assert Commitment.objects.count() == 1
    assert "waiting for Larkhaven Homes and Westmarch" in response.content.decode()


def test_email_says_what_is_promised_and_links_to_its_page(world: World) -> None:
    signed_in(world.eddie).post(reverse("commitments:new"), proposal_form(world))

    [email] = [email for email in deliver() if email.to == [world.ben.email]]

    assert "Thirty homes at Quayside." in email.body
    assert "Larkhaven Homes to Westmarch" in email.body
    assert Commitment.objects.get().get_absolute_url() in email.body
    assert email.reply_to == [world.eddie.email]


def test_proposer_and_owner_are_emailed_when_a_commitment_is_agreed(world: World) -> None:
    commitment = propose(world)

    for person, side in ((world.amina, "giving"), (world.ben, "receiving")):
        form_data = {"revision": commitment.revision, "owner": world.eddie.pk}
        signed_in(person).post(reverse("commitments:confirm", args=[commitment.pk, side]), form_data)

    assert emails() == [("amina", "has been agreed"), ("eddie", "has been agreed")]


def test_receiver_is_emailed_when_a_commitment_is_done(world: World) -> None:
    commitment = agree(world)
    drop_emails()
    progress = {"status": "done", "delivered": "60", "seen": "0"}

    signed_in(world.eddie).post(reverse("commitments:progress", args=[commitment.pk]), progress)

    assert emails() == [("ben", "has been reported as done")]


def test_people_of_the_giver_are_emailed_when_the_delivery_is_verified(world: World) -> None:
    commitment = done_commitment(world)
    drop_emails()

    signed_in(world.ben).post(reverse("commitments:verify", args=[commitment.pk]), {"verdict": "verified"})

    assert emails() == [("amina", "has been verified"), ("eddie", "has been verified")]


def test_progress_before_completion_sends_no_email(world: World) -> None:
    commitment = agree(world)
    drop_emails()
    progress = {"status": "in_progress", "delivered": "40", "seen": "0"}

    signed_in(world.eddie).post(reverse("commitments:progress", args=[commitment.pk]), progress)

    assert emails() == []


def test_people_of_the_giver_are_emailed_when_a_delivery_is_sent_back(world: World) -> None:
    commitment = done_commitment(world)
    drop_emails()
    form_data = {"verdict": "missing", "note_text": "Block C has no lift."}

    signed_in(world.ben).post(reverse("commitments:verify", args=[commitment.pk]), form_data)

    assert emails() == [("amina", "is not complete yet"), ("eddie", "is not complete yet")]


def test_owner_and_receiver_are_emailed_when_a_lead_cancels(world: World) -> None:
    commitment = agree(world)
    drop_emails()

    signed_in(world.amina).post(reverse("commitments:end", args=[commitment.pk]), {"reason": "The site is sold."})

    assert emails() == [("ben", "has been cancelled"), ("eddie", "has been cancelled")]


def test_owner_is_chosen_from_people_of_the_giver(world: World) -> None:
    commitment = agree(world)

    form = signed_in(world.ben).get(f"{reverse('commitments:new')}?replaces={commitment.pk}").context["form"]

    assert str(form["quantity"].value()) == "60"
    assert set(form.fields["owner"].queryset) == {world.amina, world.eddie, world.vera}


def test_email_says_that_the_other_organisation_declined_the_proposal(world: World) -> None:
    commitment = propose(world, author=world.amina)
    drop_emails()

    signed_in(world.ben).post(reverse("commitments:end", args=[commitment.pk]), {"reason": "We have no land there."})

    assert {words for _recipient, words in emails()} == {"has been declined"}


def test_email_says_that_the_proposer_withdrew_the_proposal(world: World) -> None:
    commitment = propose(world, author=world.amina)
    drop_emails()

    signed_in(world.amina).post(reverse("commitments:end", args=[commitment.pk]), {"reason": "The site is sold."})

    assert {words for _recipient, words in emails()} == {"has been withdrawn"}


def test_email_to_the_owner_of_an_action_without_a_receiver_names_only_the_giver(world: World) -> None:
    action = done_action(world)
    drop_emails()

    services.email_owners(commitments=[action], author=world.amina, reminds=True, now=timezone.now())

    [email] = deliver()
    assert "Larkhaven Homes" in email.body
    assert "Larkhaven Homes to" not in email.body
