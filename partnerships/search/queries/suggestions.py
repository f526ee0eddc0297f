"""Suggestions while somebody types.

Titles, names and references that begin like the words.
"""

from __future__ import annotations

from dataclasses import dataclass

from partnerships.kit.database import rows_of
from partnerships.people.models import User
from partnerships.search.queries import asking
from partnerships.search.queries.candidates import Narrowed, readable
from partnerships.search.sources.every import KINDS

#: Suggestions shown.
SHOWN = 8
#: Entries that are checked for them.
_CHECKED = 30


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something to open without searching for it first."""

    title: str
    href: str
    kind: str


def suggest(*, user: User, text: str) -> tuple[Suggestion, ...]:
    """What the person may read whose title has words that begin like those typed, best first."""
    text = asking.cleaned(text)
    asked = asking.beginning(text, in_titles=True) if text else None
    if asked is None:
        return ()
    found = readable(user, asked, text, Narrowed(), limit=_CHECKED).found[:SHOWN]
    ids = [entry.id for entry in found]
    titles = dict(rows_of("SELECT id, title FROM search_searchentry WHERE id = ANY(%s)", [ids])) if ids else {}
    return tuple(
        Suggestion(titles[entry.id], entry.path, KINDS[entry.kind][0]) for entry in found if entry.id in titles
    )
