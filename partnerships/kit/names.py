"""Names free of their spelling: what search and matching compare instead of what a register happened to type."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

_APOSTROPHES = dict.fromkeys(map(ord, "'’‘ʼ`´"), None)
_NOT_A_WORD = re.compile(r"[^0-9a-z]+")
_INITIALS = re.compile(r"\b(?:[a-z] )+[a-z]\b")

#: Words that say what a company is in law, not which one.
LEGAL_WORDS = frozenset(["limited", "ltd", "plc", "llp", "cic", "cio", "company", "co", "incorporated", "inc", "the"])
#: Words that say what sort of council it is; "of" goes with them ("City of York Council").
COUNCIL_WORDS = frozenset(
    [
        "council",
        "borough",
        "city",
        "county",
        "district",
        "metropolitan",
        "royal",
        "unitary",
        "authority",
        "corporation",
        "cc",
        "dc",
        "bc",
        "mbc",
        "mdc",
        "lb",
        "rb",
        "of",
    ]
)
#: Phrases that would leave a misleading word behind if only their single words were dropped.
COUNCIL_PHRASES = (
    "london borough of",
    "royal borough of",
    "metropolitan borough of",
    "london borough",
    "royal borough",
)


def fold_name(text: str) -> str:
    """The name in lower case without accents, apostrophes, punctuation or odd spaces; "&" reads "and", initials join.

    `King’s Lynn & West-Norfolk` and `KINGS LYNN AND WEST NORFOLK` fold alike; so do `L.H.A.` and `LHA`.
    """
    plain = unicodedata.normalize("NFKD", text).translate(_APOSTROPHES).replace("&", " and ").casefold()
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    words = _NOT_A_WORD.sub(" ", plain).strip()
    return _INITIALS.sub(lambda initials: initials[0].replace(" ", ""), words)


def core_name(
    text: str,
    *,
    words: Collection[str] = LEGAL_WORDS | COUNCIL_WORDS,
    phrases: Collection[str] = COUNCIL_PHRASES,
) -> str:
    """The folded name without its legal and council words: for matching one register with another, never for identity.

    `London Borough of Barnet` and `Barnet Council` share the core `barnet`. A name made of such words alone keeps them.
    """
    folded = fold_name(text)
    remaining = f" {folded} "
    for phrase in sorted(phrases, key=len, reverse=True):
        remaining = remaining.replace(f" {phrase} ", " ")
    kept = [word for word in remaining.split() if word not in words]
    return " ".join(kept) or folded
