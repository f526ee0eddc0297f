"""Names in one spelling, for search and matching."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

_APOSTROPHES = dict.fromkeys(map(ord, "'’‘ʼ`´"), None)
_NOT_A_WORD = re.compile(r"[^0-9a-z]+")
_INITIALS = re.compile(r"\b(?:[a-z] )+[a-z]\b")

#: Legal suffixes of companies.
LEGAL_WORDS = frozenset(["limited", "ltd", "plc", "llp", "cic", "cio", "company", "co", "incorporated", "inc", "the"])
#: Kinds of council in names. "of" is removed with them ("City of York Council").
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
#: Phrases to remove as a whole, because without their other words, a misleading word such as "London" would remain.
COUNCIL_PHRASES = (
    "london borough of",
    "royal borough of",
    "metropolitan borough of",
    "london borough",
    "royal borough",
)


def fold_name(text: str) -> str:
    """Return the name in lower case, without accents, punctuation or extra spaces.

    "&" becomes "and", and initials are joined. `King’s Lynn & West-Norfolk` and `KINGS LYNN AND WEST NORFOLK` give the
    same result, and so do `L.H.A.` and `LHA`.
    """
    decomposed = unicodedata.normalize("NFKD", text).translate(_APOSTROPHES).replace("&", " and ").casefold()
    without_accents = "".join(character for character in decomposed if not unicodedata.combining(character))
    spaced_words = _NOT_A_WORD.sub(" ", without_accents).strip()
    return _INITIALS.sub(lambda initials: initials[0].replace(" ", ""), spaced_words)


def core_name(
    text: str,
    *,
    words: Collection[str] = LEGAL_WORDS | COUNCIL_WORDS,
    phrases: Collection[str] = COUNCIL_PHRASES,
) -> str:
    """Return the name in lower case, without accents and punctuation, and without legal and council words.

    For example, `London Borough of Barnet` and `Barnet Council` both give `barnet`. This is for suggesting matches
    between registers, and equal results do not prove the same organisation. A name without other words is not changed.
    """
    folded = fold_name(text)
    remaining = f" {folded} "
    for phrase in sorted(phrases, key=len, reverse=True):
        remaining = remaining.replace(f" {phrase} ", " ")
    core_words = [word for word in remaining.split() if word not in words]
    return " ".join(core_words) or folded


def plain_number(text: str) -> str:
    """Return a number or code in capitals, without spaces, punctuation and leading zeros.

    The result is for comparing, not for display. For example, `L 0453` and `l0453` give the same result.
    """
    return "".join(filter(str.isalnum, text.upper())).lstrip("0")
