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
from partnerships.outbox.kinds import DueEmail
from partnerships.people.models import User

#: An email names at most this many rows that entered the view, and as many that left. Other rows are only counted.
MAX_NAMED = 20
_NO_LONGER_FOLLOWED = "The recipient no longer follows this view."


def write_followed(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Email a follower which rows entered and left a view, as far as the follower may read them now."""
    follow = Follow.objects.filter(pk=due.params["follow"], person=person).select_related("view").first()
    if follow is None or not SavedView.objects.visible_to(person).filter(pk=follow.view_id).exists():
        return _NO_LONGER_FOLLOWED
    listing = listing_by(follow.view, person)
    if listing is None:
        return _NO_LONGER_FOLLOWED

    # Compare the rows with the view as it is now, because they may have changed back since the email was recorded.
    definition = listing.definition
    entered_rows = listing.matching_rows().filter(pk__in=due.params["entered"])
    readable_former_rows = definition.readable(person).filter(pk__in=due.params["left"])
    left_rows = readable_former_rows.exclude(pk__in=listing.matching_rows().values("pk"))

    entered_count, left_count = entered_rows.count(), left_rows.count()
    unreadable_count = len(set(due.params["left"])) - readable_former_rows.count()
    if not entered_count and not left_count and not unreadable_count:
        return "The rows that changed have changed back."
    context = {
        "person": person,
        "view": follow.view,
        "list": definition.title,
        "entered": _names_and_links(definition, person, entered_rows),
        "more_entered": max(0, entered_count - MAX_NAMED),
        "left": _names_and_links(definition, person, left_rows),
        "more_left": max(0, left_count - MAX_NAMED),
        "unreadable": unreadable_count,
        "what": _counts_in_words(entered_count, left_count + unreadable_count),
        "address": f"{settings.SITE_ORIGIN}{follow.view.get_absolute_url()}",
        "manage": link("lists:views"),
    }
    return Content("lists/followed", context)


def _counts_in_words(entered_count: int, left_count: int) -> str:
    """Return the counts for the subject, for example "2 added, 1 removed". A count of 0 is left out."""
    counts = ((entered_count, "added"), (left_count, "removed"))
    return ", ".join(f"{count:,} {verb}" for count, verb in counts if count)


def _names_and_links(definition: ListDefinition, person: User, rows: QuerySet[Any]) -> list[tuple[str, str]]:
    """Return the name and the address of the first `MAX_NAMED` rows, by id."""
    first_rows = list(rows.order_by("pk")[:MAX_NAMED])
    definition.make_ready(person, first_rows, [definition.first])
    return [(str(definition.first.value(row)), f"{settings.SITE_ORIGIN}{row.get_absolute_url()}") for row in first_rows]
