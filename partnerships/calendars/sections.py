"""What calendars add to the page of a partnership."""

from __future__ import annotations

from partnerships.agreements.models import Partnership, Party
from partnerships.kit.sections import Section
from partnerships.people.models import User


def calendar_section(user: User, partnership: Partnership) -> Section | None:
    """The way to one's own calendar of the partnership, for people of present parties."""
    if not Party.objects.takes_part(user, partnership.pk):
        return None
    return Section("calendars/_section.html", {"partnership": partnership})
