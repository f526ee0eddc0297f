"""Find the working groups of a partnership, for its page."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from partnerships.agreements.models import Partnership, WorkingGroup
from partnerships.kit.sections import Section
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User


def group_links_of(partnership_id: int) -> QuerySet[WorkingGroup]:
    """Return the rows that connect the partnership, as a parent or as a working group, with others."""
    return WorkingGroup.objects.filter(Q(parent=partnership_id) | Q(partnership=partnership_id))


def groups_section(user: User, partnership: Partnership, *, has_rows: bool) -> Section | None:
    """Return the section with the working groups and the parent of the partnership, or None if it has neither.

    `has_rows` is true if `group_links_of` returns any row for the partnership.
    """
    if not has_rows:
        return None
    groups = rows_for(_visible_groups, user, partnership.pk)
    # A partnership is a working group of at most one parent.
    parent_links = rows_for(_visible_parent_link, user, partnership.pk)
    if not groups and not parent_links:
        return None
    context = {"groups": groups, "parent_link": parent_links[0] if parent_links else None}
    return Section("agreements/_groups_section.html", context)


def groups_lookups(user: User, partnership: Partnership) -> list[Lookup]:
    """Return the queries of the section, so that `read_ahead` can run them with others."""
    return [lookup(_visible_groups, user, partnership.pk), lookup(_visible_parent_link, user, partnership.pk)]


def _visible_groups(user: User, partnership_id: int) -> QuerySet[Partnership]:
    """Return the working groups of the partnership that the person may see today."""
    visible_partnerships = Partnership.objects.visible_today_to(user)
    return (
        visible_partnerships.filter(as_group__parent=partnership_id).select_related("as_group").order_by("title", "pk")
    )


def _visible_parent_link(user: User, partnership_id: int) -> QuerySet[WorkingGroup]:
    """Return the link from the partnership to its parent, if the person may see the parent today."""
    visible_partnerships = Partnership.objects.visible_today_to(user)
    return WorkingGroup.objects.filter(partnership=partnership_id, parent__in=visible_partnerships).select_related(
        "parent"
    )
