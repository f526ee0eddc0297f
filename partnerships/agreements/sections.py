"""Sections on the pages of partnerships, which only people of present parties see, and of posts."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone

from partnerships.agreements.models import Notice, Objective, Partnership, Party, Post
from partnerships.agreements.models.dates import NoticeQuerySet
from partnerships.agreements.queries.dates import chain_lookup, chain_of_agreements, dates_ahead, gaps_of
from partnerships.agreements.queries.objectives import objective_states, objectives_lookup
from partnerships.agreements.rights import rights_over
from partnerships.kit.sections import Section, Sections
from partnerships.organisations.sections import RecordSections
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User

ON_PARTNERSHIPS: RecordSections[Partnership] = RecordSections()
#: Sections on the page of a post, for people who may name its holder.
ON_POSTS: Sections[User, Post] = Sections()


def notices_of(partnership_id: int) -> NoticeQuerySet:
    """Return all notices of a partnership, even withdrawn notices."""
    return Notice.objects.filter(partnership=partnership_id)


def successors_of(partnership_id: int) -> QuerySet[Partnership]:
    """Return the agreements that follow a partnership."""
    return Partnership.objects.filter(redefines=partnership_id)


def dates_lookups(user: User, partnership: Partnership) -> list[Lookup]:
    """Return the queries of `dates_section`, which the page runs together with those of other sections."""
    return [lookup(_open_notices, partnership.pk), chain_lookup(user, partnership)]


def dates_section(user: User, partnership: Partnership, *, has_rows: bool) -> Section | None:
    """Return the section with coming dates, open notices, and days without cover before a successor.

    `has_rows` says whether the partnership has any notice or successor. Without them, their queries are not made.
    Returns None if there is nothing to show.
    """
    today = timezone.localdate()
    chain = chain_of_agreements(user, partnership, today) if has_rows or partnership.redefines_id else []
    context = {
        "partnership": partnership,
        "ahead": [(kind.label, day) for kind, day in dates_ahead(partnership, today).items()],
        "notices": rows_for(_open_notices, partnership.pk) if has_rows else [],
        "gap": gaps_of(user, [partnership.pk], today).get(partnership.pk) if chain else None,
        "chain": chain,
    }
    has_content = context["ahead"] or context["notices"] or chain
    return Section("agreements/dates/_section.html", context) if has_content else None


def _open_notices(partnership_id: int) -> QuerySet[Notice]:
    """Return the open notices of a partnership, by last day."""
    return notices_of(partnership_id).pending().select_related("organisation").order_by("last_day", "pk")


def objectives_of(partnership_id: int) -> QuerySet[Objective]:
    """Return all objectives of a partnership."""
    return Objective.objects.filter(partnership=partnership_id)


def objectives_lookups(user: User, partnership: Partnership) -> list[Lookup]:
    """Return the queries of `objectives_section`, which the page runs together with those of other sections."""
    return [objectives_lookup(partnership.pk)]


def objectives_section(user: User, partnership: Partnership, *, has_rows: bool) -> Section | None:
    """Return the section with all objectives in one table, for people of present parties."""
    if not Party.objects.person_takes_part(user, partnership.pk):
        return None
    objective_rows = objective_states(user, partnership, None, timezone.localdate()) if has_rows else []
    may_edit = rights_over(partnership, user, timezone.now()).may_edit_objectives and not partnership.is_over
    if not objective_rows and not may_edit:
        return None
    return Section(
        "agreements/objectives/_section.html",
        {"partnership": partnership, "rows": objective_rows, "may_edit": may_edit},
    )
