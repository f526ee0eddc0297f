"""The pieces of letters: what many share is kept once, and a letter is a recipe of pieces and its own words."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from typing import NamedTuple

from partnerships.digests import emails, wire
from partnerships.digests.models import Piece
from partnerships.kit.database import rows_of, rows_planned_once

_KEPT = "SELECT digest, id FROM digests_piece WHERE digest = ANY(%s) AND used_at > %s"
_KEEP = """
INSERT INTO digests_piece (digest, body, used_at)
SELECT * FROM unnest(%(digests)s::text[], %(bodies)s::text[], %(at)s::timestamptz[]) AS x(digest, body, used_at)
 ORDER BY digest
ON CONFLICT (digest) DO UPDATE SET used_at = EXCLUDED.used_at
RETURNING digest, id
"""


class Recipe(NamedTuple):
    """A letter as it is kept: the numbers of the pieces it is joined of, its own words between them as -1, -2 …, and
    these words, each once."""

    layout: list[int]
    words: list[str]

    @property
    def pieces(self) -> list[int]:
        """The numbers of its pieces."""
        return [number for number in self.layout if number >= 0]

    def whole(self, kept: Mapping[int, str]) -> str:
        """The letter, of these pieces."""
        return "".join(kept[number] if number >= 0 else self.words[~number] for number in self.layout)


@dataclass(frozen=True, slots=True)
class Form:
    """What some letters share, as it is kept and as it is sent, with the places of their own words."""

    slots: tuple[str, ...]  # the name of each word, once
    layout: str  # of their recipes, as JSON
    order: tuple[int, ...]  # the word at each place
    template: bytes  # %b at each place

    def fill(self, values: Mapping[str, str]) -> tuple[str, tuple[bytes, ...]]:
        """The recipe of a letter with these words as JSON, and what to put into the template: the innermost loop of
        sending."""
        own = [values[slot] for slot in self.slots]
        encoded = [said.encode("ascii") for said in own]
        words = ", ".join(map(encode_basestring_ascii, own))  # as `json.dumps`, without its preparations
        return f"[{self.layout}, [{words}]]", tuple([encoded[place] for place in self.order])


def forms_for(letters: Iterable[emails.Letter], now: dt.datetime) -> dict[int, Form]:
    """The form of each letter by the identity of its shared parts, which are kept once for all that share them."""
    by_parts = {id(letter.parts): letter.parts for letter in letters}
    pieces = _keep(
        {part.digest: part for parts in by_parts.values() for part in parts if isinstance(part, wire.Part)}, now
    )
    return {key: _form(parts, pieces) for key, parts in by_parts.items()}


def _form(parts: Sequence[wire.Part | str], pieces: dict[str, int]) -> Form:
    slots = list(dict.fromkeys(part for part in parts if isinstance(part, str)))
    layout = [~slots.index(part) if isinstance(part, str) else pieces[part.digest] for part in parts]
    template = "".join("%b" if isinstance(part, str) else part.body.replace("%", "%%") for part in parts)
    order = tuple(slots.index(part) for part in parts if isinstance(part, str))
    return Form(tuple(slots), json.dumps(layout), order, template.encode("ascii"))


def _keep(parts: dict[str, wire.Part], now: dt.datetime) -> dict[str, int]:
    """Keep shared parts, each once; returns their numbers. In one order, so that two workers cannot lock each other."""
    if not parts:
        return {}
    digests = sorted(parts)
    since = now - dt.timedelta(days=1)
    known = dict(rows_planned_once(_KEPT, [digests, since], whatever_is_asked=True))
    missing = [digest for digest in digests if digest not in known]
    if missing:
        new = {"digests": missing, "bodies": [parts[one].body for one in missing], "at": [now] * len(missing)}
        known |= dict(rows_of(_KEEP, new))
    return known


def bodies(recipes: Iterable[Recipe]) -> dict[int, str]:
    """The pieces that these letters are joined of, by their numbers, as far as they are still kept."""
    numbers = {number for recipe in recipes for number in recipe.pieces}
    return dict(Piece.objects.filter(pk__in=numbers).values_list("pk", "body")) if numbers else {}
