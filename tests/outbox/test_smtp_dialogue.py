"""A mail server may refuse, or be slow, at each stage of the dialogue, and each email gets its answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from partnerships.outbox.answers import Answer, Outcome, Outgoing
from partnerships.outbox.smtp import SmtpSender
from tests.outbox.mail_server import MailServer

pytestmark = pytest.mark.usefixtures("short_timeouts")

MESSAGE = b"Message-ID: <1@ground.example>\r\n\r\nHello\r\n"
#: A reply to EHLO that offers no pipelining.
PLAIN_EHLO = b"250 here\r\n"


@pytest.fixture(params=["pipelining", "plain"])
def pipelining_or_plain(request: pytest.FixtureRequest, server: MailServer) -> MailServer:
    """Return a server with pipelining, and one without."""
    if request.param == "plain":
        server.replies["EHLO"] = PLAIN_EHLO
    return server


def send_to_ben() -> Answer:
    """Send one email, and return the answer of the server."""
    sender = SmtpSender()
    [answer] = sender.send([Outgoing(0, "digests@ground.example", "ben@council.example", MESSAGE)])
    sender.close()
    return answer


def send_to_ben_then_amina(server: MailServer) -> tuple[Answer, Answer]:
    """Send two emails by one connection if it stays open, and return the answers. The server accepts the second."""

    def emails() -> Iterator[Outgoing]:
        yield Outgoing(0, "digests@ground.example", "ben@council.example", MESSAGE)
        server.replies = {"EHLO": server.replies["EHLO"], "DATA": b"354 go on\r\n"}
        yield Outgoing(1, "digests@ground.example", "amina@homes.example", MESSAGE)

    sender = SmtpSender()
    answer_for_ben, answer_for_amina = sender.send(emails())
    sender.close()
    return answer_for_ben, answer_for_amina


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
    pipelining_or_plain: MailServer, replies: dict[str, bytes], outcome: Outcome
) -> None:
    server = pipelining_or_plain
    server.replies |= replies

    refused, accepted = send_to_ben_then_amina(server)

    assert refused.outcome == outcome
    assert refused.reached
    assert not refused.in_doubt
    assert accepted.outcome is Outcome.ACCEPTED
    assert server.received == {"amina@homes.example": 1}
    assert server.commands.count("EHLO") <= 1  # the connection is used again


def test_data_accepted_without_a_recipient_is_ended(server: MailServer) -> None:
    server.replies |= {"RCPT": b"550 5.1.1 unknown\r\n", ".": b"554 5.5.1 no valid recipients\r\n"}

    refused, accepted = send_to_ben_then_amina(server)

    assert refused.outcome == Outcome.NO_SUCH_ADDRESS
    assert refused.text == "550 5.1.1 unknown"
    assert accepted.outcome is Outcome.ACCEPTED
    assert server.received == {"amina@homes.example": 1}
    assert [command.split()[0].upper() for command in server.commands][1:6] == ["MAIL", "RCPT", "DATA", ".", "RSET"]


def test_data_accepted_without_a_sender_ends_the_connection(server: MailServer) -> None:
    server.replies["MAIL"] = b"550 5.7.1 not you\r\n"

    answer = send_to_ben()

    assert answer.outcome == Outcome.LATER
    assert not answer.in_doubt
    assert "550 5.7.1 not you" in answer.text
    assert "." not in server.commands  # it might reach the recipient


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_server_that_closes_leaves_an_email_for_later(pipelining_or_plain: MailServer, command: str) -> None:
    server = pipelining_or_plain
    server.replies[command] = b"421 4.3.2 closing\r\n"

    deferred, accepted = send_to_ben_then_amina(server)

    assert deferred.outcome == Outcome.LATER
    assert not deferred.in_doubt
    assert "421 4.3.2 closing" in deferred.text
    assert accepted.outcome is Outcome.ACCEPTED
    assert server.received == {"amina@homes.example": 1}


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_reply_out_of_turn_ends_the_connection(pipelining_or_plain: MailServer, command: str) -> None:
    server = pipelining_or_plain
    server.replies[command] = b"220 what?\r\n"

    deferred, accepted = send_to_ben_then_amina(server)

    assert deferred.outcome == Outcome.LATER
    assert not deferred.in_doubt
    assert accepted.outcome is Outcome.ACCEPTED


def test_server_with_pipelining_gets_data_before_it_answers_the_recipient(server: MailServer) -> None:
    server.pause = 0.2
    server.replies["RCPT"] = b"550 5.1.1 unknown\r\n"
    server.replies["DATA"] = b"503 5.5.1 no\r\n"

    send_to_ben()

    assert "DATA" in server.commands


def test_server_without_pipelining_gets_no_data_for_a_refused_recipient(server: MailServer) -> None:
    server.pause = 0.2
    server.replies["EHLO"] = PLAIN_EHLO
    server.replies["RCPT"] = b"550 5.1.1 unknown\r\n"

    send_to_ben()

    assert "DATA" not in server.commands


def test_bytes_of_a_reply_share_one_deadline(pipelining_or_plain: MailServer) -> None:
    # The timeout is a second for each reply. If it were for each byte, the email would be accepted.
    pipelining_or_plain.pause_before_byte = 0.3

    answer = send_to_ben()

    assert answer.outcome == Outcome.LATER
    assert not answer.in_doubt
