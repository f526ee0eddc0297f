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
    message["From"], message["To"], message["Subject"] = sender, to, "Fwd: The access road"
    message["Message-ID"] = f"<{abs(hash((to, sender)))}@larkhaven.example>"
    message.set_content("See below.\n\n---------- Forwarded message ---------\nFrom: Ben\n\nThe road is agreed.\n")
    return message


@pytest.fixture
def address(world: World) -> str:
    """Return the address of the Estuary Partnership."""
    return address_on_page(world.eddie, world)


def test_address_is_shown_to_the_partnerships_editors_only(world: World) -> None:
    is_shown_by_person = {
        name: bool(address_on_page(getattr(world, name), world)) for name in ("amina", "eddie", "vera", "ben")
    }

    assert is_shown_by_person == {"amina": True, "eddie": True, "vera": False, "ben": True}


def forward_as_eddie(address: str, tmp_path: Path) -> str:
    """Forward an email from Eddie to the partnership, and return the path of the page on which he confirms it."""
    output = read_mailbox(tmp_path, forwarded_email(address, "Eddie <eddie@larkhaven.example>"))
    assert "1 forwarded email" in output
    return reverse("answers:incoming", kwargs={"pk": Incoming.objects.get().pk})


def test_only_its_sender_can_read_a_forwarded_email(world: World, address: str, tmp_path: Path) -> None:
    page_url = forward_as_eddie(address, tmp_path)

    page_for_eddie = signed_in(world.eddie).get(page_url).content.decode()
    statuses_of_others = [signed_in(person).get(page_url).status_code for person in (world.amina, world.ben, world.dee)]

    assert "The road is agreed." in page_for_eddie
    assert statuses_of_others == [404, 404, 404]
    assert not Conversation.objects.exists()


def test_forwarded_email_becomes_a_draft_conversation_when_its_sender_saves_it(
    world: World, address: str, tmp_path: Path
) -> None:
    page_url = forward_as_eddie(address, tmp_path)

    response = signed_in(world.eddie).post(
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
    assert response.status_code == 302
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


def test_email_to_the_sender_names_the_button_of_its_page(world: World, address: str, tmp_path: Path) -> None:
    page_url = forward_as_eddie(address, tmp_path)

    [confirm_email] = [email for email in deliver() if "conversation" in email.subject]
    page = signed_in(world.eddie).get(page_url).content.decode()

    assert "Delete email" in page
    for part in parts(confirm_email):
        assert "choose “Delete email”" in part
        assert "You can save it within 30 days." in part
