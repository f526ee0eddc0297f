"""The SMTP dialogue, with a server that answers by script: every letter is answered once, whatever goes wrong."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from partnerships.kit.mail import Answer, Outcome, Outgoing, SmtpPost


class Script(threading.Thread):
    """A mail server that pipelines, and hangs up in the middle of the first message it is told to."""

    def __init__(self, *, hang_up_on: str) -> None:
        super().__init__(daemon=True)
        self.hang_up_on, self.taken = hang_up_on, []
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]

    def run(self) -> None:
        while True:
            try:
                line, _ = self.door.accept()
            except OSError:
                return
            with line, line.makefile("rb") as heard:
                self.talk(line, heard)

    def talk(self, line: socket.socket, heard: Iterator[bytes]) -> None:
        line.sendall(b"220 here\r\n")
        address, in_data = "", False
        for said in heard:
            if in_data:
                if self.hang_up_on == address:
                    self.hang_up_on = ""
                    return
                if said == b".\r\n":
                    in_data = False
                    self.taken.append(address)
                    line.sendall(b"250 taken\r\n")
                continue
            verb = said[:4].upper()
            if verb == b"EHLO":
                line.sendall(b"250-here\r\n250 PIPELINING\r\n")
            elif verb == b"QUIT":
                line.sendall(b"221 bye\r\n")
                return
            elif verb == b"DATA":
                in_data = True
                line.sendall(b"354 go on\r\n")
            else:
                if verb == b"RCPT":
                    address = said.decode().partition("<")[2].partition(">")[0]
                line.sendall(b"250 ok\r\n")


@pytest.mark.parametrize("unlucky", [0, 1, 2, 3])
def test_a_lost_connection_skips_nobody(settings, unlucky):
    people = [f"person{number}@council.example" for number in range(4)]
    server = Script(hang_up_on=people[unlucky])
    server.start()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    office = SmtpPost()

    answers = list(office.send(Outgoing(key, "a@b.example", to, b"Hello\r\n") for key, to in enumerate(people)))
    office.close()
    server.door.close()

    assert [(one.key, one.outcome) for one in answers] == [
        (key, Outcome.LATER if key == unlucky else Outcome.TAKEN) for key in range(4)
    ]
    assert server.taken == [person for key, person in enumerate(people) if key != unlucky]


def test_a_server_that_is_away_answers_later_for_everybody(settings):
    with socket.create_server(("127.0.0.1", 0)) as door:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", door.getsockname()[1]
    office = SmtpPost()

    answers: list[Answer] = list(office.send(Outgoing(key, "a@b.example", "c@d.example", b"x\r\n") for key in range(3)))

    assert [one.outcome for one in answers] == [Outcome.LATER] * 3
