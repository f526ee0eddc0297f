"""Texts: word differences, excerpts, and removing addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from time import monotonic
from typing import Literal, NamedTuple, TypeAlias

from diff_match_patch import diff_match_patch

Kind: TypeAlias = Literal["equal", "delete", "insert", "gap"]

#: Seconds after which a difference becomes coarser, but stays correct, and how many such differences a page may hold.
DEADLINE, DEADLINES = 0.5, 4
_ADDRESS = re.compile(r"[^\s<>\"'(),;:\[\]]+@[^\s<>\"'(),;:\[\]]+")
_TOKEN = re.compile(r"\w+(?:[’'.,]\w+)*|\s+|[^\w\s]")
_KINDS: dict[int, Kind] = {-1: "delete", 0: "equal", 1: "insert"}
# One character stands for each distinct word; surrogates (55,296 to 57,343) cannot be used.
_FIRST_SURROGATE, _AFTER_SURROGATES, _LAST_CODE_POINT = 0xD800, 0xE000, 0x10FFFF


def figure(number: Decimal | int) -> str:
    """A number with commas and without needless zeros, never rounded.

    `60`, `2.5`, `1,250,000`.
    """
    text = f"{Decimal(number):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def counted(number: int, noun: str) -> str:
    """A number with its noun, which takes an s: `1 home`, `1,250 homes`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def pounds(value: Decimal | int | None) -> str:
    """`£85,000`, with pence `£85,000.50`, below nothing `-£500`; "" for None."""
    if value is None:
        return ""
    sign, size = ("-" if value < 0 else ""), abs(Decimal(value))
    return f"{sign}£{size:,.0f}" if size == int(size) else f"{sign}£{size:,.2f}"


class Fragment(NamedTuple):
    """A run of equal, deleted or inserted words, or a gap in an excerpt."""

    kind: Kind
    text: str


class DiffTime:
    """Time limit for all differences of one page, or of one plan in an email.

    `DEADLINES` times `DEADLINE`. Anybody who writes a plan decides how many texts differ in it, and how much.
    """

    def __init__(self) -> None:
        self.left = DEADLINES * DEADLINE

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Count the time within."""
        began = monotonic()
        yield
        self.left -= monotonic() - began


def word_differences(was: str, now: str, time: DiffTime | None = None) -> tuple[Fragment, ...]:
    """The differences between two texts.

    Once no time is left, all of the old and of the new one. Equal and deleted fragments joined give `was`; equal and
    inserted ones give `now`.
    """
    if was == now:
        return (Fragment("equal", was),) if was else ()
    if time is None:
        return _found(was, now)
    if time.left <= 0:
        both = (Fragment("delete", was), Fragment("insert", now))
        return tuple(fragment for fragment in both if fragment.text)
    with time.taken():
        return _found(was, now)


def _found(was: str, now: str) -> tuple[Fragment, ...]:
    """The differences between two texts that differ."""
    words: list[str] = [""]
    characters: dict[str, str] = {}

    def encode(text: str) -> str:
        encoded = []
        for token in _TOKEN.findall(text):
            if token not in characters:
                code = len(words)
                if code >= _FIRST_SURROGATE:
                    code += _AFTER_SURROGATES - _FIRST_SURROGATE
                if code > _LAST_CODE_POINT:
                    raise ValueError("The texts hold more than a million different words.")
                characters[token] = chr(code)
                words.append(token)
            encoded.append(characters[token])
        return "".join(encoded)

    def decode(encoded: str) -> str:
        codes = (ord(character) for character in encoded)
        return "".join(
            words[code if code < _FIRST_SURROGATE else code - (_AFTER_SURROGATES - _FIRST_SURROGATE)] for code in codes
        )

    engine = diff_match_patch()
    engine.Diff_Timeout = DEADLINE
    differences = engine.diff_main(encode(was), encode(now), False)
    engine.diff_cleanupSemantic(differences)
    return tuple(_joined(Fragment(_KINDS[operation], decode(encoded)) for operation, encoded in differences if encoded))


def _joined(fragments: Iterable[Fragment]) -> list[Fragment]:
    """Join neighbours of a kind, and changes separated only by a space."""
    joined: list[Fragment] = []
    for fragment in fragments:
        if joined and joined[-1].kind == fragment.kind:
            joined[-1] = Fragment(fragment.kind, joined[-1].text + fragment.text)
        else:
            joined.append(fragment)
    return joined


def excerpt(fragments: Sequence[Fragment], words: int = 12) -> tuple[Fragment, ...]:
    """The changes with about this many words around them, and gaps."""
    kept: list[Fragment] = []
    for place, fragment in enumerate(fragments):
        if fragment.kind != "equal":
            kept.append(fragment)
            continue
        tokens = _TOKEN.findall(fragment.text)
        limit = 2 * words  # a word and the space after it
        head = "" if place == 0 else "".join(tokens[:limit])
        tail = "" if place == len(fragments) - 1 else "".join(tokens[-limit:])
        if len(tokens) <= (limit if not head or not tail else 2 * limit):
            kept.append(fragment)
            continue
        if head:
            kept.append(Fragment("equal", head))
        kept.append(Fragment("gap", "…"))
        if tail:
            kept.append(Fragment("equal", tail))
    return tuple(kept)


def cut(text: str, limit: int) -> str:
    """A text cut to this many characters, the last one "…".

    It is quick enough for thousands of texts.
    """
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def shorten(text: str, limit: int) -> str:
    """A text cut to this many characters, at a word if possible, with "…"."""
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    space = cut.rfind(" ")
    if space > limit // 2:
        cut = cut[:space]
    return f"{cut.rstrip(' ,;:.')}…"


def masked_address(address: str) -> str:
    """A masked email address: `b...@example.org`."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}...{at}{domain}"


def without_addresses(text: str) -> str:
    """A text in which every email address reads "the address"."""
    return _ADDRESS.sub("the address", text)
