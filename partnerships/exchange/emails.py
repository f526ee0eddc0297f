"""Letters of the exchange: what newly fits a saved filter, and what is about to lapse."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from partnerships.exchange.models import Entry, SavedFilter
from partnerships.kit.letters import link, send_letter
from partnerships.people.models import User


def send_new_fits(saved: SavedFilter, entries: Sequence[Entry]) -> bool:
    """Tell a person which new asks and offers fit a filter they keep; whether the server took it."""
    context = {
        "saved": saved,
        "entries": [(entry, link("exchange:detail", pk=entry.pk)) for entry in entries],
        "count": len(entries),
        "board": f"{settings.SITE_ORIGIN}{saved.get_absolute_url()}",
        "manage": link("exchange:saved"),
    }
    return send_letter(to=saved.person.email, template="exchange/new_fits", context=context)


def send_closing_soon(entry: Entry, person: User, *, own: bool) -> bool:
    """Remind somebody that an unanswered entry is about to lapse: its own side, or those it asks."""
    context = {"entry": entry, "person": person, "own": own, "link": link("exchange:detail", pk=entry.pk)}
    return send_letter(to=person.email, template="exchange/closing_soon", context=context)


def send_referred(entry: Entry, person: User, *, author: User) -> bool:
    """Tell a colleague that an ask or offer is theirs to answer. The word to them is on its page alone."""
    context = {"entry": entry, "person": person, "author": author, "link": link("exchange:detail", pk=entry.pk)}
    return send_letter(to=person.email, template="exchange/referred", context=context)
