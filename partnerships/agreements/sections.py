"""Sections on the pages of partnerships (for present parties only) and of posts."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone

from partnerships.agreements.models import Notice, Partnership, Party, Post
from partnerships.agreements.queries.dates import chain_of, dates_ahead, gaps_of
from partnerships.agreements.queries.objectives import standings
from partnerships.agreements.rights import rights_over
from partnerships.kit.sections import Section, Sections
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User

ON_PARTNERSHIPS: Sections[User, Partnership] = Sections()
#: Sections on the page of a post, for those who may name its holder.
ON_POSTS: Sections[User, Post] = Sections()


def dates_section(user: User, partnership: Partnership) -> Section | None:
    """The dates that are coming, notices, and days without cover."""
    today = timezone.localdate()
    chain = chain_of(user, partnership, today)
    context = {
        "partnership": partnership,
        "ahead": [(kind.label, day) for kind, day in dates_ahead(partnership, today).items()],
        "notices": rows_for(_open_notices, partnership.pk),
        "gap": gaps_of(user, [partnership.pk], today).get(partnership.pk) if chain else None,
        "chain": chain,
    }
    shown = context["ahead"] or context["notices"] or chain
    return Section("agreements/dates/_section.html", context) if shown else None


def _open_notices(partnership: int) -> QuerySet[Notice]:
    found = Notice.objects.filter(partnership=partnership).open()
    return found.select_related("organisation").order_by("last_day", "pk")


def objectives_section(user: User, partnership: Partnership) -> Section | None:
    """All objectives in one table, for people of present parties."""
    if not Party.objects.takes_part(user, partnership.pk):
        return None
    rows = standings(user, partnership, None, timezone.localdate())
    may_keep = rights_over(partnership, user, timezone.now()).may_keep_objectives and not partnership.is_over
    if not rows and not may_keep:
        return None
    return Section(
        "agreements/objectives/_section.html", {"partnership": partnership, "rows": rows, "may_keep": may_keep}
    )
