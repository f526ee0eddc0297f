"""A section of an organisation's page, with a link to its responses to recommendations."""

from __future__ import annotations

from partnerships.kit.sections import Section
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


def recommendations_section(user: User, organisation: Organisation) -> Section:
    """Return a section with a link but no figure, because counting takes time and most visits need no figure."""
    return Section("recommendations/_section.html", {"organisation": organisation})
