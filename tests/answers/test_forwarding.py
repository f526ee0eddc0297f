"""Emails forwarded to a partnership's address become conversations."""

from __future__ import annotations

import re
from email.message import EmailMessage
from html import unescape
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from django.urls import reverse
from django.utils import timezone

from partnerships.answers.models import Incoming
from partnerships.conversations.models import Conversation
from partnerships.people.models import User
from tests.answers.conftest import signed_in
from tests.answers.test_replies_by_email import read_mailbox
from tests.support.outbox import deliver, parts
from tests.world import World


def address_on_page(person: User, world: World) -> str:
    """Return the address for forwarded emails on the partnership's page; "" if the page shows none."""
    html = unescape(signed_in(person).get(world.partnership.get_absolute_url()).content.decode())
    match = re.search(r"[\w.-]+\+p-[\w.]+@[\w.]+", html)
    return match[0] if match else ""


def forwarded_email(to: str, sender: str) -> EmailMessage:
    """Return an email that this sender forwards to the address."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = to
    message["Subject"] = "Fwd: The access road"
    message["Message-ID"] = f"<{abs(hash((to, sender)))}@larkhaven.example>"
    message.set_content("See below.\n\n---------- Forwarded message ---------\nFrom: Ben\n\nThe road is agreed.\n")
    return message


@pytest.fixture
def address(world: World) -> str:
    """Return the address of the Estuary Partnership."""
    return address_on_page(world.eddie, world)


@pytest.mark.parametrize("name", ["amina", "eddie", "ben"])
def test_address_is_shown_to_editors_of_the_partnership(world: World, name: str) -> None:
    address = address_on_page(getattr(world, name), world)

    assert address != ""


def test_address_is_not_shown_to_viewers(world: World) -> None:
    address = address_on_page(world.vera, world)

    assert address == ""


def forward_as_eddie(address: str, tmp_path: Path) -> str:
    """Forward an email from Eddie to the partnership, and return the path of the page on which he confirms it."""
    read_mailbox(tmp_path, forwarded_email(address, "Eddie <eddie@larkhaven.example>"))
    return reverse("answers:incoming", kwargs={"pk": Incoming.objects.get().pk})


def test_command_counts_forwarded_emails(world: World, address: str, tmp_path: Path) -> None:
    output = read_mailbox(tmp_path, forwarded_email(address, "Eddie <eddie@larkhaven.example>"))

    assert "1 forwarded email" in output
    assert not Conversation.objects.exists()


def test_sender_can_read_a_forwarded_email(world: World, address: str, tmp_path: Path) -> None:
    page_url = forward_as_eddie(address, tmp_path)

    page = signed_in(world.eddie).get(page_url).content.decode()

    assert "The road is agreed." in page


@pytest.mark.parametrize("name", ["amina", "ben", "dee"])
def test_nobody_else_can_read_a_forwarded_email(world: World, address: str, tmp_path: Path, name: str) -> None:
    page_url = forward_as_eddie(address, tmp_path)

    response = signed_in(getattr(world, name)).get(page_url)

    assert response.status_code == 404


def test_forwarded_email_becomes_a_draft_conversation_when_its_sender_saves_it(
    world: World, address: str, tmp_path: Path
) -> None:
    page_url = forward_as_eddie(address, tmp_path)

    signed_in(world.eddie).post(
        page_url,
        {
            "organisation": world.larkhaven.pk,
            "subject": "The access road",
            "others": [world.westmarch.pk],
            "said": "The road is agreed.",
            "held_on": timezone.localdate().isoformat(),
        },
    )

    conversation = Conversation.objects.get()
    assert conversation.partnership == world.partnership
    assert conversation.status == "draft"
    assert conversation.organisation == world.larkhaven
    assert not Conversation.objects.visible_to(world.ben).exists()


@pytest.mark.parametrize("sender", ["vera@larkhaven.example", "chidi@tidewater.example", "nobody@elsewhere.example"])
def test_email_of_somebody_who_may_not_write_there_is_not_kept(
    world: World, address: str, tmp_path: Path, sender: str
) -> None:
    output = read_mailbox(tmp_path, forwarded_email(address, sender))

    assert "1 could not be used" in output
    assert not Incoming.objects.exists()


def test_address_that_was_not_confirmed_forwards_nothing(world: World, address: str, tmp_path: Path) -> None:
    EmailAddress.objects.filter(user=world.eddie).update(verified=False)

    read_mailbox(tmp_path, forwarded_email(address, "eddie@larkhaven.example"))

    assert not Incoming.objects.exists()


def test_address_of_one_partnership_is_not_valid_for_another(world: World, address: str, tmp_path: Path) -> None:
    other_address = re.sub(r"\+p-[0-9a-f]+", f"+p-{world.other_partnership.pk:x}", address)

    read_mailbox(tmp_path, forwarded_email(other_address, "chidi@tidewater.example"))

    assert not Incoming.objects.exists()


def test_sender_gets_an_email_at_their_own_address(world: World, address: str, tmp_path: Path) -> None:
    read_mailbox(tmp_path, forwarded_email(address, "eddie@larkhaven.example"))

    [confirm_email] = [email for email in deliver() if "conversation" in email.subject]
    assert confirm_email.to == [world.eddie.email]
    assert "The road is agreed." not in confirm_email.body


def test_page_of_a_forwarded_email_can_delete_it(world: World, address: str, tmp_path: Path) -> None:
    page_url = forward_as_eddie(address, tmp_path)

    page = signed_in(world.eddie).get(page_url).content.decode()

    assert "Delete email" in page


def test_email_to_the_sender_names_the_button_of_its_page(world: World, address: str, tmp_path: Path) -> None:
    forward_as_eddie(address, tmp_path)

    [confirm_email] = [email for email in deliver() if "conversation" in email.subject]
    text, html = parts(confirm_email)
    assert "choose “Delete email”" in text
    assert "choose “Delete email”" in html
    assert "You can save it within 30 days." in text
    assert "You can save it within 30 days." in html
