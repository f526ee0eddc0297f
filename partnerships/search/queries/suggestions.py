"""Suggests records while a person types, by words of their titles, names and references that start like those typed."""

from __future__ import annotations

from dataclasses import dataclass

from partnerships.kit.database import rows_of
from partnerships.people.models import User
from partnerships.search.queries.asking import clean_text, prefix_query
from partnerships.search.queries.candidates import SearchFilters, readable_entries
from partnerships.search.sources.every import KINDS

#: Number of suggestions that are shown.
SHOWN = 8
#: Number of entries whose rights are checked. It is larger, because several entries may link to the same page.
_CHECKED = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A record that the person can open from the list of suggestions."""

    title: str
    href: str
    kind: str


def suggest(*, user: User, text: str) -> tuple[Suggestion, ...]:
    """Return up to `SHOWN` records that the person may read and that have words like these in the title.

    For example, "har lo" suggests the plan “Harbour local plan”.
    """
    text = clean_text(text)
    query = prefix_query(text, in_titles=True) if text else None
    if query is None:
        return ()
    entries = readable_entries(user, query, text, SearchFilters(), limit=_CHECKED).entries[:SHOWN]
    titles_by_id = _titles_by_id([entry.id for entry in entries])
    return tuple(
        Suggestion(title=titles_by_id[entry.id], href=entry.path, kind=KINDS[entry.kind].singular)
        for entry in entries
        if entry.id in titles_by_id
    )


def _titles_by_id(entry_ids: list[int]) -> dict[int, str]:
    """Return the titles of these entries, by id."""
    if not entry_ids:
        return {}
    return dict(rows_of("SELECT id, title FROM search_searchentry WHERE id = ANY(%s)", [entry_ids]))
