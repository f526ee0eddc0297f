"""A provider that takes emails by HTTP, and misbehaves as each test decides."""

from __future__ import annotations

import json
import time
from collections import Counter
from email.utils import parseaddr
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Provider(ThreadingHTTPServer):
    """A provider that answers as Postmark does.

    `behaviours` says by address how it answers instead of "200 OK":

    - a number: with this HTTP status
    - `slow`: after a second and a half
    - `hang`: after six seconds, when the client has given up
    - `stall`: with headers alone
    - `drip`: with the first twenty bytes of the body, each in time
    - `drop`: not at all; it closes the connection
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), PostmarkHandler)
        self.behaviours: dict[str, Any] = {}
        #: How often each address received an email.
        self.received: Counter[str] = Counter()


class PostmarkHandler(BaseHTTPRequestHandler):
    """Handles one message."""

    server: Provider

    def do_POST(self) -> None:
        """Read the message, and answer as the test decides."""
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        address = parseaddr(message["To"])[1]
        self.server.received[address] += 1
        behaviour = self.server.behaviours.get(address, 200)
        if behaviour == "drop":
            self.close_connection = True
            return
        if behaviour in ("slow", "hang"):
            time.sleep(1.5 if behaviour == "slow" else 6)
        status = behaviour if isinstance(behaviour, int) else 200
        code = 0 if status == 200 else 300
        answer = {"ErrorCode": code, "Message": "OK", "MessageID": f"number-{address}", "To": message["To"]}
        body = json.dumps(answer).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if behaviour == "stall":
                self.wfile.flush()
                time.sleep(6)
                return
            if behaviour == "drip":
                for byte in body[:20]:
                    self.wfile.write(bytes([byte]))
                    time.sleep(0.5)
                return
            self.wfile.write(body)
        except OSError:
            pass  # the client has given up

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives
        """Log nothing."""
