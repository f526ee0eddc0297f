"""Adds reports to the pages of partnerships and organisations."""

from __future__ import annotations

from django.db.models import QuerySet

from partnerships.agreements.models import Partnership, Party
from partnerships.kit.sections import Section
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User
from partnerships.reports.models import FrozenReport

#: Reports with a filter for a partnership, and the text of the link to each.
_PARTNERSHIP_REPORTS = (
    ("board-pack", "Board pack"),
    ("homes-pipeline", "Homes pipeline"),
    ("promises-kept", "Promises kept"),
    ("unanswered-asks", "Unanswered asks"),
    ("contact", "Contact"),
)
#: Reports with a filter for an organisation, and the text of the link to each.
_ORGANISATION_REPORTS = (("reciprocity", "Reciprocity"), ("evidence-file", "Evidence of local co-operation"))
#: Frozen reports that the section lists.
_MAX_LISTED = 5


def frozen_of(partnership: int) -> QuerySet[FrozenReport]:
    """Return all frozen reports of a partnership."""
    return FrozenReport.objects.filter(partnership=partnership)


def reports_lookups(user: User, partnership: Partnership) -> list[Lookup]:
    """Return the queries of `reports_section`, so that they can be sent together with others."""
    return [lookup(_newest, user, partnership.pk)]


def reports_section(user: User, partnership: Partnership, *, has_rows: bool) -> Section | None:
    """Return links to the partnership's reports, and its newest frozen reports, for people of present parties."""
    if not Party.objects.takes_part(user, partnership.pk):
        return None
    frozen = rows_for(_newest, user, partnership.pk) if has_rows else []
    return Section(
        "reports/_section.html", {"partnership": partnership, "reports": _PARTNERSHIP_REPORTS, "frozen": frozen}
    )


def organisation_section(user: User, organisation: Organisation) -> Section | None:
    """Return links to the organisation's dashboard and reports, for people who act for it."""
    if organisation.pk not in Membership.objects.roles_of(user):
        return None
    return Section("reports/_organisation.html", {"organisation": organisation, "reports": _ORGANISATION_REPORTS})


def _newest(user: User, partnership: int) -> QuerySet[FrozenReport]:
    reports = FrozenReport.objects.present_for(user).filter(partnership=partnership).defer("content")
    return reports.order_by("-frozen_at", "-pk")[:_MAX_LISTED]
