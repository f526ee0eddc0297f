"""The reports that exist, by name.

Rooms at or above this one register theirs at start-up.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from django import forms
from django.http import QueryDict

from partnerships.organisations.audience import Reader
from partnerships.reports.snapshot import Snapshot

#: The form of a report's filters, for a reader.
MakeForm: TypeAlias = Callable[[QueryDict, Reader], forms.Form]


def show_nothing(_done: int, _total: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is asked.

    Who asks, with which valid filters, on which day and at which moment.

    `reader` is a person, or `Everybody` of some organisations. `made_for` are the words for it.
    """

    reader: Reader
    made_for: str
    filters: Mapping[str, Any]
    words: tuple[str, ...]
    now: dt.datetime
    today: dt.date
    #: Called with how many parts of how many are computed.
    progress: Callable[[int, int], None] = show_nothing


def keep_all(snapshot: Snapshot, _reader: Reader, _now: dt.datetime) -> Snapshot:
    """The snapshot as it is: most reports hold nothing that is closed again."""
    return snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report: its name in addresses, title, description, filters, and how its figures are computed.

    `compute` reads the database once and answers with a snapshot. It counts only what `asked.reader` may read. `group`
    is the heading under which the page of reports lists it. Files of a report that `takes_long` are made by a worker;
    it tells `asked.progress` how far it is. `withhold` leaves out of an older snapshot what a reader
    may not read any more.
    """

    slug: str
    title: str
    about: str
    group: str
    form: MakeForm
    compute: Callable[[Asked], Snapshot]
    takes_long: bool = False
    withhold: Callable[[Snapshot, Reader, dt.datetime], Snapshot] = keep_all


_reports: dict[str, Report] = {}


def register_report(report: Report) -> None:
    """Register a report; its slug must be new."""
    known = _reports.get(report.slug)
    if known is not None and known is not report:
        raise ValueError(f"Two reports are called {report.slug}.")
    _reports[report.slug] = report


def find_report(slug: str) -> Report | None:
    """The report with this name; None if there is none."""
    return _reports.get(slug)


def all_reports() -> tuple[Report, ...]:
    """Every report, in the order of registration."""
    return tuple(_reports.values())
