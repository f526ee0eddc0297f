"""Renders the lists in a digest that are different for each reader: matches, notices and open tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from partnerships.digests.emails.entries import Entry
from partnerships.digests.emails.styling import inline_fragment
from partnerships.digests.planning.matches import MAX_MATCHES, MatchLine
from partnerships.digests.planning.notices import MAX_NOTICES
from partnerships.kit.waiting import MAX_LISTED, WaitingTask

#: How many open tasks an email lists. The page "My work" lists all.
MAX_WAITING = 8


def render_matches(part: str, matches: Sequence[MatchLine]) -> str:
    """Render the new matches for one part of an email, `txt` or `html`."""
    context = {
        "matches": matches,
        "shown": matches[:MAX_MATCHES],
        "more": max(len(matches) - MAX_MATCHES, 0),
        "origin": settings.SITE_ORIGIN,
    }
    return _render("_matches", part, context)


def render_notices(part: str, entries: Sequence[Entry], count: int, *, has_button: bool) -> str:
    """Render the notices for one part of an email, `txt` or `html`.

    `count` is the number of all notices, listed or not.
    """
    context = {
        "entries": entries,
        "more": max(count - MAX_NOTICES, 0),
        "origin": settings.SITE_ORIGIN,
        "has_button": has_button,
    }
    return _render("_lines", part, context)


def render_tasks(part: str, waiting: Sequence[WaitingTask]) -> str:
    """Render the reader's open tasks for one part of an email, `txt` or `html`.

    At most `MAX_LISTED` tasks are read, so nobody knows how many more a reader with that many has. The list then ends
    with "and more than 992 more".
    """
    more: int | str = max(len(waiting) - MAX_WAITING, 0)
    if len(waiting) >= MAX_LISTED:
        more = f"more than {MAX_LISTED - 1 - MAX_WAITING}"
    context = {"waiting": waiting[:MAX_WAITING], "more": more, "origin": settings.SITE_ORIGIN}
    return _render("_waiting", part, context)


def _render(template: str, part: str, context: dict[str, Any]) -> str:
    """Render one template for one part of an email, `txt` or `html`."""
    rendered: str = render_to_string(f"emails/digests/{template}.{part}", context)
    return rendered if part == "txt" else inline_fragment(rendered)
