"""Classifies a mail server's reply to an email."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

_ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_PLAIN = re.compile(r"[!-~]+@[!-~]+")


class Outcome(Enum):
    """What became of an email: accepted, refused, no such address or retry."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NO_SUCH_ADDRESS = "no such address"
    LATER = "later"


class Outgoing(NamedTuple):
    """An email ready to send: `data` is all of it, with CRLF line ends.

    `key` is the caller's own. `has_no_dots`: no line begins with a dot.
    """

    key: int
    sender: str
    recipient: str
    data: bytes
    has_no_dots: bool = False


@dataclass(slots=True)
class Answer:
    """What became of the message with this key; the reason is the server's.

    For a retry: `in_doubt` means that a server may have accepted it; `reached` is False if the connection failed before
    any reply about the message.
    """

    key: int
    outcome: Outcome
    text: str = ""
    provider_id: str = ""
    in_doubt: bool = False
    reached: bool = True


#: Enhanced codes about the mailbox itself (RFC 3463, RFC 7505): no such mailbox or domain, not an address, moved,
#: accepts no mail, closed. 5.1.7 and 5.1.8 are about the sender, 5.1.0 and 5.0.0 about nothing in particular.
NO_MAILBOX = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
#: Replies about authentication (RFC 4954, RFC 3207): our settings are wrong, not the address.
_ASKS_WHO_WE_ARE = frozenset({530, 534, 535, 538})
_ADDRESS = re.compile(r"\S+@\S+")
_RELAYING = re.compile(r"\brelay|authenticat|\bauth\b|log ?in\b|starttls|credential", re.IGNORECASE)
_ABOUT_US = re.compile(
    r"\bsender\b|client host|\byour (ip|host|server|domain|network)\b|block(ed)? ?(list|using)"
    r"|blacklist|\b(dns|r)bl\b|spamhaus|reputation|\bspf\b|\bdkim\b|\bdmarc\b|send as|send on behalf",
    re.IGNORECASE,
)
_POLICY = re.compile(r"polic(y|ies)|spam|denied|not (permitted|allowed|authori[sz]ed)|prohibited|banned", re.IGNORECASE)


def enhanced_code(text: str) -> str:
    """The enhanced code (RFC 3463) in a reply, such as `5.1.1`; else ""."""
    match = _ENHANCED.search(text)
    return match[1] if match else ""


def classify(code: int, text: str, *, at_recipient: bool) -> Outcome:
    """The outcome of a refusal, by its enhanced code (RFC 3463) or its stage.

    "No such address" only if the code is about the mailbox, or for a plain 550, 551 or 553 to RCPT that does not
    mention a policy. A refusal of this instance (relaying, authentication, the sender, a block list) says nothing about
    the address: it is retried, so that somebody can correct the cause.
    """
    words = _ADDRESS.sub(" ", text)  # an address may contain any words
    if code < 500 or code in _ASKS_WHO_WE_ARE or _RELAYING.search(words):
        return Outcome.LATER
    enhanced = enhanced_code(words)
    if enhanced in NO_MAILBOX:
        return Outcome.NO_SUCH_ADDRESS
    if enhanced in ("5.1.7", "5.1.8") or _ABOUT_US.search(words):
        return Outcome.LATER
    if enhanced:
        return Outcome.REFUSED
    plain = at_recipient and code in (550, 551, 553) and not _POLICY.search(words)
    return Outcome.NO_SUCH_ADDRESS if plain else Outcome.REFUSED


def is_about_us(text: str) -> bool:
    """Whether a reply is about this instance: no relaying, or block-listed."""
    words = _ADDRESS.sub(" ", text)
    return bool(_RELAYING.search(words) or _ABOUT_US.search(words))


def refusal(key: int, code: int, text: bytes, *, at_recipient: bool) -> Answer:
    """The answer for a reply that is not an acceptance."""
    text_of_reply = reply_text(code, text)
    return Answer(key, classify(code, text_of_reply, at_recipient=at_recipient), text_of_reply)


def reply_text(code: int, text: bytes) -> str:
    """A reply for the ledger: one line of at most 500 characters."""
    return f"{code} {' '.join(text.decode('utf-8', 'replace').split())}"[:500]


def can_be_addressed(address: str) -> bool:
    """Whether plain SMTP can carry the address.

    ASCII, one @, and nothing that would break a command.
    """
    return bool(_PLAIN.fullmatch(address)) and "<" not in address and ">" not in address
