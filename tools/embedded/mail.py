"""The mail catcher, which accepts every message by SMTP, stores it in var/mail and shows it on a web page.

Run as `python -m tools.embedded.mail FOLDER SMTP_FD WEB_FD`, with two inherited listening sockets.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import html
import json
import re
import signal
import socket
import sys
import time
from email.message import EmailMessage
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.smtp import SMTP, Envelope, Session

MAX_KEPT = 5_000
MAX_LISTED = 200
MAX_MESSAGE_BYTES = 10 * 1024 * 1024


class Mailbox:
    """A folder of messages. A name is the time of arrival and a serial number."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._count = 0

    def keep(self, content: bytes, *, recipients: list[str]) -> str:
        """Store a message with its envelope's addresses, and return its name.

        The oldest messages beyond `MAX_KEPT` are deleted.
        """
        self._count += 1
        name = f"{time.time_ns():020d}-{self._count:06d}"
        headers = "".join(f"X-Envelope-To: {address}\r\n" for address in recipients).encode("utf-8", "replace")
        temporary = self.folder / f"{name}.tmp"
        temporary.write_bytes(headers + content)
        temporary.rename(self.folder / f"{name}.eml")
        if self._count % 500 == 0:
            for old in self.names()[:-MAX_KEPT]:
                (self.folder / f"{old}.eml").unlink(missing_ok=True)
        return name

    def names(self) -> list[str]:
        """Return the names of all messages, oldest first."""
        return sorted(path.stem for path in self.folder.glob("*.eml"))

    def read(self, name: str) -> EmailMessage | None:
        """Return the message of that name, or None."""
        if not re.fullmatch(r"\d{20}-\d{6}", name):
            return None
        try:
            content = (self.folder / f"{name}.eml").read_bytes()
        except FileNotFoundError:
            return None
        return email.message_from_bytes(content, policy=email.policy.default)

    def empty(self) -> None:
        """Delete every message."""
        for name in self.names():
            (self.folder / f"{name}.eml").unlink(missing_ok=True)


class Catcher:
    """A handler for aiosmtpd that stores every message and sends none on."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        self.mailbox.keep(raw, recipients=list(envelope.rcpt_tos))
        return "250 Kept"


def text_of(message: EmailMessage, kind: str) -> str:
    """Return the body of one kind, "plain" or "html", or "" if there is none."""
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part else ""


def recipients(message: EmailMessage) -> list[str]:
    """Return the envelope's recipients, in lower case."""
    return [str(address).casefold() for address in message.get_all("X-Envelope-To", [])]


def summary(name: str, message: EmailMessage) -> dict[str, Any]:
    """Return a message as /messages.json shows it."""
    return {
        "name": name,
        "to": message.get_all("X-Envelope-To", []),
        "from": str(message.get("From", "")),
        "subject": str(message.get("Subject", "")),
        "date": str(message.get("Date", "")),
        "message_id": str(message.get("Message-ID", "")).strip(),
        "headers": {
            key: [str(value) for value in message.get_all(key, [])] for key in message if key != "X-Envelope-To"
        },
        "text": text_of(message, "plain"),
        "html": text_of(message, "html"),
    }


STYLE = """
body { margin: 0 auto; max-width: 1100px; padding: 24px; font: 17px/1.5 system-ui, sans-serif }
body { color: #10272e; background: #f1f6f5 }
h1 { font-size: 28px } a { color: #0b5a75 } table { border-collapse: collapse; width: 100%; background: #fff }
th, td { text-align: left; padding: 8px 12px; border-bottom: 1px solid #d5e0df; vertical-align: top }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #fff; padding: 16px; border-radius: 10px }
iframe { width: 100%; height: 900px; border: 1px solid #6b8288; border-radius: 10px; background: #fff }
button { font: inherit; padding: 8px 16px }
@media (max-width: 640px) { .late { display: none } }
"""
# A message's HTML may use inline styles and links. Scripts, forms and remote pictures are off.
FRAME_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation; "
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
)


