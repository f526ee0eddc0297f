"""A mail server may refuse, or be slow, at each stage of the dialogue, and each email gets its answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from partnerships.outbox.answers import Answer, Outcome, Outgoing
from partnerships.outbox.smtp import SmtpSender
from tests.outbox.mail_server import MailServer, mail_server
from tests.outbox.test_slow_mail_servers import quick

__all__ = ["quick"]  # the fixture with short timeouts

MESSAGE = b"Message-ID: <1@ground.example>\r\n\r\nHello\r\n"
PLAIN = b"250 here\r\n"


@pytest.fixture(params=["pipelining", "plain"])
def server(request: pytest.FixtureRequest, settings: Any) -> Iterator[MailServer]:
    """Provide a server with and without pipelining."""
    with mail_server({}) as running:
        if request.param == "plain":
            running.replies["EHLO"] = PLAIN
        settings.EMAIL_PORT = running.port
        yield running


def send(*people: str, usual_from: int = 1, server: MailServer | None = None) -> list[Answer]:
    """Send an email to each person. From the number `usual_from` on, the server replies as usual."""
    sender = SmtpSender()

    def emails() -> Iterator[Outgoing]:
        for number, person in enumerate(people):
            if number == usual_from and server is not None:
                server.replies = {"EHLO": server.replies["EHLO"], "DATA": b"354 go on\r\n"}
            yield Outgoing(number, "digests@ground.example", person, MESSAGE)

    answers = list(sender.send(emails()))
    sender.close()
    return answers


@pytest.mark.parametrize(
    ("replies", "outcome"),
    [
        ({"MAIL": b"451 4.3.0 later\r\n", "RCPT": b"503 5.5.1 no\r\n", "DATA": b"503 5.5.1 no\r\n"}, Outcome.LATER),
        ({"RCPT": b"550 5.1.1 unknown\r\n", "DATA": b"503 5.5.1 no\r\n"}, Outcome.NO_SUCH_ADDRESS),
        ({"RCPT": b"550 5.1.1 unknown\r\n", "DATA": b"554 5.5.1 none\r\n"}, Outcome.NO_SUCH_ADDRESS),
        ({"RCPT": b"452 4.2.2 full\r\n", "DATA": b"503 5.5.1 no\r\n"}, Outcome.LATER),
        ({"DATA": b"552 5.3.4 too large\r\n"}, Outcome.REFUSED),
    ],
)
def test_first_refusal_of_an_envelope_is_its_answer(
    server: MailServer, replies: dict[str, bytes], outcome: Outcome
) -> None:
    server.replies |= replies

    refused, accepted = send("ben@council.example", "amina@homes.example", server=server)

    assert refused.outcome == outcome
    assert refused.reached
    assert not refused.in_doubt
    assert accepted.outcome is Outcome.ACCEPTED
    assert server.received == {"amina@homes.example": 1}
    assert server.commands.count("EHLO") <= 1  # the connection is used again


def test_data_accepted_without_a_recipient_is_ended(settings: Any) -> None:
    with mail_server({}) as server:
        settings.EMAIL_PORT = server.port
        server.replies |= {"RCPT": b"550 5.1.1 unknown\r\n", ".": b"554 5.5.1 no valid recipients\r\n"}

        refused, accepted = send("ben@council.example", "amina@homes.example", server=server)

    assert refused.outcome == Outcome.NO_SUCH_ADDRESS
    assert refused.text == "550 5.1.1 unknown"
    assert accepted.outcome is Outcome.ACCEPTED
    assert server.received == {"amina@homes.example": 1}
    assert [command.split()[0].upper() for command in server.commands][1:6] == ["MAIL", "RCPT", "DATA", ".", "RSET"]


def test_data_accepted_without_a_sender_ends_the_connection(settings: Any) -> None:
    with mail_server({}) as server:
        settings.EMAIL_PORT = server.port
        server.replies["MAIL"] = b"550 5.7.1 not you\r\n"

        [answer] = send("ben@council.example")

    assert answer.outcome == Outcome.LATER
    assert not answer.in_doubt
    assert "550 5.7.1 not you" in answer.text
    assert "." not in server.commands  # it might reach the recipient


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DATA"])
def test_server_that_closes_leaves_an_email_for_later(server: MailServer, word: str) -> None:
    server.replies[word] = b"421 4.3.2 closing\r\n"

    deferred, accepted = send("ben@council.example", "amina@homes.example", server=server)

    assert deferred.outcome == Outcome.LATER
    assert not deferred.in_doubt
    assert "421 4.3.2 closing" in deferred.text
    assert accepted.outcome is Outcome.ACCEPTED
    assert server.received == {"amina@homes.example": 1}


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DATA"])
def test_reply_out_of_turn_ends_the_connection(server: MailServer, word: str) -> None:
    server.replies[word] = b"220 what?\r\n"

    deferred, accepted = send("ben@council.example", "amina@homes.example", server=server)

    assert deferred.outcome == Outcome.LATER
    assert not deferred.in_doubt
    assert accepted.outcome is Outcome.ACCEPTED


def test_envelope_is_sent_together_if_the_server_offers_it(server: MailServer) -> None:
    server.pause = 0.2  # seconds before each reply
    is_together = server.replies["EHLO"] != PLAIN
    server.replies["RCPT"] = b"550 5.1.1 unknown\r\n"
    server.replies["DATA"] = b"503 5.5.1 no\r\n"

    send("ben@council.example")

    assert ("DATA" in server.commands) == is_together


def test_lines_of_a_reply_share_one_deadline(server: MailServer) -> None:
    server.drips = 0.3  # the timeout is a second for each reply; if it were for each byte, the email would be accepted

    [answer] = send("ben@council.example")

    assert answer.outcome == Outcome.LATER
    assert not answer.in_doubt
