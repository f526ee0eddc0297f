"""Every email gets exactly one answer from a scripted mail server, whatever goes wrong."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from partnerships.outbox.answers import Answer, Outcome, Outgoing, refusal_outcome
from partnerships.outbox.smtp import SmtpSender
from tests.support.certificates import self_signed_certificate


class Script(threading.Thread):
    """A mail server that can drop a connection.

    It ends the connection once, in the middle of the message to `hang_up_on`.
    """

    def __init__(self, *, hang_up_on: str, certificate: Path | None = None, at_once: bool = False) -> None:
        super().__init__(daemon=True)
        self.at_once = at_once
        self.secrets: ssl.SSLContext | None = None
        if certificate is not None:
            self.secrets = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.secrets.load_cert_chain(certificate)
        self.hang_up_on = hang_up_on
        self.taken = []
        self.lines: list[bytes] = []
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]

    def run(self) -> None:
        while True:
            try:
                line, _ = self.door.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), line:
                if self.secrets is not None and self.at_once:
                    line = self.secrets.wrap_socket(line, server_side=True)
                line.sendall(b"220 here\r\n")
                while self.talk(line):
                    line = self.secrets.wrap_socket(line, server_side=True)
                line.close()

    def talk(self, line: socket.socket) -> bool:
        """Answer until the client or this server ends the connection; returns True if the client wants to start TLS."""
        address, in_data = "", False
        for command in line.makefile("rb"):
            if in_data:
                if self.hang_up_on == address:
                    self.hang_up_on = ""
                    return False
                self.lines.append(command)
                if command == b".\r\n":
                    in_data = False
                    self.taken.append(address)
                    line.sendall(b"250 taken\r\n")
                continue
            verb = command[:4].upper()
            if verb == b"EHLO":
                line.sendall(b"250-here\r\n250 STARTTLS\r\n")
            elif verb == b"STAR" and self.secrets is not None:
                line.sendall(b"220 go on\r\n")
                return True
            elif verb == b"QUIT":
                line.sendall(b"221 bye\r\n")
                return False
            elif verb == b"DATA":
                in_data = True
                line.sendall(b"354 go on\r\n")
            else:
                if verb == b"RCPT":
                    address = command.decode().partition("<")[2].partition(">")[0]
                line.sendall(b"250 ok\r\n")
        return False


@pytest.mark.parametrize("unlucky", [0, 1, 2, 3])
def test_a_lost_connection_skips_no_email(settings, unlucky):
    people = [f"person{number}@council.example" for number in range(4)]
    server = Script(hang_up_on=people[unlucky])
    server.start()
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = server.port
    office = SmtpSender()

    answers = list(office.send(Outgoing(key, "a@b.example", to, b"Hello\r\n") for key, to in enumerate(people)))
    office.close()
    server.door.close()

    assert [(answer.key, answer.outcome) for answer in answers] == [
        (key, Outcome.LATER if key == unlucky else Outcome.ACCEPTED) for key in range(4)
    ]
    assert [answer.key for answer in answers if answer.in_doubt] == [unlucky]  # the server may have accepted it
    assert server.taken == [person for key, person in enumerate(people) if key != unlucky]


def test_dots_at_the_start_of_lines_are_doubled(settings) -> None:
    server = Script(hang_up_on="")
    server.start()
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = server.port
    data = b".\r\nSubject: Dots\r\n\r\n.\r\n..two\r\nlast"

    office = SmtpSender()
    [answer] = office.send([Outgoing(1, "a@b.example", "c@d.example", data)])
    office.close()

    assert answer == Answer(1, Outcome.ACCEPTED)
    assert server.lines[-1] == b".\r\n"
    assert [line.removeprefix(b".") for line in server.lines[:-1]] == (data.rstrip() + b"\r\n").splitlines(
        keepends=True
    )


def test_emails_larger_than_the_socket_buffer_arrive_complete(settings):
    server = Script(hang_up_on="")
    server.start()
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = server.port
    settings.EMAIL_TIMEOUT = 30
    lines = [b"%08d %s\r\n" % (number, b"x" * 60) for number in range(100_000)]

    office = SmtpSender()
    answers = list(office.send(Outgoing(key, "a@b.example", "c@d.example", b"".join(lines)) for key in range(2)))
    office.close()

    assert answers == [Answer(0, Outcome.ACCEPTED), Answer(1, Outcome.ACCEPTED)]
    assert server.lines == [*lines, b".\r\n"] * 2


def test_all_emails_are_deferred_when_the_server_is_away(settings):
    with socket.create_server(("127.0.0.1", 0)) as door:
        settings.EMAIL_HOST = "127.0.0.1"
        settings.EMAIL_PORT = door.getsockname()[1]
    office = SmtpSender()

    answers: list[Answer] = list(office.send(Outgoing(key, "a@b.example", "c@d.example", b"x\r\n") for key in range(3)))

    assert [(answer.outcome, answer.reached) for answer in answers] == [(Outcome.LATER, False)] * 3


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (550, "5.1.1 <relay@council.example>: Recipient address rejected: User unknown"),
        (550, "5.1.10 RESOLVER.ADR.RecipientNotFound"),
        (550, "5.2.1 The email account that you tried to reach is disabled"),
        (550, "No such user here"),
        (553, "Mailbox name invalid"),
    ],
)
def test_an_unknown_mailbox_counts_as_no_such_address(code: int, said: str) -> None:
    assert refusal_outcome(code, f"{code} {said}", at_recipient=True) is Outcome.NO_SUCH_ADDRESS


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (554, "5.7.1 <ben@council.example>: Relay access denied"),
        (550, "5.7.1 Unable to relay"),
        (550, "relay not permitted"),
        (550, "5.1.1 relaying denied"),
        (530, "5.7.0 Must issue a STARTTLS command first"),
        (530, "5.7.1 Authentication required"),
        (535, "5.7.8 Username and password not accepted"),
        (550, "Authentication is required to send"),
        (553, "5.1.8 Sender address rejected: Domain not found"),
        (550, "5.1.7 Bad sender's mailbox address syntax"),
        (550, "5.7.60 SMTP; Client does not have permissions to send as this sender"),
        (550, "5.7.1 Service unavailable, client host [192.0.2.1] blocked using Spamhaus"),
    ],
)
def test_relay_and_authentication_refusals_are_retried(code: int, said: str) -> None:
    assert refusal_outcome(code, f"{code} {said}", at_recipient=True) is Outcome.LATER


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (550, "5.7.1 Message rejected by policy"),
        (550, "Rejected for policy reasons"),
        (550, "Access denied"),
        (552, "5.2.2 Mailbox full"),
        (550, "5.1.0 Address rejected"),
        (554, "Transaction failed"),
    ],
)
def test_other_refusals_concern_the_email_not_the_address(code: int, said: str) -> None:
    assert refusal_outcome(code, f"{code} {said}", at_recipient=True) is Outcome.REFUSED


# ---- Who the server is


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return the file of a certificate that the server signed itself."""
    return self_signed_certificate(tmp_path)


