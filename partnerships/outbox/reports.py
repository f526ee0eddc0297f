"""Reads reports that arrive by email (RFC 3464): bounces, complaints, and requests to unsubscribe."""

from __future__ import annotations

import email
import email.policy
import hashlib
import re
from dataclasses import dataclass
from email.message import Message

from partnerships.outbox.answers import Outcome, refusal_outcome, refuses_this_server
from partnerships.outbox.models import Bounce

_MESSAGE_ID = re.compile(r"<[^<>\s]+@[^<>\s]+>")
_STOP_SUBJECT = re.compile(r"\bstop[\s:]+([0-9A-Za-z_.\-]{20,200})")


def _messages_in(part: Message) -> list[Message]:
    """Return the messages inside a part, which may be groups of fields, the email that bounced, or its headers."""
    payload = part.get_payload()
    if isinstance(payload, str):
        return [email.message_from_string(payload, policy=email.policy.default)]
    if not isinstance(payload, list):
        return []
    return [message for message in payload if isinstance(message, Message)]


@dataclass(frozen=True, slots=True)
class Report:
    """A bounce of one of our emails or, with `kind` "stop", a request to unsubscribe with the token of a stop link."""

    kind: str
    address: str = ""
    text: str = ""
    message_id: str = ""
    stop_token: str = ""
    event_id: str = ""


def read_report(raw: bytes) -> Report | None:
    """Return the report in an email.

    Returns None if the email is neither a report about one of our emails nor a request to unsubscribe.
    """
    message = email.message_from_bytes(raw, policy=email.policy.default)
    event_id = _event_id(message, raw)
    stop_request = _STOP_SUBJECT.search(str(message.get("Subject", "")))
    if stop_request:
        return Report(kind="stop", stop_token=stop_request[1], event_id=event_id)

    status, action, address, text = "", "", "", ""
    original_message_id = ""
    is_complaint = False
    for part in message.walk():
        content_type = part.get_content_type()
        if content_type == "message/delivery-status":
            for fields in _messages_in(part):
                status = str(fields.get("Status", status)).strip()
                action = str(fields.get("Action", action)).strip().lower()
                address = str(fields.get("Final-Recipient", address)).rpartition(";")[2].strip() or address
                text = str(fields.get("Diagnostic-Code", text)).rpartition(";")[2].strip() or text
        elif content_type == "message/feedback-report":
            is_complaint = True
        elif content_type in ("message/rfc822", "text/rfc822-headers"):
            for original in _messages_in(part):
                original_message_id = str(original.get("Message-ID", original_message_id))

    message_id = _MESSAGE_ID.search(original_message_id)
    if message_id is None or not (status or is_complaint):
        return None

    kind = Bounce.Kind.COMPLAINT if is_complaint else _kind_of(action, status.partition(" ")[0], text)
    return Report(
        kind=kind,
        address=address,
        text=f"{status} {text}".strip(),
        message_id=message_id[0],
        event_id=event_id,
    )


def _kind_of(action: str, status: str, text: str) -> str:
    """Return the kind of bounce that a report is about (RFC 3464).

    A bounce is hard only if it is about the mailbox. The refusal of this server by a relay means nothing about the
    address.
    """
    if action in ("delayed", "relayed", "delivered", "expanded"):
        return Bounce.Kind.DELAYED
    if refusal_outcome(550, f"{status} {text}", at_recipient=False) is Outcome.NO_SUCH_ADDRESS:
        return Bounce.Kind.HARD
    if status.startswith("5.7.") or refuses_this_server(text):
        return Bounce.Kind.REFUSED
    return Bounce.Kind.SOFT


def _event_id(message: Message, raw: bytes) -> str:
    """Return an id by which the same report is recognised if it is read again.

    It is made from the Message-ID or, without one, from the body.
    """
    message_id = str(message.get("Message-ID", "")).strip()
    if message_id:
        identifying_bytes = message_id.encode()
    else:
        _, _, identifying_bytes = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    return "mail:" + hashlib.sha256(identifying_bytes).hexdigest()
