"""The date of a list, and whether a newer one was imported."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from partnerships.kit.dates import long_date
from partnerships.organisations.models import Organisation
from partnerships.transfer.models import ImportRun, RunStatus
from partnerships.transfer.reading.problems import unable
from partnerships.transfer.reporting import Report


def settled_date(
    *, given: dt.date | None, named: dt.date | None, said: dt.date | None, now: dt.datetime, report: Report
) -> dt.date:
    """The date given, else the date found in the list, else today.

    The date is looked for in the file's name, title and rows; the report says when today is assumed. Raises
    `UnableToRead` if the given date is in the future.
    """
    today = timezone.localdate(now)
    if given is not None:
        if given > today:
            raise unable(
                f"its date cannot be {long_date(given)}, which is in the future.",
                "Give the day on which it was published.",
            )
        return given
    if found := named or said:
        return min(found, today)  # “November 2026” means its last day, or today if that is still to come
    report.dated_today = True
    report.remark(
        f"Neither the file's name nor its rows give its date, so we used today, {long_date(today)}. If it is older, "
        f"give its date: --as-of YYYY-MM-DD with the command, “As of” on the upload page."
    )
    return today


def newer_list(
    *, register: str, digest: str, as_of: dt.date, organisation: Organisation | None = None
) -> ImportRun | None:
    """The latest list of the same register, if it is newer than this one.

    An organisation's own files are compared with its own, those of the whole country with their like: the date of
    these is that of the newest row of any authority.
    """
    latest = _latest_list(register, digest, organisation)
    return latest if latest is not None and latest.as_of and latest.as_of > as_of else None


def latest_date(register: str, digest: str, organisation: Organisation | None = None) -> dt.date | None:
    """The date of the latest other list of a register, or of an organisation's own files of it."""
    latest = _latest_list(register, digest, organisation)
    return latest.as_of if latest is not None else None


def _latest_list(register: str, digest: str, organisation: Organisation | None = None) -> ImportRun | None:
    """The latest list of a register, without the file with this digest.

    If a file is imported again, its last given date counts, so that a wrong date can be corrected.
    """
    newest: dict[str, ImportRun] = {}
    for run in (
        ImportRun.objects.filter(register=register, status=RunStatus.APPLIED)
        .filter(organisation=organisation)
        .order_by("started_at", "pk")
        .defer("report", "content")
    ):
        newest[run.sha256] = run
    return max(
        (run for run in newest.values() if run.sha256 != digest and run.as_of is not None),
        key=lambda run: run.as_of or dt.date.min,
        default=None,
    )