@pytest.fixture(params=["EMAIL_USE_SSL", "EMAIL_USE_TLS"])
def server_with_own_certificate(request: pytest.FixtureRequest, settings: Any, certificate: Path) -> Iterator[Script]:
    """Use a mail server with this certificate, with either kind of encryption."""
    server = Script(hang_up_on="", certificate=certificate, at_once=request.param == "EMAIL_USE_SSL")
    server.start()
    settings.EMAIL_HOST = "localhost"
    settings.EMAIL_PORT = server.port
    setattr(settings, request.param, True)
    settings.EMAIL_CA_FILE = ""
    settings.EMAIL_TLS_VERIFY = True
    yield server
    server.door.close()


def send_one() -> Answer:
    """Send one email, and return the answer of the server."""
    sender = SmtpSender()
    [answer] = sender.send([Outgoing(1, "a@b.example", "c@d.example", b"Hello\r\n")])
    sender.close()
    return answer


def test_no_email_goes_to_a_server_whose_certificate_is_not_trusted(server_with_own_certificate: Script) -> None:
    answer = send_one()

    assert answer.outcome is not Outcome.ACCEPTED
    assert not answer.reached
    assert "certificate verify failed" in answer.text
    assert not server_with_own_certificate.taken


def test_emails_go_to_a_server_whose_certificate_is_in_the_trusted_file(
    settings: Any, certificate: Path, server_with_own_certificate: Script
) -> None:
    settings.EMAIL_CA_FILE = str(certificate)

    answer = send_one()

    assert answer.outcome is Outcome.ACCEPTED


def test_emails_go_to_any_server_if_certificates_are_not_verified(
    settings: Any, server_with_own_certificate: Script
) -> None:
    settings.EMAIL_TLS_VERIFY = False

    answer = send_one()

    assert answer.outcome is Outcome.ACCEPTED
