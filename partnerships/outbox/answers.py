"""Emails that are ready to send, and what a mail server's reply to an email means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

_ENHANCED_CODE = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_ASCII_ADDRESS = re.compile(r"[!-~]+@[!-~]+")


class Outcome(Enum):
    """The outcome of sending an email, as far as the server's reply says."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NO_SUCH_ADDRESS = "no such address"
    LATER = "later"


class Outgoing(NamedTuple):
    """An email that is ready to send.

    `key` is the caller's own id for the email. `data` is the whole message, with CRLF line ends. `has_no_dots` is true
    if no line of the message begins with a dot, which SMTP would have to double.
    """

    key: int
    sender: str
    recipient: str
    data: bytes
    has_no_dots: bool = False


@dataclass(slots=True)
class Answer:
    """The server's answer about the message with this key, with its reason as `text`.

    Two fields are for messages to send again later. `in_doubt` is true if a server may have accepted the message
    although its reply did not arrive. `reached` is false if the connection failed before any reply about the message.
    """

    key: int
    outcome: Outcome
    text: str = ""
    provider_id: str = ""
    in_doubt: bool = False
    reached: bool = True


#: Enhanced codes for a mailbox that does not exist, has moved, is closed or accepts no mail (RFC 3463, RFC 7505). Other
#: codes are not in the list, because 5.1.7 and 5.1.8 are about the sender, and 5.1.0 and 5.0.0 are too general.
NO_MAILBOX = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
#: Replies that ask for authentication (RFC 4954, RFC 3207). They mean that our settings are wrong, not the address.
_AUTHENTICATION_CODES = frozenset({530, 534, 535, 538})
_ADDRESS = re.compile(r"\S+@\S+")
_RELAYING = re.compile(r"\brelay|authenticat|\bauth\b|log ?in\b|starttls|credential", re.IGNORECASE)
_ABOUT_US = re.compile(
    r"\bsender\b|client host|\byour (ip|host|server|domain|network)\b|block(ed)? ?(list|using)"
    r"|blacklist|\b(dns|r)bl\b|spamhaus|reputation|\bspf\b|\bdkim\b|\bdmarc\b|send as|send on behalf",
    re.IGNORECASE,
)
_POLICY = re.compile(r"polic(y|ies)|spam|denied|not (permitted|allowed|authori[sz]ed)|prohibited|banned", re.IGNORECASE)


def enhanced_code(text: str) -> str:
    """Return the enhanced code (RFC 3463) in a reply, such as `5.1.1`, or "" without one."""
    code_match = _ENHANCED_CODE.search(text)
    return code_match[1] if code_match else ""


def refusal_outcome(code: int, text: str, *, at_recipient: bool) -> Outcome:
    """Return the outcome of a refusal, by its codes and text.

    * The address does not exist if the enhanced code says this. Without such a code, a 550, 551 or 553 to RCPT
      (`at_recipient`) also means this, unless the text mentions a policy.
    * A refusal of this server (relaying, authentication, the sender, a block list) means nothing about the address. The
      email is tried again later, so that an administrator can correct the cause.
    * Any other refusal is final, but means nothing about the address.
    """
    text_without_addresses = _ADDRESS.sub(" ", text)  # an address may contain any of the words that are searched for
    if code < 500 or code in _AUTHENTICATION_CODES or _RELAYING.search(text_without_addresses):
        return Outcome.LATER
    enhanced = enhanced_code(text_without_addresses)
    if enhanced in NO_MAILBOX:
        return Outcome.NO_SUCH_ADDRESS
    if enhanced in ("5.1.7", "5.1.8") or _ABOUT_US.search(text_without_addresses):
        return Outcome.LATER
    if enhanced:
        return Outcome.REFUSED
    if at_recipient and code in (550, 551, 553) and not _POLICY.search(text_without_addresses):
        return Outcome.NO_SUCH_ADDRESS
    return Outcome.REFUSED


def refuses_this_server(text: str) -> bool:
    """Return True if a reply refuses this server rather than the address, for example because of a block list."""
    text_without_addresses = _ADDRESS.sub(" ", text)
    return bool(_RELAYING.search(text_without_addresses) or _ABOUT_US.search(text_without_addresses))


def refusal_answer(key: int, code: int, text: bytes, *, at_recipient: bool) -> Answer:
    """Return the answer for a reply that refuses the message."""
    reply = reply_text(code, text)
    return Answer(key, refusal_outcome(code, reply, at_recipient=at_recipient), reply)


def reply_text(code: int, text: bytes) -> str:
    """Return a reply on one line of at most 500 characters, for the ledger."""
    return f"{code} {' '.join(text.decode('utf-8', 'replace').split())}"[:500]


def is_smtp_address(address: str) -> bool:
    """Return True if plain SMTP can transmit the address.

    It must be ASCII with an @, and have nothing that would break a command.
    """
    return bool(_ASCII_ADDRESS.fullmatch(address)) and "<" not in address and ">" not in address
