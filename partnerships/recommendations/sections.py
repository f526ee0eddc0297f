"""The section of an organisation's page.

The way to what it says about recommendations.
"""

from __future__ import annotations

from partnerships.kit.sections import Section
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


def on_organisations(user: User, organisation: Organisation) -> Section:
    """Return a section with a link but no figure: most visits do not need a figure, and counting takes time."""
    return Section("recommendations/_section.html", {"organisation": organisation})
