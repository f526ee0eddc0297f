"""The section about open data on an organisation's page."""

from __future__ import annotations

from partnerships.kit.sections import Section
from partnerships.organisations.models import PLANNING_BODIES, Organisation
from partnerships.people.models import User


def open_data_section(user: User, organisation: Organisation) -> Section | None:
    """Return a link to the open data of a planning authority, or None for other organisations."""
    if organisation.kind not in PLANNING_BODIES:
        return None
    return Section("open_data/_section.html", {"organisation": organisation})
