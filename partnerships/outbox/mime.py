"""Messages in parts: shared parts are encoded once.

A message is a recipe that joins shared parts with its own words. A template is rendered once with marks for personal
words, and split at the marks. Every part is quoted-printable by itself (a soft line break ends one that does not end a
line), so that parts can be joined in any order without encoding them again. `=_` cannot occur in quoted-printable text,
so one boundary is safe for every message.
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

_OPEN, _CLOSE, _BARE = "\ue000", "\ue001", "\ue002"
#: Typed text cannot contain it: each process has its own.
_OURS = secrets.token_hex(8)
_MARK = re.compile(f"{_OPEN}{_OURS}([a-z_]+)([{_CLOSE}{_BARE}])")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ue000\ue001\ue002]+")

# Needs no encoding, and fits a line of 76 with the "=" of a soft break.
_PLAIN = re.compile(r"[ !-<>-~]*", re.ASCII)
_SHORT = 75

# A space at the end of a line is encoded after the line was measured: it gets its own line.
_TOO_LONG = re.compile(r"^(.{74,})(=09|=20)\n", re.MULTILINE)

BOUNDARY = "=_common-ground"
SOFT_BREAK = "=\r\n"
TEXT_HEAD = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
HTML_HEAD = "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
NEXT_PART = f"\r\n--{BOUNDARY}\r\n"
LAST_PART = f"\r\n--{BOUNDARY}--\r\n"
#: Around the parts above, in a message with a file.
OUTER_BOUNDARY = "=_common-ground-file"
NEXT_OUTER_PART = f"\r\n--{OUTER_BOUNDARY}\r\n"
LAST_OUTER_PART = f"\r\n--{OUTER_BOUNDARY}--\r\n"


def mark(name: str) -> str:
    """A mark to render a template with, in place of the words named `name`."""
    return f"{_OPEN}{_OURS}{name}{_CLOSE}"


def mark_bare(name: str) -> str:
    """A mark for words that need no encoding and fit a line.

    They are inserted unchanged; the break after them belongs to the next part, so that they may be used in headers.
    """
    return f"{_OPEN}{_OURS}{name}{_BARE}"


def one_line(text: str) -> str:
    """A text without line breaks and control characters, for headers."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def encode(text: str) -> str:
    """Quoted-printable (RFC 2045, 6.7) with CRLF, ending in a line break.

    The last break is soft unless the text has one there.
    """
    if len(text) < _SHORT and _PLAIN.fullmatch(text):
        return f"{text}=\r\n"
    raw = text.replace("\r\n", "\n").encode("utf-8", "replace")
    encoded = _TOO_LONG.sub("\\1=\n\\2\n", binascii.b2a_qp(raw, istext=True).decode("ascii"))
    if encoded and not encoded.endswith("\n"):
        start = encoded.rfind("\n") + 1
        if len(encoded) - start > _SHORT:  # the "=" of the soft break would make it longer than 76
            cut = start + _SHORT - 6
            while "=" in encoded[cut - 2 : cut]:
                cut -= 1
            encoded = f"{encoded[:cut]}=\n{encoded[cut:]}"
        encoded += "=\n"
    return encoded.replace("\n", "\r\n")


@dataclass(frozen=True, slots=True)
class Part:
    """A shared part of messages, encoded."""

    digest: str
    body: str


@dataclass(frozen=True, slots=True)
class Mould:
    """A rendered template: shared parts and the names of slots between them."""

    parts: tuple[Part | str, ...]


def part_of(body: str) -> Part:
    """A shared part, identified by its SHA-256."""
    return Part(hashlib.sha256(body.encode("ascii")).hexdigest(), body)


def cut(rendered: str, *, before: str = "", after: str = "") -> Mould:
    """Split a rendered template at its marks.

    `before` and `after` are added unchanged.
    """
    first, *rest = _MARK.split(rendered)
    parts: list[Part | str] = []
    body = before + encode(first)
    for name, end, text in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        if body:
            parts.append(part_of(body))
        parts.append(name)
        body = (SOFT_BREAK if end == _BARE else "") + encode(text)
    if body + after:
        parts.append(part_of(body + after))
    return Mould(tuple(parts))


def fill(mould: Mould, slot: str, moulds: Sequence[Mould]) -> Mould:
    """A mould with other moulds in one of its slots."""
    parts: list[Part | str] = []
    for part in mould.parts:
        if part == slot:
            parts.extend(inner for mould in moulds for inner in mould.parts)
        else:
            parts.append(part)
    return Mould(tuple(parts))


def fix(parts: Iterable[Part | str], fixed: Mapping[str, str]) -> tuple[Part | str, ...]:
    """The mould with slots filled by shared words, and parts merged."""
    joined: list[Part | str] = []
    open_ = ""
    for part in parts:
        if isinstance(part, str) and part not in fixed:
            if open_:
                joined.append(part_of(open_))
                open_ = ""
            joined.append(part)
        else:
            open_ += fixed[part] if isinstance(part, str) else part.body
    if open_:
        joined.append(part_of(open_))
    return tuple(joined)


@lru_cache(maxsize=4096)
def header(name: str, value: str) -> str:
    """One header line in ASCII (RFC 2047), folded, with its line end."""
    value = one_line(value)
    charset = "us-ascii" if value.isascii() else "utf-8"
    folded = Header(value, charset, header_name=name, maxlinelen=76).encode(splitchars=" ,;")
    return f"{name}: {folded}\r\n".replace("\r\n", "\n").replace("\n", "\r\n")


def to_header(person: str, address: str) -> str:
    """The To line for one recipient; a name that is not ASCII is encoded."""
    person = one_line(person)
    return f"To: {formataddr((person, address)) if person else address}\r\n"
