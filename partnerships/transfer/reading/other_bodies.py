"""Recognise bodies in lists of councils that are not councils."""

from __future__ import annotations

import re
from dataclasses import dataclass

NATIONAL_PARK, DEVELOPMENT_CORPORATION, PUBLIC_BODY = "national_park", "development_corporation", "public_body"
#: A pattern for a type, a CURIE's prefix or a name; the kind of such a body, and its description for messages.
_KINDS = (
    (re.compile(r"national park|\bnpa\b|broads authority"), NATIONAL_PARK, "a national park authority"),
    (re.compile(r"development corporation|\b[mu]dc\b"), DEVELOPMENT_CORPORATION, "a development corporation"),
    (re.compile(r"police|\bpfcc\b"), PUBLIC_BODY, "a police body"),
    (re.compile(r"\bfire\b"), PUBLIC_BODY, "a fire and rescue authority"),
    (re.compile(r"\bwaste\b"), PUBLIC_BODY, "a waste authority"),
    (re.compile(r"\btransport\b"), PUBLIC_BODY, "a transport authority"),
)
#: Types of body by the first three characters of the GSS code (ONS).
_TYPE_BY_GSS_PREFIX = {"E26": "national park", "E23": "police", "E31": "fire"}


@dataclass(frozen=True, slots=True)
class OtherBody:
    """A body that is not a council. `kind` is a code of `Kind`."""

    row: int
    kind: str
    name: str
    gss: str
    #: The body's key on the planning data platform, such as `national-park-authority:Q5225646`.
    curie: str
    website: str
    #: The code of the body's area as a local planning authority (`E60…`).
    planning_area: str = ""


def other_kind(*, curie: str, given_type: str, gss: str, name: str) -> tuple[str, str] | None:
    """Return the kind and the description of a body that is not a council, or None for a council.

    The CURIE decides before the type, the type before the GSS code, and the code before the name. The name is used only
    if the row has no type and its code is not a council's.
    """
    prefix = curie.partition(":")[0] if ":" in curie else ""
    if prefix.startswith("local-authority"):
        return None
    clues = [prefix.replace("-", " "), given_type.replace("-", " "), _TYPE_BY_GSS_PREFIX.get(gss[:3], "")]
    if not given_type and not _is_council_code(gss):
        clues.append(name)
    for clue in clues:
        for pattern, kind, description in _KINDS:
            if pattern.search(clue.casefold()):
                return kind, description
    if prefix:
        return PUBLIC_BODY, f"a body of another kind ({prefix.replace('-', ' ')})"
    return None


def _is_council_code(gss: str) -> bool:
    return gss[:3] in ("E06", "E07", "E08", "E09", "E10", "E47", "E12", "E61")
