"""Comparable forms of names in published lists, and keys in CURIEs."""

from __future__ import annotations

import re

from partnerships.kit.names import COUNCIL_WORDS, LEGAL_WORDS, core_name, fold_name

#: Words in combined authorities' names beyond those of councils.
_COMBINED_WORDS = LEGAL_WORDS | COUNCIL_WORDS | {"combined", "mayoral"}


def bare_company(name: str) -> str:
    """The folded name without its legal suffix.

    “Bridge Homes” and “Bridge Homes Limited” are equal.
    """
    return core_name(name, words=LEGAL_WORDS, phrases=())


def council_place(name: str) -> str:
    """The place in a council's name.

    “City of York Council”, “York” and “York City Council” are equal.
    """
    return core_name(name)


def combined_place(name: str) -> str:
    """The place in a combined authority's name.

    “Tees Valley” and “Tees Valley Combined Authority” are equal.
    """
    return core_name(name, words=_COMBINED_WORDS)


def lep_place(name: str) -> str:
    """A LEP's name without the words that say it is a LEP."""
    line = re.sub(r"\b(local enterprise partnership|enterprise partnership|lep|ltd|limited)\b", " ", fold_name(name))
    return " ".join(line.split())


def key_of_curie(text: str) -> str:
    """The key in a CURIE; "" for other prefixes.

    Reads `local-authority:DUR` and the older `local-authority-eng:DUR`.
    """
    prefix, colon, key = text.strip().partition(":")
    return key.strip().upper() if colon and prefix.casefold().startswith("local-authority") else ""
