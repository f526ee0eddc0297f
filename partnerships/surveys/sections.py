"""The section of a partnership's page with a link to its surveys."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from partnerships.agreements.models import Partnership
from partnerships.kit.sections import Section
from partnerships.organisations.statements import Lookup, count_for, count_lookup
from partnerships.people.models import User
from partnerships.surveys.models import Joining, Round


def rounds_of(partnership_id: int) -> QuerySet[Round]:
    """Return the rounds that a partnership runs, alone or with others, and those that it is asked to join."""
    joint_rounds = Joining.objects.filter(partnership=partnership_id).values("round")
    return Round.objects.filter(Q(partnership=partnership_id) | Q(pk__in=joint_rounds))


def surveys_lookups(user: User, partnership: Partnership) -> list[Lookup]:
    """Return the query of the section, so that the page can run it together with others."""
    return [count_lookup(_readable_rounds, user, partnership.pk)]


def surveys_section(user: User, partnership: Partnership, *, has_rows: bool) -> Section | None:
    """Return the section, or None if the partnership is over and had no survey that the person may read."""
    count = count_for(_readable_rounds, user, partnership.pk) if has_rows else 0
    if not count and partnership.is_over:
        return None
    return Section("surveys/_section.html", {"partnership": partnership, "count": count})


def _readable_rounds(user: User, partnership_id: int) -> QuerySet[Round]:
    return Round.objects.visible_to(user).filter(pk__in=rounds_of(partnership_id).values("pk"))
