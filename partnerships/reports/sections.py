"""What reports add to the pages of partnerships and organisations."""

from __future__ import annotations

from django.db.models import QuerySet

from partnerships.agreements.models import Partnership, Party
from partnerships.kit.sections import Section
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User
from partnerships.reports.models import FrozenReport

#: Reports that can be narrowed to one partnership, and what a link to each says.
_NARROWED = (
    ("board-pack", "Board pack"),
    ("homes-pipeline", "Homes pipeline"),
    ("promises-kept", "Promises kept"),
    ("unanswered-asks", "Unanswered asks"),
    ("contact", "Contact"),
)
#: Reports that can be narrowed to one organisation, and what a link to each says.
_OF_ORGANISATIONS = (("reciprocity", "Reciprocity"), ("evidence-file", "Evidence of local co-operation"))
#: Frozen reports that are named.
_MAX_NAMED = 5


def frozen_of(partnership: int) -> QuerySet[FrozenReport]:
    """All frozen reports of a partnership."""
    return FrozenReport.objects.filter(partnership=partnership)


def reports_lookups(user: User, partnership: Partnership) -> list[Lookup]:
    """What `reports_section` asks."""
    return [lookup(_newest, user, partnership.pk)]


def reports_section(user: User, partnership: Partnership, *, has_rows: bool) -> Section | None:
    """Reports of the partnership and its newest frozen ones, for people of present parties."""
    if not Party.objects.takes_part(user, partnership.pk):
        return None
    frozen = rows_for(_newest, user, partnership.pk) if has_rows else []
    return Section("reports/_section.html", {"partnership": partnership, "reports": _NARROWED, "frozen": frozen})


def organisation_section(user: User, organisation: Organisation) -> Section | None:
    """The dashboard and the reports of the organisation, for people who act for it."""
    if organisation.pk not in Membership.objects.roles_of(user):
        return None
    return Section("reports/_organisation.html", {"organisation": organisation, "reports": _OF_ORGANISATIONS})


def _newest(user: User, partnership: int) -> QuerySet[FrozenReport]:
    reports = FrozenReport.objects.present_for(user).filter(partnership=partnership).defer("content")
    return reports.order_by("-frozen_at", "-pk")[:_MAX_NAMED]
