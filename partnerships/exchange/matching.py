"""How well an ask and an offer fit, in points out of 100 and in words: pure, so that it can be read and tested.

Both are of one theme, or they are no pair at all. Points are given for

* the place, up to 30: the same areas 30, only the same region 12, no place on one of the sides 8;
* the time, up to 20: the offer stands for the whole time of need 20, for a part of it in proportion, unknown 10;
* the quantity, up to 20: the offer covers all that is asked 20, a part of it in proportion, unknown or another unit 6;
* the words, up to 20: five for each telling word that both use, or as alike as their titles are;
* working together already, 10: a partner is easier to begin with.

A pair whose times do not meet at all gets no more than `NEVER_TOGETHER` points: it is shown last or not at all.
Reasons read the same from both sides, the strongest kinds first.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from partnerships.commitments.quantities import number_words, quantity_words

#: Fits below this are not worth telling anybody of.
WORTH_TELLING = 30
#: The reason that is told of two who share a partnership.
WORK_TOGETHER = "you already work together"
#: What a pair whose times do not meet can have at most.
NEVER_TOGETHER = 25

#: Lexemes (English stems) that say nothing here: everybody writes them.
_COMMON_LEXEMES = """
area ask avail build built council develop email help home hous includ land local need new offer opportun partner
partnership plan pleas provid public sector share site social support team use want will work would year
"""
_COMMON = frozenset(_COMMON_LEXEMES.split())
_WORD = re.compile(r"[^\W\d_][\w’'-]+")


@dataclass(frozen=True, slots=True)
class Half:
    """What matters of an ask or an offer: its time (either end may be open) and what is left of its quantity."""

    start: dt.date | None = None
    end: dt.date | None = None
    quantity: Decimal | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """What the two have in common: names of shared areas, the region, telling words, likeness of titles (0 to 1)."""

    areas: tuple[str, ...] = ()
    same_region: bool = False
    words: tuple[str, ...] = ()
    likeness: float = 0.0
    partners: bool = False


@dataclass(frozen=True, slots=True)
class Fit:
    """Points out of 100, and why."""

    points: int
    reasons: tuple[str, ...]


def fit(ask: Half, offer: Half, ground: Ground) -> Fit:
    """How well the offer fits the ask."""
    place, where = _place(ground)
    time, when = _time(ask, offer)
    quantity, how_much = _quantity(ask, offer)
    words, said = _words(ground)
    partners, who = (10, WORK_TOGETHER) if ground.partners else (0, "")
    points = round(place + (time or 0) + quantity + words + partners)
    if time is None:
        points = min(points, NEVER_TOGETHER)
    reasons = ("same theme", where, when, how_much, said, who)
    return Fit(points, tuple(reason for reason in reasons if reason))


def _place(ground: Ground) -> tuple[float, str]:
    if ground.areas:
        return 30, f"both about {listed(ground.areas)}"
    if ground.same_region:
        return 12, "same region"
    return 8, ""


def _time(ask: Half, offer: Half) -> tuple[float | None, str]:
    """Points for the time, None where the two never meet; an end is the last day, included."""
    if (ask.start is None and ask.end is None) or (offer.start is None and offer.end is None):
        return 10, ""
    if offer.end and ask.start and offer.end < ask.start:
        return None, "the offer ends before it is needed"
    if ask.end and offer.start and ask.end < offer.start:
        return None, "the offer begins after it is needed"
    from_the_start = offer.start is None or (ask.start is not None and offer.start <= ask.start)
    to_the_end = offer.end is None or (ask.end is not None and ask.end <= offer.end)
    if from_the_start and to_the_end:
        early = offer.start and ask.start and offer.start < ask.start
        return 20, "available before it is needed" if early else "available for the whole time"
    share = _overlap(ask, offer)
    return 8 + 12 * share, "available for part of the time"


def _overlap(ask: Half, offer: Half) -> float:
    """Which part of the time of need the offer covers; a half where the need has no end or no beginning."""
    if ask.start is None or ask.end is None:
        return 0.5
    first = max(ask.start, offer.start or ask.start)
    last = min(ask.end, offer.end or ask.end)
    return ((last - first).days + 1) / ((ask.end - ask.start).days + 1)


def _quantity(ask: Half, offer: Half) -> tuple[float, str]:
    if not ask.quantity or not offer.quantity or ask.unit != offer.unit:
        return 6, ""
    if offer.quantity >= ask.quantity:
        return 20, f"all of the {quantity_words(ask.quantity, ask.unit)} asked for"
    share = float(offer.quantity / ask.quantity)
    part = number_words(offer.quantity) if ask.unit != "pounds" else quantity_words(offer.quantity, ask.unit)
    return 6 + 14 * share, f"{part} of the {quantity_words(ask.quantity, ask.unit)} asked for"


def _words(ground: Ground) -> tuple[float, str]:
    points = max(min(5 * len(ground.words), 20), 20 * ground.likeness)
    return points, f"both mention {listed(ground.words, limit=3)}" if ground.words else ""


def telling(lexemes: Iterable[str]) -> tuple[str, ...]:
    """The shared lexemes that say something, the longest (rarest, as a rule) first; at most four."""
    kept = {lexeme for lexeme in lexemes if len(lexeme) >= 4 and lexeme.isalpha() and lexeme not in _COMMON}
    return tuple(sorted(kept, key=lambda lexeme: (-len(lexeme), lexeme))[:4])


def as_written(lexemes: Iterable[str], text: str) -> tuple[str, ...]:
    """Each lexeme as the text writes it (`modular` for `modular`, `policies` for `polici`)."""
    written = _written(text)
    return tuple(dict.fromkeys(written(lexeme) for lexeme in lexemes))


@lru_cache(maxsize=64)
def _written(text: str) -> Callable[[str], str]:
    """How a text writes a lexeme. One entry is compared with dozens of others: each of its words is looked up once."""
    words = tuple({word.lower(): None for word in _WORD.findall(text)})

    @lru_cache(maxsize=256)
    def look_up(lexeme: str) -> str:
        stem = lexeme.removesuffix("i")
        return next((word for word in words if word.startswith(stem)), lexeme)

    return look_up


def listed(names: Iterable[str], limit: int = 4) -> str:
    """`Fareham`, `Fareham and Gosport`, `Fareham, Gosport and 3 more`."""
    given = list(names)
    if len(given) > limit:
        given = [*given[: limit - 1], f"{len(given) - limit + 1} more"]
    return " and ".join(filter(None, [", ".join(given[:-1]), given[-1]])) if given else ""
