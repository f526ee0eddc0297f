"""Making snapshots: of a report, for a reader, with filters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django import forms
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party
from partnerships.kit.forms import active_filters
from partnerships.kit.record_fields import UNREADABLE
from partnerships.kit.standby import has_standby, unchanging_from_standby
from partnerships.organisations.audience import Everybody, Reader
from partnerships.organisations.models import Membership, Organisation
from partnerships.people.models import User
from partnerships.reports.models import FrozenReport
from partnerships.reports.registry import Asked, Report, find_report, show_nothing
from partnerships.reports.snapshot import Snapshot


class InvalidFilters(Exception):
    """The filters are not valid; `form` says why."""

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
    progress: Callable[[int, int], None] = show_nothing,
) -> Snapshot:
    """The figures of a report, as far as the reader may read.

    Raises `InvalidFilters`.

    `form` is the form of the filters, where the caller has made it already. `progress` is told how far it is.
    """
    form = form or report.form(parameters, reader)
    if not form.is_valid():
        raise InvalidFilters(form)
    asked = Asked(
        reader=reader,
        made_for=made_for or for_person(reader),
        filters=form.cleaned_data,
        words=tuple(chip.label for chip in active_filters(form, parameters)),
        now=now,
        today=timezone.localdate(now),
        progress=progress,
    )
    return report.compute(asked)


def has_valid_filters(report: Report, reader: Reader, question: str) -> bool:
    """Whether these filters, as in an address, are valid for the reader."""
    return report.form(QueryDict(question), reader).is_valid()


def own_snapshot(
    report: Report, person: User, question: str, *, now: dt.datetime, progress: Callable[[int, int], None]
) -> Snapshot:
    """The figures that a person may read of a report, with filters as in an address. Raises `InvalidFilters`."""
    return snapshot_of(report, person, QueryDict(question), now=now, progress=progress)


def for_person(reader: Reader) -> str:
    """Whose figures a person's own report has."""
    return f"It counts what {reader.display_name} can read." if isinstance(reader, User) else ""


def everybody_of(body: Organisation | Partnership) -> Everybody:
    """All people of the organisation, or of the partnership's present parties, as one reader."""
    if isinstance(body, Organisation):
        return Everybody([body.pk])
    return Everybody(Party.objects.present().filter(partnership=body).values_list("organisation", flat=True))


def for_body(body: Organisation | Partnership) -> str:
    """Whose figures a report has that is made for them."""
    whom = body.display_name if isinstance(body, Organisation) else f"every organisation in {body.title}"
    return f"It counts what everybody at {whom} can read."


def people_of(*bodies: Organisation | Partnership) -> QuerySet[User]:
    """The people with an account who act for one of the organisations, or for a present party of the partnerships."""
    own = [body.pk for body in bodies if isinstance(body, Organisation)]
    parties = Party.objects.present().filter(
        partnership__in=[body.pk for body in bodies if isinstance(body, Partnership)]
    )
    of_them = Q(organisation__in=own) | Q(organisation__in=parties.values("organisation"))
    acting = Membership.objects.current().filter(of_them)
    people = User.objects.filter(pk__in=acting.values("person"), is_active=True, account_since__isnull=False)
    return people.order_by("name", "pk")


def computed_for(report: Report, body: Organisation | Partnership, question: str, now: dt.datetime) -> Snapshot:
    """The figures that everybody of an audience may read.

    Raises `InvalidFilters`.
    """
    reader, parameters = everybody_of(body), QueryDict(question)
    form = report.form(parameters, reader)
    if not _fits(form):
        raise InvalidFilters(form)
    return snapshot_of(report, reader, parameters, made_for=for_body(body), now=now, form=form)


def fits(report: Report, body: Organisation | Partnership, question: str) -> bool:
    """Whether the filters are valid for everybody of an audience."""
    return _fits(report.form(QueryDict(question), everybody_of(body)))


def _fits(form: forms.Form) -> bool:
    """Whether the filters are valid, and name only records that the reader can see.

    A page shows such a filter as one that fits nothing. What is kept or sent must not be empty for that reason.
    """
    return form.is_valid() and not any(
        isinstance(chosen, list) and UNREADABLE in chosen for chosen in form.cleaned_data.values()
    )


def frozen_for(person: User) -> QuerySet[FrozenReport]:
    """The frozen reports that the person may read, with their audiences."""
    return FrozenReport.objects.visible_to(person).select_related("organisation", "partnership", "frozen_by")


def open_frozen(person: User, pk: int) -> FrozenReport:
    """A frozen report that the person may read.

    Raises `FrozenReport.DoesNotExist`.

    Its figures never change: with a standby they come from there, once the primary has said that the person may read.
    """
    rows = frozen_for(person)
    if not has_standby():
        return rows.get(pk=pk)
    report = rows.defer("content").get(pk=pk)
    report.content = unchanging_from_standby(FrozenReport.objects.filter(pk=pk).values_list("content", flat=True))
    return report


def figures_of(frozen: FrozenReport, reader: User, now: dt.datetime) -> Snapshot:
    """The figures of a frozen report, without those that are closed to its reader now."""
    report = find_report(frozen.report)
    return report.withhold(frozen.snapshot, reader, now) if report else frozen.snapshot
