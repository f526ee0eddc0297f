"""The working groups of a partnership, for its page."""

from __future__ import annotations

from partnerships.agreements.models import Partnership, WorkingGroup
from partnerships.kit.sections import Section
from partnerships.people.models import User


def groups_section(user: User, partnership: Partnership) -> Section | None:
    """Working groups of the partnership, or the partnership that this group belongs to."""
    known = Partnership.objects.known_today_to(user)
    groups = list(known.filter(as_group__parent=partnership).select_related("as_group").order_by("title", "pk"))
    own = WorkingGroup.objects.filter(partnership=partnership, parent__in=known).select_related("parent").first()
    if not (groups or own):
        return None
    return Section("agreements/_groups_section.html", {"groups": groups, "own": own})
