"""Score how well an ask and an offer match, with points and reasons. This module uses no database.

The two must have the same theme. A pair gets at most 100 points:

* Place: 30 for the same areas, 12 for only the same region, and 8 if either place is unknown.
* Time: 20 if the offer covers the whole period of need, less if it covers a part, and 10 if a period is unknown.
* Quantity: 20 if the offer covers all that is asked, less if it covers a part, and 6 if the two cannot be compared.
* Words: 5 for each distinctive word that both use, up to 20, or up to 20 for similar titles.
* Partners: 10 if the two organisations already work together.

If the periods do not overlap, the pair gets at most `MAX_POINTS_APART`. The reasons are worded for readers of both
organisations.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from partnerships.commitments.quantities import quantity_words
from partnerships.kit.text import figure

#: Pairs with fewer points are not shown to anyone.
MIN_POINTS = 30
#: The reason for organisations that share a partnership.
WORK_TOGETHER = "you already work together"
#: The limit for a pair without a common day. It is below `MIN_POINTS`, so such pairs are not shown.
MAX_POINTS_APART = 25

#: Lexemes (English stems) that nearly every ask and offer contains.
_COMMON_LEXEMES = """
area ask avail build built council develop email help home hous includ land local need new offer opportun partner
partnership plan pleas provid public sector share site social support team use want will work would year
"""
_COMMON = frozenset(_COMMON_LEXEMES.split())
_WORD = re.compile(r"[^\W\d_][\w’'-]+")


@dataclass(frozen=True, slots=True)
class MatchSide:
    """The values of an ask or of an offer that are compared."""

    #: The first and the last day. None means an open start or end.
    start: dt.date | None = None
    end: dt.date | None = None
    #: The quantity that is left.
    quantity: Decimal | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class SharedTraits:
    """What an ask and an offer have in common."""

    areas: tuple[str, ...] = ()
    same_region: bool = False
    words: tuple[str, ...] = ()
    #: How similar the titles are, from 0 to 1.
    likeness: float = 0.0
    partners: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """How well an ask and an offer match, with the reasons."""

    #: Points from 0 to 100.
    points: int
    reasons: tuple[str, ...]


def score_pair(ask: MatchSide, offer: MatchSide, common: SharedTraits) -> Score:
    """Return how well the offer matches the ask."""
    place, place_reason = _place_points(common)
    time, time_reason = _time_points(ask, offer)
    quantity, quantity_reason = _quantity_points(ask, offer)
    words, words_reason = _words_points(common)
    partners, partners_reason = (10, WORK_TOGETHER) if common.partners else (0, "")
    points = round(place + (time or 0) + quantity + words + partners)
    if time is None:
        points = min(points, MAX_POINTS_APART)
    reasons = ("same theme", place_reason, time_reason, quantity_reason, words_reason, partners_reason)
    return Score(points, tuple(reason for reason in reasons if reason))


def _place_points(common: SharedTraits) -> tuple[float, str]:
    """Return the points for the place, and the reason, which is "" if the place gives no reason."""
    if common.areas:
        return 30, f"both about {names_in_words(common.areas)}"
    if common.same_region:
        return 12, "same region"
    return 8, ""


def _time_points(ask: MatchSide, offer: MatchSide) -> tuple[float | None, str]:
    """Return the points for the period, and the reason. The points are None if the periods do not overlap.

    The last day of a period belongs to it.
    """
    if (ask.start is None and ask.end is None) or (offer.start is None and offer.end is None):
        return 10, ""
    if offer.end and ask.start and offer.end < ask.start:
        return None, "the offer ends before it is needed"
    if ask.end and offer.start and ask.end < offer.start:
        return None, "the offer begins after it is needed"
    from_the_start = offer.start is None or (ask.start is not None and offer.start <= ask.start)
    to_the_end = offer.end is None or (ask.end is not None and ask.end <= offer.end)
    if from_the_start and to_the_end:
        is_early = offer.start and ask.start and offer.start < ask.start
        return 20, "available before it is needed" if is_early else "available for the whole time"
    return 8 + 12 * _covered_share(ask, offer), "available for part of the time"


def _covered_share(ask: MatchSide, offer: MatchSide) -> float:
    """Return the share of the period of need that the offer covers, or 0.5 if the period has an open end."""
    if ask.start is None or ask.end is None:
        return 0.5
    first = max(ask.start, offer.start or ask.start)
    last = min(ask.end, offer.end or ask.end)
    return ((last - first).days + 1) / ((ask.end - ask.start).days + 1)


def _quantity_points(ask: MatchSide, offer: MatchSide) -> tuple[float, str]:
    """Return the points for the quantity, and the reason, which is "" if the quantities cannot be compared."""
    if not ask.quantity or not offer.quantity or ask.unit != offer.unit:
        return 6, ""
    if offer.quantity >= ask.quantity:
        return 20, f"all of the {quantity_words(ask.quantity, ask.unit)} asked for"
    share = float(offer.quantity / ask.quantity)
    offered_words = quantity_words(offer.quantity, ask.unit) if ask.unit == "pounds" else figure(offer.quantity)
    return 6 + 14 * share, f"{offered_words} of the {quantity_words(ask.quantity, ask.unit)} asked for"


def _words_points(common: SharedTraits) -> tuple[float, str]:
    """Return the points for the words that both use, and the reason, which is "" without common words."""
    points = max(min(5 * len(common.words), 20), 20 * common.likeness)
    return points, f"both mention {names_in_words(common.words, limit=3)}" if common.words else ""


def distinctive_lexemes(lexemes: Iterable[str]) -> tuple[str, ...]:
    """Return up to four lexemes that are not common, the longest first, because long words tend to be rare."""
    candidates = {lexeme for lexeme in lexemes if len(lexeme) >= 4 and lexeme.isalpha() and lexeme not in _COMMON}
    return tuple(sorted(candidates, key=lambda lexeme: (-len(lexeme), lexeme))[:4])


def written_words(lexemes: Iterable[str], text: str) -> tuple[str, ...]:
    """Return the words of the text that belong to these lexemes, for example "policies" for "polici"."""
    find_word = _word_finder(text)
    return tuple(dict.fromkeys(find_word(lexeme) for lexeme in lexemes))


@lru_cache(maxsize=64)
def _word_finder(text: str) -> Callable[[str], str]:
    """Return a function that finds the word of the text for a lexeme.

    Both functions have a cache, because matching compares the same entry many times.
    """
    words = tuple({word.lower(): None for word in _WORD.findall(text)})

    @lru_cache(maxsize=256)
    def look_up(lexeme: str) -> str:
        stem = lexeme.removesuffix("i")
        return next((word for word in words if word.startswith(stem)), lexeme)

    return look_up


def names_in_words(names: Iterable[str], limit: int = 4) -> str:
    """Return the names as text, for example "Fareham and Gosport", or "Fareham, Gosport and 3 more".

    Returns "" without names.
    """
    listed = list(names)
    if len(listed) > limit:
        listed = [*listed[: limit - 1], f"{len(listed) - limit + 1} more"]
    if len(listed) < 2:
        return "".join(listed)
    return f"{', '.join(listed[:-1])} and {listed[-1]}"
