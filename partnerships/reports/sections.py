"""The sections of reports on the pages of partnerships and organisations."""

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
_ORGANISATION_REPORTS = (
    ("reciprocity", "Asks and promises by partner"),
    ("evidence-file", "Evidence of local co-operation"),
)
#: The most frozen reports that the section lists.
_MAX_LISTED = 5


def frozen_reports_of(partnership_id: int) -> QuerySet[FrozenReport]:
    """Return all frozen reports of a partnership."""
    return FrozenReport.objects.filter(partnership=partnership_id)


def reports_lookups(user: User, partnership: Partnership) -> list[Lookup]:
    """Return the queries of `reports_section`, so that they can be sent together with other queries."""
    return [lookup(_newest_frozen_reports, user, partnership.pk)]


def reports_section(user: User, partnership: Partnership, *, has_rows: bool) -> Section | None:
    """Return the section with links to a partnership's reports, and its newest frozen reports.

    Returns None unless the person acts for a present party.
    """
    if not Party.objects.person_takes_part(user, partnership.pk):
        return None
    frozen = rows_for(_newest_frozen_reports, user, partnership.pk) if has_rows else []
    return Section(
        "reports/_section.html", {"partnership": partnership, "reports": _PARTNERSHIP_REPORTS, "frozen": frozen}
    )


def organisation_section(user: User, organisation: Organisation) -> Section | None:
    """Return the section with links to an organisation's dashboard and reports.

    Returns None unless the person acts for the organisation.
    """
    if organisation.pk not in Membership.objects.roles_of(user):
        return None
    return Section("reports/_organisation.html", {"organisation": organisation, "reports": _ORGANISATION_REPORTS})


def _newest_frozen_reports(user: User, partnership_id: int) -> QuerySet[FrozenReport]:
    """Return the newest frozen reports of a partnership for people who were and still are in their audience."""
    reports = FrozenReport.objects.visible_to_current_audience(user).filter(partnership=partnership_id).defer("content")
    return reports.order_by("-frozen_at", "-pk")[:_MAX_LISTED]
