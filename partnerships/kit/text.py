"""Numbers and amounts as text, differences between texts, excerpts, and removal of email addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from time import monotonic
from typing import Literal, NamedTuple, TypeAlias

from diff_match_patch import diff_match_patch

Kind: TypeAlias = Literal["equal", "delete", "insert", "gap"]

#: Seconds after which a comparison of two texts stops refining. Its result is then coarser, but correct.
SECONDS_A_COMPARISON = 0.5
#: How many comparisons of one page may take all of `SECONDS_A_COMPARISON`.
MAX_LONG_COMPARISONS = 4
_ADDRESS = re.compile(r"[^\s<>\"'(),;:\[\]]+@[^\s<>\"'(),;:\[\]]+")
_TOKEN = re.compile(r"\w+(?:[’'.,]\w+)*|\s+|[^\w\s]")
_KINDS: dict[int, Kind] = {-1: "delete", 0: "equal", 1: "insert"}
# To compare words, each distinct word is encoded as one character. The surrogates (0xD800 to 0xDFFF) are left out.
_FIRST_SURROGATE, _AFTER_SURROGATES, _LAST_CODE_POINT = 0xD800, 0xE000, 0x10FFFF


def figure(number: Decimal | int) -> str:
    """Return a number with commas and without trailing zeros, never rounded, such as `2.5` or `1,250,000`."""
    text = f"{Decimal(number):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 home` or `1,250 homes`. The plural has an s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(names: Iterable[str], word: str = "and") -> str:
    """Return names in a sentence, such as `A, B and C`. With the word "or", they are `A, B or C`."""
    *first_names, last_name = list(names) or [""]
    return f"{', '.join(first_names)} {word} {last_name}" if first_names else last_name


def pounds(value: Decimal | int | None) -> str:
    """Return an amount in pounds, such as `£85,000`, `£85,000.50` or `-£500`, or "" for None."""
    if value is None:
        return ""
    sign, amount = ("-" if value < 0 else ""), abs(Decimal(value))
    return f"{sign}£{amount:,.0f}" if amount == int(amount) else f"{sign}£{amount:,.2f}"


class Fragment(NamedTuple):
    """A run of equal, deleted or inserted words, or a gap in an excerpt."""

    kind: Kind
    text: str


class DiffTime:
    """The time that all comparisons of a page, or of a plan in an email, may take together.

    Without this limit, a plan with many long changed texts could keep a server busy, because its authors decide how
    many texts there are.
    """

    def __init__(self) -> None:
        self.remaining = MAX_LONG_COMPARISONS * SECONDS_A_COMPARISON

    @contextmanager
    def subtract_time(self) -> Iterator[None]:
        """Subtract the time that the block takes from the time left."""
        started_at = monotonic()
        yield
        self.remaining -= monotonic() - started_at


def word_differences(old_text: str, new_text: str, time: DiffTime | None = None) -> tuple[Fragment, ...]:
    """Return the differences between two texts, word by word.

    The equal and deleted fragments together are the old text, and the equal and inserted ones are the new text. If no
    `time` is left, the whole old text is deleted and the whole new text inserted.
    """
    if old_text == new_text:
        return (Fragment("equal", old_text),) if old_text else ()
    if time is None:
        return _compare(old_text, new_text)
    if time.remaining <= 0:
        whole_texts = (Fragment("delete", old_text), Fragment("insert", new_text))
        return tuple(fragment for fragment in whole_texts if fragment.text)
    with time.subtract_time():
        return _compare(old_text, new_text)


def _compare(old_text: str, new_text: str) -> tuple[Fragment, ...]:
    """Return the differences between two texts, which must differ."""
    alphabet = _Alphabet()
    engine = diff_match_patch()
    engine.Diff_Timeout = SECONDS_A_COMPARISON
    differences = engine.diff_main(alphabet.encode(old_text), alphabet.encode(new_text), False)
    engine.diff_cleanupSemantic(differences)
    return tuple(
        _joined(Fragment(_KINDS[operation], alphabet.decode(encoded)) for operation, encoded in differences if encoded)
    )


class _Alphabet:
    """One character for each distinct word, space or sign of two texts.

    diff-match-patch compares characters. So the texts are encoded with this alphabet, and the differences decoded.
    """

    def __init__(self) -> None:
        self._character_by_token: dict[str, str] = {}
        self._token_by_character: dict[str, str] = {}

    def encode(self, text: str) -> str:
        """Return the text with one character for each token. Raises `ValueError` if there are too many tokens."""
        return "".join(self._character(token) for token in _TOKEN.findall(text))

    def decode(self, encoded: str) -> str:
        """Return the text that was encoded."""
        return "".join(self._token_by_character[character] for character in encoded)

    def _character(self, token: str) -> str:
        """Return the character of a token, which is the next unused one for a new token."""
        character = self._character_by_token.get(token)
        if character is not None:
            return character
        code = len(self._character_by_token) + 1
        if code >= _FIRST_SURROGATE:
            code += _AFTER_SURROGATES - _FIRST_SURROGATE
        if code > _LAST_CODE_POINT:
            raise ValueError("The texts contain more than a million different words.")
        character = chr(code)
        self._character_by_token[token] = character
        self._token_by_character[character] = token
        return character


def _joined(fragments: Iterable[Fragment]) -> list[Fragment]:
    """Return the fragments, with neighbours of the same kind joined."""
    joined: list[Fragment] = []
    for fragment in fragments:
        if joined and joined[-1].kind == fragment.kind:
            joined[-1] = Fragment(fragment.kind, joined[-1].text + fragment.text)
        else:
            joined.append(fragment)
    return joined


def excerpt(fragments: Sequence[Fragment], words: int = 12) -> tuple[Fragment, ...]:
    """Return the changes, each with about this many equal words before and after it, and gaps between them."""
    excerpted: list[Fragment] = []
    limit = 2 * words  # each word and the space after it
    for index, fragment in enumerate(fragments):
        if fragment.kind != "equal":
            excerpted.append(fragment)
            continue
        tokens = _TOKEN.findall(fragment.text)
        # `head` are the words after the previous change, and `tail` the words before the next change.
        head = "" if index == 0 else "".join(tokens[:limit])
        tail = "" if index == len(fragments) - 1 else "".join(tokens[-limit:])
        if len(tokens) <= (2 * limit if head and tail else limit):
            excerpted.append(fragment)
            continue
        if head:
            excerpted.append(Fragment("equal", head))
        excerpted.append(Fragment("gap", "…"))
        if tail:
            excerpted.append(Fragment("equal", tail))
    return tuple(excerpted)


def cut(text: str, limit: int) -> str:
    """Return the text with at most this many characters, with "…" if it was cut.

    This is fast enough for thousands of texts.
    """
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def shorten(text: str, limit: int) -> str:
    """Return the text on one line with at most this many characters, with "…" if it was cut.

    The text is cut between words if possible.
    """
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    beginning = line[: limit - 1]
    last_space = beginning.rfind(" ")
    if last_space > limit // 2:
        beginning = beginning[:last_space]
    return f"{beginning.rstrip(' ,;:.')}…"


def masked_address(address: str) -> str:
    """Return a masked email address, such as `b...@example.org`."""
    local, at_sign, domain = address.rpartition("@")
    return f"{local[:1]}...{at_sign}{domain}"


def without_addresses(text: str) -> str:
    """Return the text with "the address" instead of each email address."""
    return _ADDRESS.sub("the address", text)
