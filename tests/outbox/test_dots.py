"""Lines that begin with a dot are doubled for the mail server, however a message is put together."""

from __future__ import annotations

import pytest

from partnerships.outbox.leases import ClaimedEmail
from partnerships.outbox.restoring import JournalFacts

FACTS = JournalFacts(1, "tests.notice", 1, "a@b.example", {}, ())


@pytest.mark.parametrize(
    ("template", "words"),
    [
        (b"Hello %b\r\n.\r\n", (b"Ben",)),
        (b".Hello %b", (b"Ben",)),
        (b"Hello\r\n%b", (b".net",)),
        (b"Hello %b\r\n", (b"Ben\r\n.",)),
        (b"Hello %b.\r\n", (b"Ben\r\n",)),
        (b"%b", (b"Hello\r\n.\r\n",)),
    ],
)
def test_message_with_a_dot_at_the_start_of_a_line_is_searched(template: bytes, words: tuple[bytes, ...]) -> None:
    claimed = ClaimedEmail(1, 1, "a@b.example", template, words, FACTS)

    assert not claimed.has_no_dots


def test_message_without_such_a_line_is_not_searched() -> None:
    claimed = ClaimedEmail(1, 1, "a@b.example", b"Hello %b, how are you?\r\n", (b"Ben.",), FACTS)

    assert claimed.has_no_dots
