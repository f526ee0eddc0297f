"""Reads incoming emails: recipients, own text, whether a machine wrote it.

It uses no database.
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

#: Larger emails are not read.
MAX_BYTES = 25 * 1024 * 1024
#: Characters that are read of the text of a reply.
MAX_LOOKED_AT = 10_000
#: Characters that are kept of the text of a forwarded email.
MAX_FORWARDED = 50_000
#: Files that are kept of a forwarded email.
MAX_FILES = 5
#: The parser is slow on long lines, so these are broken up for it; the mark shows where.
_WIDTH, _MARK = 200, "\u2060"

_RECIPIENTS = ("To", "Cc", "Delivered-To", "X-Original-To", "X-Envelope-To", "Envelope-To")
_MACHINES = re.compile(r"(mailer-daemon|postmaster|no-?reply|do-?not-?reply)@", re.IGNORECASE)
_AWAY = re.compile(r"\s*(automatic reply|auto(matic)?[- ]?reply|auto:|out of (the )?office|abwesenheit)", re.IGNORECASE)
_BLOCKS = {"br", "div", "h1", "h2", "h3", "li", "p", "tr"}
_NEW_LINE = re.compile(r"<br>|</(?:p|div|li|tr|h[1-3])>")
_TAG = re.compile(r"<[^<>]*>")
#: Where mail programs begin the quotation in HTML.
_QUOTATION = re.compile(r"<blockquote\b|<div[^<>]{0,200}(?:gmail_quote|divRplyFwdMsg|yahoo_quoted)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Attachment:
    """An attachment that is not checked yet."""

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
        """The text without quotation and signature."""
        return without_quotation(self.text)


def read_mail(raw: bytes) -> Mail | None:
    """The email; None if it is too large or cannot be read."""
    if len(raw) > MAX_BYTES:
        return None
    message = email.message_from_bytes(raw, policy=email.policy.default)
    try:
        recipients = tuple(address for name in _RECIPIENTS for address in _addresses(message, name))
        return Mail(
            recipients=recipients,
            sender=parseaddr(str(message.get("From", "")))[1].strip().lower()[:254],
            subject=" ".join(_plain(str(message.get("Subject", ""))).split())[:200],
            text=_text_of(message),
            is_automatic=is_automatic(message),
            event_id=_event_id(message, raw),
            files=tuple(_files_of(message)),
        )
    except (LookupError, ValueError, TypeError, AttributeError):  # what the standard library raises for broken emails
        return None


def _addresses(message: EmailMessage, name: str) -> Iterator[str]:
    values = [str(value) for value in message.get_all(name, [])]
    yield from (address for _, address in getaddresses(values) if address)


def is_automatic(message: EmailMessage) -> bool:
    """Whether it is an absence notice, a bounce or from a list (RFC 3834)."""

    def said(name: str) -> str:
        return str(message.get(name, "")).strip().lower()

    return (
        said("Auto-Submitted").partition(";")[0].strip() not in ("", "no")
        or said("Precedence") in ("bulk", "junk", "list", "auto_reply", "auto-reply")
        or said("X-Auto-Response-Suppress") not in ("", "none")
        or any(message.get(name) is not None for name in ("X-Autoreply", "X-Autorespond", "List-Id"))
        or (message.get("Return-Path") is not None and said("Return-Path") in ("<>", ""))
        or message.get_content_type() in ("multipart/report", "message/delivery-status")
        or bool(_MACHINES.match(parseaddr(str(message.get("From", "")))[1]))
        or bool(_AWAY.match(str(message.get("Subject", ""))))
    )


def _text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    if part is not None:
        text = str(cast(EmailMessage, part).get_content())
        if text.strip():
            return _plain(text)
    part = message.get_body(("html",))
    return _plain(text_of_html(str(cast(EmailMessage, part).get_content()))) if part is not None else ""


def text_of_html(page: str) -> str:
    """The words of an HTML part before its quotation."""
    page = page[: 20 * MAX_FORWARDED]
    quotation = _QUOTATION.search(page)
    if quotation and _words(page[: quotation.start()]).strip():
        page = page[: quotation.start()]
    return _words(page)


def _words(page: str) -> str:
    simple = nh3.clean(page, tags=_BLOCKS, attributes={}, clean_content_tags={"script", "style", "title"})
    return html.unescape(_TAG.sub("", _NEW_LINE.sub("\n", simple)))


def _plain(text: str) -> str:
    """The text with plain line ends and without control characters."""
    lines = text[: 2 * MAX_FORWARDED].replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
    kept = "".join(line for line in lines if line in "\n\t" or line.isprintable())
    return kept.strip()[:MAX_FORWARDED]


def without_quotation(text: str) -> str:
    """A reply's own text, without quotation and signature."""
    lines = [line.strip() for line in text.replace(_MARK, "")[:MAX_LOOKED_AT].split("\n")]
    looked_at = re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
    broken = re.sub(rf"([^\n]{{{_WIDTH}}})(?=[^\n])", rf"\1{_MARK}\n{_MARK}", looked_at)
    replies = ReplyMessage(text=broken, languages=["en"], keep_hyphen_lists=True).read().replies
    own = str(replies[0].body if replies else broken)
    own = own.replace(f"{_MARK}\n{_MARK}", "").replace(_MARK, "")
    return "\n".join(line for line in own.split("\n") if not line.startswith(">")).strip()


def _files_of(message: EmailMessage) -> Iterator[Attachment]:
    for part in message.iter_attachments():
        name = part.get_filename() or ""
        if not name or part.get_content_disposition() != "attachment":
            continue  # images in a signature, for example
        content = part.get_payload(decode=True)
        yield Attachment(name[:200], content if isinstance(content, bytes) else b"")


def _event_id(message: EmailMessage, raw: bytes) -> str:
    """An id for an email, to recognise it when it is read again."""
    given = str(message.get("Message-ID", "")).strip()
    body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    return "in:" + hashlib.sha256(given.encode("utf-8", "replace") if given else body).hexdigest()
