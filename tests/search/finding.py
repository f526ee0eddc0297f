"""Helpers that return what a person finds by search, and that publish a plan to find."""

from __future__ import annotations

import re
from html import unescape

from partnerships.people.models import User
from partnerships.search.queries import search
from partnerships.search.queries.asking import TextQuery
from partnerships.search.queries.candidates import SearchFilters, readable_entries
from partnerships.search.sources.source import MatchingEntry
from tests.plans.drafts import publish, published_plan, save
from tests.world import World

#: Matches every entry of the index. In a tsquery, "!" means "not", and no entry contains the word "zq".
EVERYTHING = TextQuery(sql="'!zq'::tsquery")


def titles(person: User, text: str) -> set[str]:
    """Return the titles of the results that a person finds, without marks."""
    return {unescape(re.sub(r"</?mark>", "", hit.title)) for hit in search(user=person, text=text).hits}


def all_entries_for(person: User) -> tuple[MatchingEntry, ...]:
    """Return all entries of the index that a person may find."""
    return readable_entries(person, EVERYTHING, "", SearchFilters()).entries


def findable_paths(person: User) -> set[str]:
    """Return the paths of all entries that a person may find."""
    return {entry.path for entry in all_entries_for(person)}


def publish_second_version(world: World, **about: str) -> None:
    """Publish a plan of the Estuary Partnership, and a second version in which `about` is changed."""
    plan = published_plan(world)
    save(plan, world, "about", **about)
    publish(plan, world, "More.")
