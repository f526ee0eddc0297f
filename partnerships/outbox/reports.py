"""Reads a mailbox of reports (RFC 3464), for plain SMTP.

Finds bounces, complaints and requests to unsubscribe.
"""

from __future__ import annotations

import email
import email.policy
import hashlib
import re
from dataclasses import dataclass
from email.message import Message

from partnerships.outbox.answers import Outcome, classify, is_about_us
from partnerships.outbox.models import Bounce

_MESSAGE_ID = re.compile(r"<[^<>\s]+@[^<>\s]+>")
_STOP = re.compile(r"\bstop[\s:]+([0-9A-Za-z_.\-]{20,200})")


def _messages_in(part: Message) -> list[Message]:
    """The messages inside a part.

    They are groups of fields, the email that bounced, or its headers as text.
    """
    payload = part.get_payload()
    if isinstance(payload, str):
        return [email.message_from_string(payload, policy=email.policy.default)]
    return [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []


@dataclass(frozen=True, slots=True)
class Report:
    """A bounce of one of our emails, or a request to unsubscribe.

    A request has the token of the link.
    """

    kind: str
    address: str = ""
    text: str = ""
    message_id: str = ""
    stop_token: str = ""
    event_id: str = ""


def read_report(raw: bytes) -> Report | None:
    """The report in a mail; None if it is about no email and no unsubscribing."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    wish = _STOP.search(str(message.get("Subject", "")))
    event_id = _event_id(message, raw)
    if wish:
        return Report(kind="stop", stop_token=wish[1], event_id=event_id)
    status, address, text, original, feedback, action = "", "", "", "", "", ""
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            for group in _messages_in(part):
                status = str(group.get("Status", status)).strip()
                action = str(group.get("Action", action)).strip().lower()
                address = str(group.get("Final-Recipient", address)).rpartition(";")[2].strip() or address
                text = str(group.get("Diagnostic-Code", text)).rpartition(";")[2].strip() or text
        elif kind == "message/feedback-report":
            feedback = "abuse"
        elif kind in ("message/rfc822", "text/rfc822-headers"):
            for inner in _messages_in(part):
                original = str(inner.get("Message-ID", original))
    match = _MESSAGE_ID.search(original)
    if match is None or not (status or feedback):
        return None
    if feedback:
        kind = Bounce.Kind.COMPLAINT
    else:
        kind = _kind_of(action, status.partition(" ")[0], text)
    return Report(kind=kind, address=address, text=f"{status} {text}".strip(), message_id=match[0], event_id=event_id)


def _kind_of(action: str, status: str, text: str) -> str:
    """The kind of a report (RFC 3464): hard only if about the mailbox.

    A relay that refuses us says nothing about the address.
    """
    if action in ("delayed", "relayed", "delivered", "expanded"):
        return Bounce.Kind.DELAYED
    if classify(550, f"{status} {text}", at_recipient=False) is Outcome.NO_SUCH_ADDRESS:
        return Bounce.Kind.HARD
    return Bounce.Kind.REFUSED if status.startswith("5.7.") or is_about_us(text) else Bounce.Kind.SOFT


def _event_id(message: Message, raw: bytes) -> str:
    """An id for a mail, to recognise it when it is read again.

    A hash of its Message-ID, or of its body if it has none.
    """
    message_id = str(message.get("Message-ID", "")).strip()
    body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    return "mail:" + hashlib.sha256(message_id.encode() if message_id else body).hexdigest()
