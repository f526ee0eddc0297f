"""A fast SMTP server that stores only a list of the accepted emails, and can misbehave on request.

    python benchmarks/digests_sink.py --port 2626 --log taken.tsv [--fault end:lose:1:10 …]

A fault is STAGE:REPLY:TIMES:EVERY[:EXCEPT]. It affects every EVERY-th address (by a hash) outside the domain EXCEPT.
The first TIMES attempts get REPLY at STAGE (connect, mail, rcpt, data, middle or end). REPLY is an answer ("450 4.2.1
Busy") or one of these words:

* drop: close the connection
* hang: never answer
* slow: answer late
* lose: accept the email, and close the connection without an answer (only at the end)

For example, end:lose:1:10 loses the answer about the first email to each tenth address. The log has a line for each
accepted email with its time, Message-ID, address and size in bytes.
"""

from __future__ import annotations

import argparse
import re
import selectors
import signal
import socket
import struct
import time
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

_END = b"\r\n.\r\n"
_HEAD, _MAX_AT_ONCE = 4096, 64 * 1024
_ADDRESS = re.compile(rb"<([^>]*)>")


@dataclass(frozen=True)
class Fault:
    """A reply that some addresses get instead of the normal one, at a stage of SMTP and a number of times."""

    stage: str
    reply: str
    times: int
    every: int
    excepted: bytes = b""

    @classmethod
    def read(cls, text: str) -> Fault:
        """Return the fault that is written as STAGE:REPLY:TIMES:EVERY[:EXCEPT]."""
        stage, reply, times, every, *excepted = text.split(":")
        return cls(stage, reply, int(times), int(every), "".join(excepted).encode())

    def hits(self, address: bytes) -> bool:
        """Return whether the fault affects this address."""
        if self.excepted and address.endswith(self.excepted):
            return False
        return zlib.crc32(address) % self.every == 0


class Sink:
    """The state that all connections share: accepted emails, and how often each address had each fault."""

    def __init__(self, log: Path, *, faults: list[Fault]) -> None:
        self.file = log.open("ab", buffering=0)
        self.lines: list[bytes] = []
        self.faults = faults
        self.had: Counter[tuple[Fault, bytes]] = Counter()
        self.selector = selectors.DefaultSelector()

    def take(self, head: bytes, size: int, address: bytes) -> None:
        """Record an accepted email."""
        start = head.find(b"Message-ID: ")
        stop = head.find(b"\r\n", start)
        identifier = head[start + 12 : stop] if start >= 0 else b"?"
        self.lines.append(b"%.6f\t%b\t%b\t%d\n" % (time.time(), identifier, address, size))

    def flush(self) -> None:
        """Write recorded emails to the log."""
        if self.lines:
            lines, self.lines = self.lines, []
            self.file.write(b"".join(lines))

    def fault(self, stage: str, address: bytes) -> str:
        """Return the reply of a fault that applies now, or "" if there is none."""
        for fault in self.faults:
            if fault.stage == stage and fault.hits(address) and self.had[fault, address] < fault.times:
                self.had[fault, address] += 1
                return fault.reply
        return ""


