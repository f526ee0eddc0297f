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
    """Accepts mail on 127.0.0.1. `at_the_end` has, by address, what the server does after DATA.

    After the message was received, `slow:SECONDS` answers late, `held` answers once `released` is set, `later:SECONDS`
    asks late for a retry, `hang` never answers, and `drop` closes the connection. `deaf` never answers RCPT.
    `crawl:SECONDS` waits this long after each 64 KB of the message, and `stop:BYTES` reads no more after these.
    """

    #: The TLS context that wraps each connection, if any.
    tls: ssl.SSLContext | None = None

    #: Seconds before each reply to a command.
    pause = 0.0
    #: Seconds before each byte of a reply.
    drips = 0.0

    def __init__(self, at_the_end: dict[str, str]) -> None:
        super().__init__(daemon=True)
        self.at_the_end = at_the_end
        #: The replies to commands, and to the end of an empty email (".") other than "250 fine". 421 ends the
        #: connection.
        self.replies = {"EHLO": b"250-here\r\n250 PIPELINING\r\n", "DATA": b"354 go on\r\n"}
        #: Every command received.
        self.commands: list[str] = []
        #: How often each address received the whole message.
        self.received: Counter[str] = Counter()
        #: Set while a client waits for an answer that never arrives, or not before `released`.
        self.asked = threading.Event()
        self.released = threading.Event()
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
                    if not self._reads_on(address, len(message) - len(line), len(message)):
                        return
                    continue
                word = "." if in_data else line[:4].decode().strip().upper()
                self.commands.append(line.decode().strip())
                if in_data and message:
                    in_data = False
                    if not self._end(connection, address, bytes(message)):
                        return
                    continue
                time.sleep(self.pause)
                if word == "QUIT":
                    return
                if word == "RCPT":
                    address = line.decode().partition("<")[2].partition(">")[0]
                    if self.at_the_end.get(address) == "deaf":
                        self.asked.set()
                        self._closing.wait(60)
                        return
                reply = self.replies.get(word, b"250 fine\r\n")
                in_data = reply.startswith(b"354")
                message = bytearray()
                self._say(connection, reply)
                if reply.startswith(b"421"):
                    return

    def _reads_on(self, address: str, before: int, after: int) -> bool:
        """Return True if more of a message is to be read, after waiting if the address requires it."""
        what, _, number = self.at_the_end.get(address, "").partition(":")
        if what == "crawl" and before // 65_536 < after // 65_536:
            self._closing.wait(float(number))
        if what == "stop" and after > int(number):
            self.asked.set()
            self._closing.wait(60)
            return False
        return True

    def _say(self, connection: socket.socket, reply: bytes) -> None:
        step = 1 if self.drips else len(reply)
        for start in range(0, len(reply), step):
            time.sleep(self.drips)
            connection.sendall(reply[start : start + step])

    def _end(self, connection: socket.socket, address: str, message: bytes) -> bool:
        """Act at the end of a message, and return True if the connection continues."""
        self.received[address] += 1
        message_id_line = next(line for line in message.decode().splitlines() if line.startswith("Message-ID: "))
        self.message_ids.setdefault(address, set()).add(message_id_line)
        what, _, seconds = self.at_the_end.get(address, "").partition(":")
        if what == "drop":
            return False
        if what == "hang":
            self.asked.set()
            self._closing.wait(60)
            return False
        if what == "held":
            self.asked.set()
            self.released.wait(60)
            if self._closing.is_set():
                return False
        if what in ("slow", "later"):
            time.sleep(float(seconds))
        if what == "later":
            connection.sendall(b"451 4.3.0 not now\r\n")
            return True
        connection.sendall(b"250 taken\r\n")
        return True


@contextlib.contextmanager
def mail_server(at_the_end: dict[str, str]) -> Iterator[MailServer]:
    """Run a server until the end of the block."""
    server = MailServer(at_the_end)
    server.start()
    try:
        yield server
    finally:
        server.close()
