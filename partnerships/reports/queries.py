"""Compute the figures of a report for a reader or an audience."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django import forms
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party
from partnerships.kit.active_filters import active_filters
from partnerships.kit.record_fields import UNREADABLE
from partnerships.kit.standby import has_standby, unchanging_from_standby
from partnerships.organisations.audience import Everybody, Reader
from partnerships.organisations.models import Membership, Organisation
from partnerships.people.models import User
from partnerships.reports.models import FrozenReport
from partnerships.reports.registry import Report, ReportContext, find_report, ignore_progress
from partnerships.reports.snapshot import Snapshot


class InvalidFilters(Exception):
    """Raised if filters are not valid. `form` has the errors."""

    def __init__(self, form: forms.Form) -> None:
        super().__init__("The filters are not valid.")
        self.form = form


def snapshot_of(
    report: Report,
    reader: Reader,
    parameters: QueryDict,
    *,
    made_for: str = "",
    now: dt.datetime,
    form: forms.Form | None = None,
    progress: Callable[[int, int], None] = ignore_progress,
) -> Snapshot:
    """Compute a report from the records that the reader may read. Raises `InvalidFilters`.

    A caller that has the form of the filters gives `form`. `progress` is called after each step with the numbers of
    finished steps and of all steps.
    """
    form = form or report.form(parameters, reader)
    if not form.is_valid():
        raise InvalidFilters(form)
    context = ReportContext(
        reader=reader,
        made_for=made_for or _person_in_words(reader),
        filters=form.cleaned_data,
        filter_labels=tuple(chip.label for chip in active_filters(form, parameters)),
        now=now,
        today=timezone.localdate(now),
        progress=progress,
    )
    return report.compute(context)


def has_valid_filters(report: Report, reader: Reader, query_string: str) -> bool:
    """Return whether the filters in a query string, such as `partnership=3`, are valid for the reader."""
    return report.form(QueryDict(query_string), reader).is_valid()


def own_snapshot(
    report: Report, person: User, query_string: str, *, now: dt.datetime, progress: Callable[[int, int], None]
) -> Snapshot:
    """Compute a report from what the person may read, with the filters in a query string. Raises `InvalidFilters`."""
    return snapshot_of(report, person, QueryDict(query_string), now=now, progress=progress)


def _person_in_words(reader: Reader) -> str:
    """Return the sentence which says that the report has only what this person can read."""
    return f"This report counts what {reader.display_name} can read." if isinstance(reader, User) else ""


def everybody_of_audience(audience: Organisation | Partnership) -> Everybody:
    """Return all people of the organisation, or of the partnership's present parties, as one reader."""
    if isinstance(audience, Organisation):
        return Everybody([audience.pk])
    return Everybody(Party.objects.accepted().filter(partnership=audience).values_list("organisation", flat=True))


def _audience_in_words(audience: Organisation | Partnership) -> str:
    """Return the sentence which says that the report has only what everyone in its audience can read."""
    name = audience.display_name if isinstance(audience, Organisation) else f"every organisation in {audience.title}"
    return f"This report counts what everyone at {name} can read."


def people_of_audience(*audiences: Organisation | Partnership) -> QuerySet[User]:
    """Return people with an account who act for one of the organisations, or a present party of the partnerships."""
    organisation_ids = [audience.pk for audience in audiences if isinstance(audience, Organisation)]
    partnership_ids = [audience.pk for audience in audiences if isinstance(audience, Partnership)]
    parties = Party.objects.accepted().filter(partnership__in=partnership_ids)
    memberships = Membership.objects.current().filter(
        Q(organisation__in=organisation_ids) | Q(organisation__in=parties.values("organisation"))
    )
    people = User.objects.filter(pk__in=memberships.values("person"), is_active=True, account_since__isnull=False)
    return people.order_by("name", "pk")


def audience_snapshot(
    report: Report, audience: Organisation | Partnership, query_string: str, now: dt.datetime
) -> Snapshot:
    """Compute a report from the records that everybody of an audience may read.

    The filters are a query string. Raises `InvalidFilters`.
    """
    reader = everybody_of_audience(audience)
    parameters = QueryDict(query_string)
    form = report.form(parameters, reader)
    if not _names_only_visible_records(form):
        raise InvalidFilters(form)
    return snapshot_of(report, reader, parameters, made_for=_audience_in_words(audience), now=now, form=form)


def has_valid_filters_for(report: Report, audience: Organisation | Partnership, query_string: str) -> bool:
    """Return whether the filters in a query string are valid for everybody of an audience."""
    return _names_only_visible_records(report.form(QueryDict(query_string), everybody_of_audience(audience)))


def _names_only_visible_records(form: forms.Form) -> bool:
    """Return whether the filters are valid and name only records that the reader may see.

    On a page, a filter that names another record matches nothing. A frozen report must not be empty for that reason, so
    such a filter is refused.
    """
    if not form.is_valid():
        return False
    return not any(isinstance(chosen, list) and UNREADABLE in chosen for chosen in form.cleaned_data.values())


def frozen_reports_for(person: User) -> QuerySet[FrozenReport]:
    """Return the frozen reports that the person may read, with their organisations or partnerships."""
    return FrozenReport.objects.visible_to(person).select_related("organisation", "partnership", "frozen_by")


def frozen_report_for(person: User, pk: int) -> FrozenReport:
    """Return a frozen report that the person may read. Raises `FrozenReport.DoesNotExist`.

    The primary database checks whether the person may read it. The figures never change, so they are read from the
    standby database if there is one.
    """
    reports = frozen_reports_for(person)
    if not has_standby():
        return reports.get(pk=pk)
    report = reports.defer("content").get(pk=pk)
    report.content = unchanging_from_standby(FrozenReport.objects.filter(pk=pk).values_list("content", flat=True))
    return report


def readable_figures(frozen: FrozenReport, reader: User, now: dt.datetime) -> Snapshot:
    """Return the figures of a frozen report, without those that the reader may no longer read."""
    report = find_report(frozen.report)
    return report.withhold(frozen.snapshot, reader, now) if report else frozen.snapshot
