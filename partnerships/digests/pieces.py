"""The pieces of letters: what many share is kept once, and a letter is a recipe of pieces and its own words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from partnerships.digests import emails, wire
from partnerships.digests.models import Piece
from partnerships.kit.database import rows_of

_KEEP = """
INSERT INTO digests_piece (digest, body, used_at)
SELECT * FROM unnest(%(digests)s::text[], %(bodies)s::text[], %(at)s::timestamptz[]) AS x(digest, body, used_at)
 ORDER BY digest
ON CONFLICT (digest) DO UPDATE SET used_at = EXCLUDED.used_at
RETURNING digest, id
"""


@dataclass(frozen=True, slots=True)
class Segment:
    """A shared part of letters with the number under which it is kept, and the slots before it; at the end of a letter
    there may be slots alone (number 0)."""

    slots: tuple[str, ...]
    number: int
    body: bytes


def join(letter: emails.Letter, sheet: Sequence[Segment]) -> tuple[list[int | str], list[bytes]]:
    """A letter as numbers of pieces and its own words between them, and the same as it is sent: the innermost loop of
    sending."""
    recipe: list[int | str] = []
    parts: list[bytes] = []
    own, values = letter.headers, letter.values
    for segment in sheet:
        for slot in segment.slots:
            own += values[slot]
        if own:
            recipe.append(own)
            parts.append(own.encode("ascii"))
            own = ""
        if segment.number:
            recipe.append(segment.number)
            parts.append(segment.body)
    return recipe, parts


def sheets_for(letters: Iterable[emails.Letter], now: dt.datetime) -> dict[int, list[Segment]]:
    """The shared parts of letters with the numbers under which they are kept, once for all letters that share them."""
    by_parts = {id(letter.parts): letter.parts for letter in letters}
    pieces = _keep(
        {part.digest: part for parts in by_parts.values() for part in parts if isinstance(part, wire.Part)}, now
    )
    return {key: _segments(parts, pieces) for key, parts in by_parts.items()}


def _segments(parts: Iterable[wire.Part | str], pieces: dict[str, int]) -> list[Segment]:
    segments: list[Segment] = []
    slots: list[str] = []
    for part in parts:
        if isinstance(part, str):
            slots.append(part)
        else:
            segments.append(Segment(tuple(slots), pieces[part.digest], part.body.encode("ascii")))
            slots = []
    return [*segments, Segment(tuple(slots), 0, b"")]


def _keep(parts: dict[str, wire.Part], now: dt.datetime) -> dict[str, int]:
    """Keep shared parts, each once; returns their numbers. In one order, so that two workers cannot lock each other."""
    if not parts:
        return {}
    digests = sorted(parts)
    since = now - dt.timedelta(days=1)
    known = dict(Piece.objects.filter(digest__in=digests, used_at__gt=since).values_list("digest", "pk"))
    missing = [digest for digest in digests if digest not in known]
    if missing:
        new = {"digests": missing, "bodies": [parts[one].body for one in missing], "at": [now] * len(missing)}
        known |= dict(rows_of(_KEEP, new))
    return known


def bodies(recipes: Iterable[Sequence[int | str] | None]) -> dict[int, str]:
    """The pieces that these letters are joined of, by their numbers, as far as they are still kept."""
    numbers = {part for recipe in recipes for part in recipe or () if isinstance(part, int)}
    return dict(Piece.objects.filter(pk__in=numbers).values_list("pk", "body")) if numbers else {}
