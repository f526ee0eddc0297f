"""The section of an organisation's page.

The way to what it says about recommendations.
"""

from __future__ import annotations

from partnerships.kit.sections import Section
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


def on_organisations(user: User, organisation: Organisation) -> Section:
    """A link, and no figure: most visits do not ask for one."""
    return Section("recommendations/_section.html", {"organisation": organisation})
