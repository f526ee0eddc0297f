"""Reply addresses are made for one email and its recipient, and are checked."""

from __future__ import annotations

from typing import Any

import pytest

from partnerships.outbox.reply_addresses import is_reply_to, make_address, reply_address, tokens_in


@pytest.fixture(autouse=True)
def mailbox_for_replies(settings: Any) -> None:
    settings.EMAIL_REPLIES = "replies@ground.example"


def test_address_is_valid_for_its_email_and_recipient_only() -> None:
    email_id, recipient_id = 4_711, 12

    [(use, number, signature)] = tokens_in([reply_address(email_id, recipient_id, key="secret")])

    assert use == "r"
    assert number == 4_711
    assert is_reply_to(4_711, 12, signature, key="secret")
    assert not is_reply_to(4_711, 13, signature, key="secret")
    assert not is_reply_to(4_712, 12, signature, key="secret")
    assert not is_reply_to(4_711, 12, signature, key="another")


def test_address_survives_servers_that_change_its_case() -> None:
    [(_, number, signature)] = tokens_in([reply_address(4_711, 12).upper()])

    assert is_reply_to(number, 12, signature)


def test_address_stays_valid_while_its_secret_key_is_a_fallback(settings: Any) -> None:
    [(_, number, signature)] = tokens_in([reply_address(4_711, 12)])
    old_key, settings.SECRET_KEY = settings.SECRET_KEY, "another-secret-key"
    is_valid_without_fallback = is_reply_to(number, 12, signature)
    settings.SECRET_KEY_FALLBACKS = [old_key]

    assert not is_valid_without_fallback
    assert is_reply_to(number, 12, signature)


def test_address_fits_the_limits_of_email_with_the_highest_numbers() -> None:
    name, _, _ = reply_address(2**52, 2**40).partition("@")

    assert len(name) <= 64  # RFC 5321, 4.5.3.1.1


def test_no_address_is_made_without_a_mailbox(settings: Any) -> None:
    settings.EMAIL_REPLIES = "none"

    assert reply_address(4_711, 12) == ""
    assert make_address("p", 1, key="") == ""


def test_no_token_is_found_in_other_addresses() -> None:
    assert tokens_in(["replies@ground.example", "replies+news@ground.example", "", "+r-zz.@x"]) == []