class Session:
    """One SMTP connection."""

    def __init__(self, sink: Sink, line: socket.socket) -> None:
        self.sink = sink
        self.line = line
        self.buffer = bytearray()
        self.in_data = False
        self.is_over = False
        self.address = b""
        self.has_sender = False
        self.good = False
        self.searched = 0
        self.silent = False
        self.answers: list[bytes] = []
        sink.selector.register(line, selectors.EVENT_READ, self)
        if not self.wrong("connect"):
            self.say(b"220 sink ESMTP\r\n")
        self.flush()

    def close(self, *, at_once: bool = False) -> None:
        """Close the connection. With `at_once`, reset it, so that unread answers are lost."""
        if not self.is_over:
            self.is_over = True
            if at_once:
                self.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.sink.selector.unregister(self.line)
            self.line.close()

    def say(self, answer: bytes) -> None:
        """Queue an answer, unless the session hangs."""
        if not self.silent:
            self.answers.append(answer)

    def flush(self) -> None:
        """Send the queued answers."""
        if self.answers and not self.is_over:
            try:
                self.line.sendall(b"".join(self.answers))
            except OSError:
                self.close()
        self.answers.clear()

    def wrong(self, stage: str) -> bool:
        """Apply the fault of this stage, and return whether it replaces the normal answer."""
        reply = self.sink.fault(stage, self.address) if self.sink.faults else ""
        if not reply:
            return False
        if reply == "drop":
            self.close(at_once=True)
        elif reply == "hang":
            self.silent = True
        elif reply == "slow":
            time.sleep(0.05)
            return False
        else:
            self.say(reply.encode() + b"\r\n")
            if reply.startswith("421"):
                self.flush()
                self.close()
        return True

    def read(self, place: memoryview) -> None:
        """Read and process the data that has arrived. `place` is a buffer that all sessions share."""
        try:
            count = self.line.recv_into(place)
        except OSError:
            count = 0
        if not count:
            self.close()
            return
        self.buffer += place[:count]
        self.read_all()
        self.flush()

    def read_all(self) -> None:
        """Process complete commands and emails in the buffer."""
        while self.buffer and not self.is_over:
            if self.in_data:
                if not self.read_message():
                    return
            else:
                end = self.buffer.find(b"\r\n")
                if end < 0:
                    return
                line = bytes(self.buffer[:end])
                del self.buffer[: end + 2]
                self.command(line)

    def read_message(self) -> bool:
        """Accept an email if all of it has arrived, and return whether it has."""
        if self.sink.faults and len(self.buffer) > 2000 and self.wrong("middle"):
            return False
        # The end of the email is searched for from the end of the buffer. Only commands can follow, because the client
        # waits for our answer before it sends the next email.
        end = 0 if self.buffer.startswith(b".\r\n") else self.buffer.rfind(_END, max(self.searched - 4, 0))
        if end < 0:
            self.searched = len(self.buffer)
            return False
        head = bytes(self.buffer[: min(end, _HEAD)])
        del self.buffer[: end + (3 if not end else 5)]
        self.in_data, self.searched = False, 0
        reply = self.sink.fault("end", self.address) if self.sink.faults else ""
        if reply == "lose":
            self.sink.take(head, end, self.address)
            self.close(at_once=True)
        elif reply == "drop":
            self.close(at_once=True)
        elif reply == "hang":
            self.silent = True
        elif reply and reply != "slow":
            self.say(reply.encode() + b"\r\n")
        elif not (self.good and end):
            self.say(b"554 5.5.1 No valid recipients\r\n")
        else:
            if reply == "slow":
                time.sleep(0.05)
            self.sink.take(head, end, self.address)
            self.say(b"250 2.0.0 Taken\r\n")
        return True

    def command(self, line: bytes) -> None:
        """Answer one command."""
        verb = line[:4].upper()
        if verb == b"EHLO":
            self.say(b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n")
        elif verb == b"MAIL":
            self.has_sender, self.good = False, False
            if not self.wrong("mail"):
                self.has_sender = True
                self.say(b"250 2.1.0 Ok\r\n")
        elif verb == b"RCPT":
            match = _ADDRESS.search(line)
            self.address = match[1] if match else b""
            if not self.has_sender:
                self.say(b"503 5.5.1 From whom?\r\n")
            elif not self.wrong("rcpt"):
                self.good = True
                self.say(b"250 2.1.5 Ok\r\n")
        elif verb == b"DATA":
            if not self.good:
                self.say(b"503 5.5.1 Nobody to send it to\r\n")
            elif not self.wrong("data"):
                self.in_data = True
                self.say(b"354 Go on\r\n")
        elif verb == b"QUIT":
            self.say(b"221 2.0.0 Bye\r\n")
            self.flush()
            self.close()
        elif verb in (b"HELO", b"RSET", b"NOOP"):
            self.say(b"250 2.0.0 Ok\r\n")
        else:
            self.say(b"502 5.5.1 Not here\r\n")


def serve(sink: Sink, port: int, address: str) -> None:
    """Serve until a signal stops the process."""
    stopped: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: stopped.append(number))
    listener = socket.create_server((address, port), backlog=200)
    sink.selector.register(listener, selectors.EVENT_READ, None)
    buffer = memoryview(bytearray(_MAX_AT_ONCE))
    written = time.monotonic()
    while not stopped:
        for key, _ in sink.selector.select(0.05):
            if key.data is not None:
                key.data.read(buffer)
                continue
            line, _ = listener.accept()
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Session(sink, line)
        if time.monotonic() - written > 0.05:
            sink.flush()
            written = time.monotonic()
    sink.flush()


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(description="An SMTP server that stores only a list of what it accepted.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--address", default="127.0.0.1", help="0.0.0.0 also for other hosts")
    parser.add_argument("--fault", action="append", default=[])
    options = parser.parse_args()
    faults = [Fault.read(text) for text in options.fault]
    serve(Sink(options.log, faults=faults), options.port, options.address)


if __name__ == "__main__":
    main()
