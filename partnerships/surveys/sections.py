"""What this room adds to the page of a partnership: the way to its surveys."""

from __future__ import annotations

from django.db.models import QuerySet

from partnerships.agreements.models import Partnership
from partnerships.kit.sections import Section
from partnerships.organisations.statements import count_for
from partnerships.people.models import User
from partnerships.surveys.models import Round


def rounds_of(partnership: int) -> QuerySet[Round]:
    """All rounds of surveys of a partnership."""
    return Round.objects.filter(partnership=partnership)


def surveys_section(user: User, partnership: Partnership, *, has_rows: bool) -> Section | None:
    """The way to the surveys, for people of the parties."""
    count = count_for(_of, user, partnership.pk) if has_rows else 0
    may_begin = not partnership.is_over
    if not count and not may_begin:
        return None
    return Section("surveys/_section.html", {"partnership": partnership, "count": count})


def _of(user: User, partnership: int) -> QuerySet[Round]:
    return Round.objects.visible_to(user).filter(partnership=partnership)
