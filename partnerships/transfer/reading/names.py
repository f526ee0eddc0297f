"""Names in published lists: what two ways of writing one body's name have in common, and the keys that lists write for
bodies.
"""

from __future__ import annotations

import re

from partnerships.kit.names import COUNCIL_WORDS, LEGAL_WORDS, core_name, fold_name

#: What combined authorities call themselves beyond what councils do.
_COMBINED_WORDS = LEGAL_WORDS | COUNCIL_WORDS | {"combined", "mayoral"}


def bare_company(name: str) -> str:
    """The folded name without its legal tail: “Bridge Homes” and “Bridge Homes Limited” are one."""
    return core_name(name, words=LEGAL_WORDS, phrases=())


def council_place(name: str) -> str:
    """Where a council is, without what it calls itself: “City of York Council”, “York” and “York City Council” are
    one.
    """
    return core_name(name)


def combined_place(name: str) -> str:
    """Where a combined authority is: “Tees Valley” and “Tees Valley Combined Authority” are one."""
    return core_name(name, words=_COMBINED_WORDS)


def lep_place(name: str) -> str:
    """A Local Enterprise Partnership's name without saying that it is one."""
    line = re.sub(r"\b(local enterprise partnership|enterprise partnership|lep|ltd|limited)\b", " ", fold_name(name))
    return " ".join(line.split())


def key_of_curie(text: str) -> str:
    """The key in a CURIE such as `local-authority:DUR` or the older `local-authority-eng:DUR`; "" for other
    prefixes.
    """
    prefix, colon, key = text.strip().partition(":")
    return key.strip().upper() if colon and prefix.casefold().startswith("local-authority") else ""
