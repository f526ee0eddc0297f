"""Builds messages from parts, so that parts which many emails share are encoded only once.

* A template is rendered once, with a mark instead of each personal text, and is cut at the marks into parts.
* Every part is encoded separately as quoted-printable. A part that does not end a line ends in a soft line break. So
  parts can be joined in any order without encoding them again.
* `=_` cannot occur in quoted-printable text, so one boundary is safe for every message.
"""

from __future__ import annotations

import binascii
import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.header import Header
from email.utils import formataddr
from functools import lru_cache

#: Private-use characters that begin and end a mark. The last one ends a mark for text that needs no encoding.
_OPEN, _CLOSE, _BARE = "\ue000", "\ue001", "\ue002"
#: Part of every mark. It is random for each process, so nobody can type a mark.
_SECRET = secrets.token_hex(8)
_MARK = re.compile(f"{_OPEN}{_SECRET}([a-z_]+)([{_CLOSE}{_BARE}])")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ue000\ue001\ue002]+")

# Text that needs no encoding, and how many characters fit a line of 76 with the "=" of a soft line break.
_PLAIN = re.compile(r"[ !-<>-~]*", re.ASCII)
_MAX_LINE = 75

# binascii encodes a space at the end of a line after it has measured the line, which may then be too long.
_TOO_LONG = re.compile(r"^(.{74,})(=09|=20)\n", re.MULTILINE)

BOUNDARY = "=_common-ground"
SOFT_BREAK = "=\r\n"
TEXT_HEAD = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
HTML_HEAD = "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
NEXT_PART = f"\r\n--{BOUNDARY}\r\n"
LAST_PART = f"\r\n--{BOUNDARY}--\r\n"
#: In a message with a file, these surround the parts above.
OUTER_BOUNDARY = "=_common-ground-file"
NEXT_OUTER_PART = f"\r\n--{OUTER_BOUNDARY}\r\n"
LAST_OUTER_PART = f"\r\n--{OUTER_BOUNDARY}--\r\n"


def slot(name: str) -> str:
    """Return a mark with which to render a template instead of the personal text in the slot `name`."""
    return f"{_OPEN}{_SECRET}{name}{_CLOSE}"


def bare_slot(name: str) -> str:
    """Return a mark for text that needs no encoding and fits a line.

    The text is inserted unchanged, so it can be used in headers too. The soft line break after the text belongs to the
    next part.
    """
    return f"{_OPEN}{_SECRET}{name}{_BARE}"


def one_line(text: str) -> str:
    """Return the text on one line and without control characters, for a header."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def quoted_printable(text: str) -> str:
    """Return the text in quoted-printable (RFC 2045, 6.7) with CRLF line ends, ending in a line break.

    The last line break is a soft one, unless the text ends with a line break.
    """
    if len(text) < _MAX_LINE and _PLAIN.fullmatch(text):
        return f"{text}=\r\n"
    raw = text.replace("\r\n", "\n").encode("utf-8", "replace")
    encoded = _TOO_LONG.sub("\\1=\n\\2\n", binascii.b2a_qp(raw, istext=True).decode("ascii"))
    if encoded and not encoded.endswith("\n"):
        line_start = encoded.rfind("\n") + 1
        if len(encoded) - line_start > _MAX_LINE:  # the "=" of the soft break would make the line longer than 76
            cut_at = line_start + _MAX_LINE - 6
            while "=" in encoded[cut_at - 2 : cut_at]:  # do not cut an encoded character such as "=20" in two
                cut_at -= 1
            encoded = f"{encoded[:cut_at]}=\n{encoded[cut_at:]}"
        encoded += "=\n"
    return encoded.replace("\n", "\r\n")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a message that many messages share, encoded."""

    digest: str
    body: str


@dataclass(frozen=True, slots=True)
class SlottedTemplate:
    """A rendered template: shared parts and, between them, the names of slots for personal texts."""

    parts: tuple[Part | str, ...]


def shared_part(body: str) -> Part:
    """Return a shared part, identified by its SHA-256."""
    return Part(hashlib.sha256(body.encode("ascii")).hexdigest(), body)


def cut_at_marks(rendered: str, *, before: str = "", after: str = "") -> SlottedTemplate:
    """Cut a rendered template at its marks. `before` and `after` are added without encoding."""
    # `split` returns the first text and then, for each mark, its name, its last character and the text after it.
    first_text, *groups = _MARK.split(rendered)
    parts: list[Part | str] = []
    body = before + quoted_printable(first_text)
    for name, last_character, text in zip(groups[::3], groups[1::3], groups[2::3], strict=True):
        if body:
            parts.append(shared_part(body))
        parts.append(name)
        body = (SOFT_BREAK if last_character == _BARE else "") + quoted_printable(text)
    if body + after:
        parts.append(shared_part(body + after))
    return SlottedTemplate(tuple(parts))


def fill_slot(template: SlottedTemplate, slot: str, inner_templates: Sequence[SlottedTemplate]) -> SlottedTemplate:
    """Return a template in which one slot is replaced by other templates."""
    parts: list[Part | str] = []
    for part in template.parts:
        if part == slot:
            parts.extend(inner_part for inner_template in inner_templates for inner_part in inner_template.parts)
        else:
            parts.append(part)
    return SlottedTemplate(tuple(parts))


def fill_fixed(parts: Iterable[Part | str], text_by_slot: Mapping[str, str]) -> tuple[Part | str, ...]:
    """Fill slots with texts that are the same for many messages, and merge neighbouring parts.

    `text_by_slot` has the encoded text of each of these slots.
    """
    merged_parts: list[Part | str] = []
    pending_body = ""
    for part in parts:
        if isinstance(part, str) and part not in text_by_slot:
            if pending_body:
                merged_parts.append(shared_part(pending_body))
                pending_body = ""
            merged_parts.append(part)
        else:
            pending_body += text_by_slot[part] if isinstance(part, str) else part.body
    if pending_body:
        merged_parts.append(shared_part(pending_body))
    return tuple(merged_parts)


@lru_cache(maxsize=4096)
def header_line(name: str, value: str) -> str:
    """Return one header line in ASCII (RFC 2047), folded, with its line end."""
    line = one_line(value)
    charset = "us-ascii" if line.isascii() else "utf-8"
    folded = Header(line, charset, header_name=name, maxlinelen=76).encode(splitchars=" ,;")
    return f"{name}: {folded}\r\n".replace("\r\n", "\n").replace("\n", "\r\n")


def to_line(person: str, address: str) -> str:
    """Return the To line for one recipient. A name that is not ASCII is encoded."""
    name = one_line(person)
    return f"To: {formataddr((name, address)) if name else address}\r\n"
