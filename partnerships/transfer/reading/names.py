"""Comparable forms of names in published lists, and keys in CURIEs.

The functions for names return case-folded text without accents or punctuation. It is for comparing only, and is never
shown to users.
"""

from __future__ import annotations

from partnerships.kit.names import COUNCIL_WORDS, LEGAL_WORDS, core_name

#: Words in combined authorities' names beyond those of councils.
_COMBINED_WORDS = LEGAL_WORDS | COUNCIL_WORDS | {"combined", "mayoral"}
#: Words and phrases in LEPs' names that only mean “a LEP”.
_LEP_WORDS = frozenset({"lep", "ltd", "limited"})
_LEP_PHRASES = ("local enterprise partnership", "enterprise partnership")


def bare_company(name: str) -> str:
    """Return a company's name without its legal suffix.

    “Bridge Homes” and “Bridge Homes Limited” give the same result, “bridge homes”.
    """
    return core_name(name, words=LEGAL_WORDS, phrases=())


def council_place(name: str) -> str:
    """Return the place in a council's name.

    “City of York Council”, “York” and “York City Council” give the same result, “york”.
    """
    return core_name(name)


def combined_place(name: str) -> str:
    """Return the place in a combined authority's name.

    “Tees Valley” and “Tees Valley Combined Authority” give the same result, “tees valley”.
    """
    return core_name(name, words=_COMBINED_WORDS)


def lep_core_name(name: str) -> str:
    """Return a LEP's name without the words that only mean “a LEP”.

    “Solent LEP” and “Solent Local Enterprise Partnership Limited” give the same result, “solent”.
    """
    return core_name(name, words=_LEP_WORDS, phrases=_LEP_PHRASES)


def key_of_curie(text: str) -> str:
    """Return the key in the CURIE of a council, or "" if the CURIE has another prefix.

    Accepts `local-authority:DUR` and the older `local-authority-eng:DUR`.
    """
    prefix, colon, key = text.strip().partition(":")
    if not colon or not prefix.casefold().startswith("local-authority"):
        return ""
    return key.strip().upper()
