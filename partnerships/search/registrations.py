"""Register the search room with other rooms at start-up."""

from __future__ import annotations

from partnerships.people.leaving import register_leaving
from partnerships.search.services import delete_entries_of_person


def register() -> None:
    """Register the deletion of the names of people who leave."""
    register_leaving("names forgotten by search", delete_entries_of_person, consequence="remove their name from search")
