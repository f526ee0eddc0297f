"""A real SMTP server in a thread, which misbehaves as each test decides."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator


class MailServer(threading.Thread):
    """Accepts mail on 127.0.0.1. `behaviours` says by address how it treats an email instead of accepting it.

    - `deaf`: never answers RCPT
    - `crawl:SECONDS`: waits this long after each 64 KB of the message
    - `stop:BYTES`: stops reading the message after this many bytes
    - `slow:SECONDS`: accepts the message late
    - `later:SECONDS`: asks late for a retry
    - `held`: accepts the message once `released` is set
    - `hang`: never answers after the message
    - `drop`: closes the connection after the message
    """

    #: The TLS context that wraps each connection, if any.
    tls: ssl.SSLContext | None = None
    #: Seconds before each reply to a command.
    pause = 0.0
    #: Seconds before each byte of a reply.
    pause_before_byte = 0.0

    def __init__(self, behaviours: dict[str, str]) -> None:
        super().__init__(daemon=True)
        self.behaviours = behaviours
        #: The replies to commands, and to the end of an empty email ("."). All others get "250 fine". After 421 the
        #: server closes the connection.
        self.replies = {"EHLO": b"250-here\r\n250 PIPELINING\r\n", "DATA": b"354 go on\r\n"}
        #: Every command received.
        self.commands: list[str] = []
        #: How often each address received the whole message.
        self.received: Counter[str] = Counter()
        #: Set while a client waits for an answer that never arrives, or not before `released`.
        self.asked = threading.Event()
        self.released = threading.Event()
        #: The different Message-ID lines that each address received.
        self.message_ids: dict[str, set[str]] = {}
        self._door = socket.create_server(("127.0.0.1", 0))
        self._door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)  # otherwise the system buffers megabytes
        self._closing = threading.Event()
        self.port: int = self._door.getsockname()[1]

    def run(self) -> None:
        """Serve each connection in its own thread."""
        while True:
            try:
                connection, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def close(self) -> None:
        """Accept no more connections, and end the connections that hang."""
        self._closing.set()
        self.released.set()
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _serve(self, connection: socket.socket) -> None:
        if self.tls is not None:
            connection = self.tls.wrap_socket(connection, server_side=True)
        with contextlib.suppress(OSError), connection:
            time.sleep(self.pause)
            connection.sendall(b"220 here\r\n")
            address = ""
            message = bytearray()
            in_data = False
            for line in connection.makefile("rb"):
                if in_data and line != b".\r\n":
                    message += line
                    if not self._keeps_reading(address, len(message) - len(line), len(message)):
                        return
                    continue
                command = "." if in_data else line[:4].decode().strip().upper()
                self.commands.append(line.decode().strip())
                if in_data and message:
                    in_data = False
                    if not self._answer_message(connection, address, bytes(message)):
                        return
                    continue
                time.sleep(self.pause)
                if command == "QUIT":
                    return
                if command == "RCPT":
                    address = line.decode().partition("<")[2].partition(">")[0]
                    if self.behaviours.get(address) == "deaf":
                        self.asked.set()
                        self._closing.wait(60)
                        return
                reply = self.replies.get(command, b"250 fine\r\n")
                in_data = reply.startswith(b"354")
                message = bytearray()
                self._send(connection, reply)
                if reply.startswith(b"421"):
                    return

    def _keeps_reading(self, address: str, size_before: int, size: int) -> bool:
        """Wait if `crawl` requires it after a line of the message, and return False if `stop` ends the reading."""
        behaviour, _, number = self.behaviours.get(address, "").partition(":")
        if behaviour == "crawl" and size_before // 65_536 < size // 65_536:
            self._closing.wait(float(number))
        if behaviour == "stop" and size > int(number):
            self.asked.set()
            self._closing.wait(60)
            return False
        return True

    def _send(self, connection: socket.socket, reply: bytes) -> None:
        step = 1 if self.pause_before_byte else len(reply)
        for start in range(0, len(reply), step):
            time.sleep(self.pause_before_byte)
            connection.sendall(reply[start : start + step])

    def _answer_message(self, connection: socket.socket, address: str, message: bytes) -> bool:
        """Answer at the end of a message, and return True if the connection continues."""
        self.received[address] += 1
        message_id_line = next(line for line in message.decode().splitlines() if line.startswith("Message-ID: "))
        self.message_ids.setdefault(address, set()).add(message_id_line)
        behaviour, _, seconds = self.behaviours.get(address, "").partition(":")
        if behaviour == "drop":
            return False
        if behaviour == "hang":
            self.asked.set()
            self._closing.wait(60)
            return False
        if behaviour == "held":
            self.asked.set()
            self.released.wait(60)
            if self._closing.is_set():
                return False
        if behaviour in ("slow", "later"):
            time.sleep(float(seconds))
        if behaviour == "later":
            connection.sendall(b"451 4.3.0 not now\r\n")
            return True
        connection.sendall(b"250 taken\r\n")
        return True


@contextlib.contextmanager
def mail_server(behaviours: dict[str, str]) -> Iterator[MailServer]:
    """Run a mail server until the end of the block."""
    server = MailServer(behaviours)
    server.start()
    try:
        yield server
    finally:
        server.close()
