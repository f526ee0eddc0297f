"""The register of reports, to which this room and the rooms above it add their reports at start-up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from django import forms
from django.http import QueryDict

from partnerships.organisations.audience import Reader
from partnerships.reports.snapshot import Snapshot

#: A function that returns the form of a report's filters, for a reader.
MakeForm: TypeAlias = Callable[[QueryDict, Reader], forms.Form]


def ignore_progress(_done: int, _total: int) -> None:
    """Do nothing with the progress of a report."""


@dataclass(frozen=True, slots=True)
class ReportContext:
    """The reader for whom a report is computed, with the filters and the time."""

    #: A person, or `Everybody` of some organisations.
    reader: Reader
    #: The sentence of the report that says whose rights its figures depend on.
    made_for: str
    #: The cleaned data of the report's form.
    filters: Mapping[str, Any]
    #: The filters in words.
    filter_labels: tuple[str, ...]
    now: dt.datetime
    today: dt.date
    #: A function that is called with the number of computed parts and of all parts.
    progress: Callable[[int, int], None] = ignore_progress


def withhold_nothing(snapshot: Snapshot, _reader: Reader, _now: dt.datetime) -> Snapshot:
    """Return the snapshot unchanged. Most reports use this, because their figures can still be read later."""
    return snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The title of a report, its filters, and the functions that compute its figures."""

    #: The name of the report in URLs.
    slug: str
    title: str
    #: One sentence about the report on the page of reports.
    about: str
    #: The heading under which the page of reports lists it.
    group: str
    form: MakeForm
    #: Reads the database once, and counts only the records that the reader of the context may read.
    compute: Callable[[ReportContext], Snapshot]
    #: Whether a worker writes the report's files. `compute` then calls `context.progress`.
    takes_long: bool = False
    #: Removes from an older snapshot the figures that a reader may no longer read.
    withhold: Callable[[Snapshot, Reader, dt.datetime], Snapshot] = withhold_nothing


_reports: dict[str, Report] = {}


def register_report(report: Report) -> None:
    """Register a report. Raises `ValueError` if another report has the same slug."""
    registered = _reports.get(report.slug)
    if registered is not None and registered is not report:
        raise ValueError(f"Two reports have the slug {report.slug}. Give one of them another slug.")
    _reports[report.slug] = report


def find_report(slug: str) -> Report | None:
    """Return the report with this slug, or None."""
    return _reports.get(slug)


def all_reports() -> tuple[Report, ...]:
    """Return every report, in the order of registration."""
    return tuple(_reports.values())
