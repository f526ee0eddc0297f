"""Search finds frozen reports by name and reason, never by their figures."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import QuerySet
from django.utils import timezone

from partnerships.organisations.holdings import among
from partnerships.people.models import User
from partnerships.reports.models import READERS, FrozenReport
from partnerships.reports.registry import find_report
from partnerships.search.entries import Row, joined
from partnerships.search.sources.source import Source, by_record, readers_by_routes


def _frozen(ids: Collection[int]) -> Iterable[Row]:
    readers = readers_by_routes(FrozenReport, READERS, ids)
    for one in FrozenReport.objects.filter(pk__in=ids).defer("content"):
        report = find_report(one.report)
        yield Row(
            object_id=one.pk,
            kind="frozen",
            title=one.name,
            text=joined(one.reason, report.title if report else ""),
            partnership_id=one.partnership_id,
            organisation_id=one.organisation_id,
            day=timezone.localdate(one.frozen_at),
            path=one.get_absolute_url(),
            readers=readers[one.pk],
        )


def _frozen_for(user: User, ids: list[int]) -> QuerySet[FrozenReport, int]:
    return FrozenReport.objects.visible_to(user).filter(among("pk", ids)).values_list("pk", flat=True)


FROZEN = Source(
    code="frozen",
    model=FrozenReport,
    kinds={"frozen": ("Frozen report", "Frozen reports")},
    read=_frozen,
    check=by_record(_frozen_for),
    follows={"reports_frozenreport.id": ("pk",), "agreements_party.partnership_id": ("partnership",)},
)
