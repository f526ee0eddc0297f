"""Index rows of frozen reports by name and reason, without their figures."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import QuerySet
from django.utils import timezone

from partnerships.organisations.holdings import id_is_among
from partnerships.people.models import User
from partnerships.reports.models import READERS, FrozenReport
from partnerships.reports.registry import find_report
from partnerships.search.entries import EntryRow, joined_lines
from partnerships.search.sources.source import KindNames, Source, check_by_record, readers_by_routes


def _frozen_report_rows(ids: Collection[int]) -> Iterable[EntryRow]:
    """Yield a row for each frozen report."""
    readers = readers_by_routes(FrozenReport, READERS, ids)
    for frozen_report in FrozenReport.objects.filter(pk__in=ids).defer("content"):
        report = find_report(frozen_report.report)
        yield EntryRow(
            object_id=frozen_report.pk,
            kind="frozen",
            title=frozen_report.name,
            text=joined_lines(frozen_report.reason, report.title if report else ""),
            partnership_id=frozen_report.partnership_id,
            organisation_id=frozen_report.organisation_id,
            day=timezone.localdate(frozen_report.frozen_at),
            path=frozen_report.get_absolute_url(),
            readers=readers[frozen_report.pk],
        )


def _readable_frozen_reports(user: User, ids: list[int]) -> QuerySet[FrozenReport, int]:
    """Return the ids of the frozen reports that the person may read."""
    return FrozenReport.objects.visible_to(user).filter(id_is_among("pk", ids)).values_list("pk", flat=True)


FROZEN = Source(
    code="frozen",
    model=FrozenReport,
    kinds={"frozen": KindNames("Frozen report", "Frozen reports")},
    read=_frozen_report_rows,
    check=check_by_record(_readable_frozen_reports),
    follows={"reports_frozenreport.id": ("pk",), "agreements_party.partnership_id": ("partnership",)},
)
