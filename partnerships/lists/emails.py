"""The email about a followed view."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from partnerships.kit.lists import ListDefinition
from partnerships.lists.models import Follow, SavedView
from partnerships.lists.queries import listing_by
from partnerships.outbox.content import Content, link
from partnerships.outbox.kinds import Due
from partnerships.people.models import User

#: An email names this many rows on each side and counts the others.
MAX_NAMED = 20
_ENDED = "They no longer follow this view."


def write_followed(due: Due, person: User, now: dt.datetime) -> Content | str:
    """What entered and what left a view, as far as its follower may read it now."""
    follow = Follow.objects.filter(pk=due.params["follow"], person=person).select_related("view").first()
    if follow is None or not SavedView.objects.visible_to(person).filter(pk=follow.view_id).exists():
        return _ENDED
    listing = listing_by(follow.view, person)
    if listing is None:
        return _ENDED
    definition = listing.definition
    entered = listing.found().filter(pk__in=due.params["entered"])
    left = definition.readable(person).filter(pk__in=due.params["left"]).exclude(pk__in=listing.found().values("pk"))
    entered_count, left_count = entered.count(), left.count()
    unreadable = len(set(due.params["left"])) - definition.readable(person).filter(pk__in=due.params["left"]).count()
    if not entered_count and not left_count and not unreadable:
        return "The rows that changed have changed back."
    context = {
        "person": person,
        "view": follow.view,
        "list": definition.title,
        "entered": _named(definition, person, entered),
        "more_entered": max(0, entered_count - MAX_NAMED),
        "left": _named(definition, person, left),
        "more_left": max(0, left_count - MAX_NAMED),
        "unreadable": unreadable,
        "what": _what(entered_count, left_count + unreadable),
        "address": f"{settings.SITE_ORIGIN}{follow.view.get_absolute_url()}",
        "manage": link("lists:views"),
    }
    return Content("lists/followed", context)


def _what(entered: int, left: int) -> str:
    """`2 entered, 1 left`."""
    counts = ((entered, "entered"), (left, "left"))
    return ", ".join(f"{count:,} {word}" for count, word in counts if count)


def _named(definition: ListDefinition, person: User, rows: QuerySet[Any]) -> list[tuple[str, str]]:
    """The first rows by number: what names each, and its page."""
    first_rows = list(rows.order_by("pk")[:MAX_NAMED])
    definition.make_ready(person, first_rows, [definition.first])
    return [(str(definition.first.value(row)), f"{settings.SITE_ORIGIN}{row.get_absolute_url()}") for row in first_rows]
