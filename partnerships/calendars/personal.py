"""What happens to personal data about calendars, and to the addresses of a person whose account is closed."""

from __future__ import annotations

from partnerships.calendars.services import end_addresses_of
from partnerships.people.leaving import Leaving
from partnerships.people.personal import ErasureAction, Rule

RULES = (
    Rule(
        "calendars.CalendarAddress",
        "person",
        ErasureAction.DELETE,
        "which dates their calendar shows",
        ("kinds", "made_at", "read_at"),
    ),
)


def end_addresses(leaving: Leaving) -> int:
    """End the calendar addresses of a person who leaves, and return how many."""
    return end_addresses_of(person=leaving.person, author=leaving.author, now=leaving.now)
