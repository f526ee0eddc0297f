"""Replies to notices about no plan become draft conversations, or get an explanation of what to do instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.answers.models import Incoming
from partnerships.commitments import services as commitments
from partnerships.commitments.models import Commitment
from partnerships.organisations.models import Membership, Role
from partnerships.outbox.reply_addresses import CAN_REPLY
from partnerships.people.models import User
from tests.answers.conftest import signed_in
from tests.answers.test_replies_by_email import own_reply_address, read_mailbox, reply
from tests.commitments.promises import agree, in_days
from tests.support.outbox import deliver, drop_emails, recorded
from tests.world import World


@pytest.fixture
def commitment(world: World) -> Commitment:
    """Return a commitment of Eddie's that is due in a week."""
    return agree(world, due_on=in_days(7))


def reminder_of(person: User) -> Any:
    """Return the reminder that a person got. It takes replies at our own address."""
    drop_emails()
    commitments.remind_owners(now=timezone.now())
    return next(email for email in deliver() if email.to == [person.email])


def text_about_unfit_email() -> str:
    """Return the text of the email that says what to do instead of replying."""
    return str(next(email.body for email in deliver() if email.subject == "We could not process your email"))


def test_a_reply_about_a_commitment_becomes_a_draft_conversation_of_its_partnership(
    world: World, commitment: Commitment, tmp_path: Path
) -> None:
    address = own_reply_address(reminder_of(world.eddie))

    output = read_mailbox(tmp_path, reply(address, "The road is late.", From="eddie@larkhaven.example"))

    incoming = Incoming.objects.get()
    assert "1 forwarded email" in output
    assert incoming.person == world.eddie
    assert incoming.partnership == world.partnership
    assert incoming.text == "The road is late."


@pytest.fixture
def eddies_reply_url(world: World, commitment: Commitment, tmp_path: Path) -> str:
    """Return the path of the page on which Eddie saves his reply as a conversation."""
    address = own_reply_address(reminder_of(world.eddie))
    read_mailbox(tmp_path, reply(address, "The road is late.", From="eddie@larkhaven.example"))
    return reverse("answers:incoming", args=[Incoming.objects.get().pk])


@pytest.mark.usefixtures("eddies_reply_url")
def test_only_the_person_who_replied_is_asked_to_save_the_conversation(world: World) -> None:
    emails = deliver()

    [confirm_email] = [email for email in emails if "as a conversation" in email.subject]
    assert confirm_email.to == [world.eddie.email]


def test_person_who_replied_reads_their_reply_before_saving_it(world: World, eddies_reply_url: str) -> None:
    html = signed_in(world.eddie).get(eddies_reply_url).content.decode()

    assert "The road is late." in html


def test_reply_that_is_not_saved_is_read_by_nobody_else(world: World, eddies_reply_url: str) -> None:
    response = signed_in(world.ben).get(eddies_reply_url)

    assert response.status_code == 404


def test_a_reply_of_a_viewer_is_answered_with_the_page_of_the_commitment(
    world: World, commitment: Commitment, tmp_path: Path
) -> None:
    address = own_reply_address(reminder_of(world.eddie))
    Membership.objects.filter(person=world.eddie).update(role=Role.VIEWER)

    output = read_mailbox(tmp_path, reply(address, From="eddie@larkhaven.example"))

    text = " ".join(text_about_unfit_email().split())
    assert "1 could not be used" in output
    assert not Incoming.objects.exists()
    assert "nobody has read it" in text
    assert "not about a plan or partnership on which you can comment" in text
    assert reverse("commitments:detail", args=[commitment.pk]) in text


def test_explanation_has_no_link_to_a_page_that_its_reader_may_not_open(
    world: World, commitment: Commitment, tmp_path: Path
) -> None:
    address = own_reply_address(reminder_of(world.eddie))
    Membership.objects.filter(person=world.eddie).update(ends_on=in_days(-1))

    read_mailbox(tmp_path, reply(address, From="eddie@larkhaven.example"))

    assert reverse("commitments:detail", args=[commitment.pk]) not in text_about_unfit_email()


def test_reply_without_new_text_is_answered_with_the_reason(
    world: World, commitment: Commitment, tmp_path: Path
) -> None:
    empty_reply = reply(own_reply_address(reminder_of(world.eddie)), From="eddie@larkhaven.example")
    empty_reply.set_content("> Your commitment is due in a week.\n")

    read_mailbox(tmp_path, empty_reply)

    [email] = recorded("answers.unfit")
    assert email.params["why"] == "empty"
    assert "Your email contained no new text." in text_about_unfit_email()


@pytest.mark.parametrize(("role", "times"), [(Role.EDITOR, 1), (Role.VIEWER, 0)])
def test_notice_offers_a_reply_only_to_people_whose_reply_is_used(
    role: Role, times: int, world: World, commitment: Commitment
) -> None:
    drop_emails()
    commitments.remind_owners(now=timezone.now())
    Membership.objects.filter(person=world.eddie).update(role=role)

    notice: Any = next(email for email in deliver() if email.to == [world.eddie.email])

    assert notice.body.count(CAN_REPLY) == times
    assert notice.alternatives[0][0].count(CAN_REPLY) == times
