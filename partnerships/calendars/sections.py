"""The section about calendars on a partnership's page."""

from __future__ import annotations

from partnerships.agreements.models import Partnership, Party
from partnerships.kit.sections import Section
from partnerships.people.models import User


def calendar_section(user: User, partnership: Partnership) -> Section | None:
    """Return a link to the person's calendar of the partnership; None if no organisation of theirs takes part."""
    if not Party.objects.person_takes_part(user, partnership.pk):
        return None
    return Section("calendars/_section.html", {"partnership": partnership})
