"""Parse incoming emails: recipients, sender, text, attachments, and whether a machine wrote the email.

This module does not use the database.
"""

from __future__ import annotations

import email
import email.policy
import hashlib
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import getaddresses, parseaddr
from typing import TYPE_CHECKING, cast

from mailparser_reply.parser import EmailMessage as ReplyMessage

from partnerships.kit.late import late

if TYPE_CHECKING:
    import nh3
else:
    nh3 = late("nh3")

#: The largest email that is parsed.
MAX_BYTES = 25 * 1024 * 1024
#: The number of characters of a reply that are searched for the quotation of the earlier email.
MAX_REPLY_PARSED = 10_000
#: The number of characters of a forwarded email that are stored.
MAX_FORWARDED = 50_000
#: The most attachments of an email that are stored.
MAX_FILES = 5
#: The parser of replies is slow on long lines. Long lines are broken at this width before parsing, with marks at which
#: they are joined again afterwards.
_LINE_WIDTH, _BREAK_MARK = 200, "\u2060"

_RECIPIENT_HEADERS = ("To", "Cc", "Delivered-To", "X-Original-To", "X-Envelope-To", "Envelope-To")
_MACHINE_SENDERS = re.compile(r"(mailer-daemon|postmaster|no-?reply|do-?not-?reply)@", re.IGNORECASE)
_ABSENCE_SUBJECTS = re.compile(
    r"\s*(automatic reply|auto(matic)?[- ]?reply|auto:|out of (the )?office|abwesenheit)", re.IGNORECASE
)
_BLOCK_TAGS = {"br", "div", "h1", "h2", "h3", "li", "p", "tr"}
_BLOCK_END = re.compile(r"<br>|</(?:p|div|li|tr|h[1-3])>")
_TAG = re.compile(r"<[^<>]*>")
#: How email apps begin the quotation of the earlier email in HTML.
_QUOTATION_START = re.compile(
    r"<blockquote\b|<div[^<>]{0,200}(?:gmail_quote|divRplyFwdMsg|yahoo_quoted)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Attachment:
    """An attachment that has not been checked yet as an upload."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """The parts of an incoming email that we use."""

    recipients: tuple[str, ...]
    sender: str
    subject: str
    text: str
    is_automatic: bool
    event_id: str
    files: tuple[Attachment, ...] = field(default=(), repr=False)

    @property
    def reply(self) -> str:
        """Return the text without quotation and signature."""
        return without_quotation(self.text)


def read_mail(raw: bytes) -> Mail | None:
    """Return the parts of an email; None if it is too large or cannot be parsed."""
    if len(raw) > MAX_BYTES:
        return None
    message = email.message_from_bytes(raw, policy=email.policy.default)
    try:
        recipients = tuple(address for name in _RECIPIENT_HEADERS for address in _addresses(message, name))
        return Mail(
            recipients=recipients,
            sender=parseaddr(str(message.get("From", "")))[1].strip().lower()[:254],
            subject=" ".join(_cleaned(str(message.get("Subject", ""))).split())[:200],
            text=_text_of(message),
            is_automatic=is_automatic(message),
            event_id=_event_id(message, raw),
            files=tuple(_files_of(message)),
        )
    except (LookupError, ValueError, TypeError, AttributeError):  # the standard library raises these for broken emails
        return None


def _addresses(message: EmailMessage, header: str) -> Iterator[str]:
    values = [str(value) for value in message.get_all(header, [])]
    yield from (address for _, address in getaddresses(values) if address)


def is_automatic(message: EmailMessage) -> bool:
    """Return whether the email is an absence notice, a bounce or from a mailing list (RFC 3834)."""

    def header(name: str) -> str:
        return str(message.get(name, "")).strip().lower()

    return (
        header("Auto-Submitted").partition(";")[0].strip() not in ("", "no")
        or header("Precedence") in ("bulk", "junk", "list", "auto_reply", "auto-reply")
        or header("X-Auto-Response-Suppress") not in ("", "none")
        or any(message.get(name) is not None for name in ("X-Autoreply", "X-Autorespond", "List-Id"))
        or (message.get("Return-Path") is not None and header("Return-Path") in ("<>", ""))
        or message.get_content_type() in ("multipart/report", "message/delivery-status")
        or bool(_MACHINE_SENDERS.match(parseaddr(str(message.get("From", "")))[1]))
        or bool(_ABSENCE_SUBJECTS.match(str(message.get("Subject", ""))))
    )


def _text_of(message: EmailMessage) -> str:
    """Return the text of the plain part or, if that is missing or empty, of the HTML part."""
    plain_part = message.get_body(("plain",))
    if plain_part is not None:
        text = str(cast(EmailMessage, plain_part).get_content())
        if text.strip():
            return _cleaned(text)
    html_part = message.get_body(("html",))
    if html_part is None:
        return ""
    return _cleaned(text_of_html(str(cast(EmailMessage, html_part).get_content())))


def text_of_html(markup: str) -> str:
    """Return the text of an HTML part, up to its quotation if there is text before it."""
    limited = markup[: 20 * MAX_FORWARDED]
    quotation = _QUOTATION_START.search(limited)
    if quotation:
        before_quotation = _without_tags(limited[: quotation.start()])
        if before_quotation.strip():
            return before_quotation
    return _without_tags(limited)


def _without_tags(markup: str) -> str:
    """Return the text of HTML, with a line end after each block."""
    only_blocks = nh3.clean(markup, tags=_BLOCK_TAGS, attributes={}, clean_content_tags={"script", "style", "title"})
    return html.unescape(_TAG.sub("", _BLOCK_END.sub("\n", only_blocks)))


def _cleaned(text: str) -> str:
    """Return the text with plain line ends and spaces, without control characters, and not too long."""
    plain = text[: 2 * MAX_FORWARDED].replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
    printable = "".join(character for character in plain if character in "\n\t" or character.isprintable())
    return printable.strip()[:MAX_FORWARDED]


def without_quotation(text: str) -> str:
    """Return the text of a reply without its quotation and signature."""
    limited = text.replace(_BREAK_MARK, "")[:MAX_REPLY_PARSED]
    stripped = "\n".join(line.strip() for line in limited.split("\n"))
    few_blank_lines = re.sub(r"\n{3,}", "\n\n", stripped)

    line_break = f"{_BREAK_MARK}\n{_BREAK_MARK}"
    short_lines = re.sub(rf"([^\n]{{{_LINE_WIDTH}}})(?=[^\n])", rf"\1{line_break}", few_blank_lines)
    replies = ReplyMessage(text=short_lines, languages=["en"], keep_hyphen_lists=True).read().replies
    newest_reply = str(replies[0].body if replies else short_lines)
    rejoined = newest_reply.replace(line_break, "").replace(_BREAK_MARK, "")

    return "\n".join(line for line in rejoined.split("\n") if not line.startswith(">")).strip()


def _files_of(message: EmailMessage) -> Iterator[Attachment]:
    for part in message.iter_attachments():
        name = part.get_filename() or ""
        if not name or part.get_content_disposition() != "attachment":
            continue  # for example, an image in the signature
        content = part.get_payload(decode=True)
        yield Attachment(name[:200], content if isinstance(content, bytes) else b"")


def _event_id(message: EmailMessage, raw: bytes) -> str:
    """Return an id that stays the same if the mailbox is read again.

    The id is a hash of the email's Message-ID or, without a Message-ID, of its body.
    """
    message_id = str(message.get("Message-ID", "")).strip()
    if message_id:
        hashed_bytes = message_id.encode("utf-8", "replace")
    else:
        _, _, hashed_bytes = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    return "in:" + hashlib.sha256(hashed_bytes).hexdigest()
