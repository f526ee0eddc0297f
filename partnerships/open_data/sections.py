"""What this room adds to an organisation's page: the way to its open data."""

from __future__ import annotations

from partnerships.kit.sections import Section
from partnerships.organisations.models import PLANNING_BODIES, Organisation
from partnerships.people.models import User


def open_data_section(user: User, organisation: Organisation) -> Section | None:
    """The way to the page of a planning authority's open data. None for others."""
    if organisation.kind not in PLANNING_BODIES:
        return None
    return Section("open_data/_section.html", {"organisation": organisation})