class Pages(BaseHTTPRequestHandler):
    """The pages that show the messages, and the same as JSON for scripts."""

    mailbox: Mailbox
    server_version = "mail"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer `/`, `/messages.json?to=`, `/message/NAME` and `/message/NAME/html`."""
        address = urlsplit(self.path)
        recipient = parse_qs(address.query).get("to", [""])[0].strip().casefold()
        steps = [step for step in address.path.split("/") if step]
        if not steps:
            self._page("Sent mail", self._list(recipient))
        elif steps == ["messages.json"]:
            self._answer(json.dumps(self._summaries(recipient)), kind="application/json")
        elif steps[0] == "message" and len(steps) in {2, 3} and (message := self.mailbox.read(steps[1])):
            if steps[2:] == ["html"]:
                self._answer(f'<base target="_top">{text_of(message, "html")}', policy=FRAME_POLICY)
            else:
                self._page(str(message.get("Subject", "")), self._message(steps[1], message))
        else:
            self._page("No such message", "<p>It may have been deleted.</p>", status=HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """Answer `/empty`, which deletes every message."""
        if self.path == "/empty":
            self.mailbox.empty()
            self.send_response(HTTPStatus.SEE_OTHER)
            self.send_header("Location", "/")
            self.end_headers()
        else:
            self._page("Page not found", "", status=HTTPStatus.NOT_FOUND)

    def _summaries(self, recipient: str) -> list[dict[str, Any]]:
        found = []
        for name in reversed(self.mailbox.names()):
            message = self.mailbox.read(name)
            if message and (not recipient or recipient in recipients(message)):
                found.append(summary(name, message))
            if len(found) == MAX_LISTED:
                break
        return found

    def _list(self, recipient: str) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(', '.join(item['to']))}</td>"
            f'<td><a href="/message/{item["name"]}">{html.escape(item["subject"] or "(no subject)")}</a></td>'
            f'<td class="late">{html.escape(item["date"])}</td></tr>'
            for item in self._summaries(recipient)
        )
        total = len(self.mailbox.names())
        if not rows:
            return "<p>No messages yet. Messages appear here and do not leave this machine.</p>"
        return (
            f"<p>{total} messages. The newest {MAX_LISTED} at most are listed. None has left this machine.</p>"
            f'<table><thead><tr><th>To</th><th>Subject</th><th class="late">Date</th></tr></thead>'
            f"<tbody>{rows}</tbody></table>"
            '<form method="post" action="/empty"><p><button>Delete all messages</button></p></form>'
        )

    def _message(self, name: str, message: EmailMessage) -> str:
        headers = "\n".join(f"{key}: {value}" for key, value in message.items())
        frame = (
            f'<h2>HTML part</h2><iframe title="HTML part" src="/message/{name}/html" '
            'sandbox="allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"></iframe>'
            if text_of(message, "html")
            else ""
        )
        return (
            f'<p><a href="/">All messages</a></p><h2>Text part</h2><pre>{html.escape(text_of(message, "plain"))}</pre>'
            f"{frame}<h2>Headers</h2><pre>{html.escape(headers)}</pre>"
        )

    def _page(self, title: str, body: str, *, status: HTTPStatus = HTTPStatus.OK) -> None:
        heading = html.escape(title)
        self._answer(
            '<!doctype html><html lang="en-GB"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f"<title>{heading}</title><style>{STYLE}</style><main><h1>{heading}</h1>{body}</main></html>",
            status=status,
            policy="default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'",
        )

    def _answer(
        self, body: str, *, status: HTTPStatus = HTTPStatus.OK, kind: str = "text/html", policy: str = ""
    ) -> None:
        content = body.encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        if policy:
            self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Log nothing, because a request's address may contain the name of a recipient."""


async def catch(mailbox: Mailbox, listener: socket.socket) -> None:
    """Serve SMTP on a socket until a signal stops it."""
    loop = asyncio.get_running_loop()
    handler = Catcher(mailbox)
    server = await loop.create_server(
        lambda: SMTP(handler, data_size_limit=MAX_MESSAGE_BYTES, enable_SMTPUTF8=True, loop=loop, ident="Catcher"),
        sock=listener,
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    server.close()


def serve(folder: Path, smtp: socket.socket, web: socket.socket) -> None:
    """Serve SMTP and the web page until a signal stops it."""
    mailbox = Mailbox(folder)
    pages = type("BoundPages", (Pages,), {"mailbox": mailbox})
    server = ThreadingHTTPServer(web.getsockname()[:2], pages, bind_and_activate=False)
    server.socket.close()
    server.socket = web
    Thread(target=server.serve_forever, daemon=True).start()
    asyncio.run(catch(mailbox, smtp))


if __name__ == "__main__":
    serve(Path(sys.argv[1]), socket.socket(fileno=int(sys.argv[2])), socket.socket(fileno=int(sys.argv[3])))
