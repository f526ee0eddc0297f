"""Cards of asks and offers, written once for the same words: templates cost more than finding the rows.

What is kept is a function of everything that it shows, so it is never out of date and never anybody else's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import lru_cache

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from partnerships.exchange.matching import listed
from partnerships.exchange.models import Entry, Status, Theme
from partnerships.exchange.queries.board import Card, card_of
from partnerships.exchange.queries.compiled import Reader
from partnerships.exchange.queries.matches import count_matches


def written(cards: Sequence[Card], reader: Reader) -> list[SafeString]:
    """The cards in HTML, each with the number of matches that the reader may see."""
    numbers = count_matches(reader, cards)
    today = timezone.localdate()
    return [_card(card, numbers.get(card.pk), today) for card in cards]


def written_entries(entries: Iterable[Entry], reader: Reader) -> list[SafeString]:
    """The same for entries that were read with `for_listing`."""
    return written([card_of(entry) for entry in entries], reader)


@lru_cache(maxsize=4_096)
def _card(card: Card, matches: int | None, today: dt.date) -> SafeString:
    # `today` is in the key because a card says for how many days it has been waiting.
    context = {
        "card": card,
        "areas": listed(card.areas),
        "status": Status(card.status).label,
        "theme": Theme(card.theme).label,
        "matches": matches,
        "waited": (today - card.waiting_since).days if card.waiting_since else None,
    }
    return render_to_string("exchange/_card.html", context)
