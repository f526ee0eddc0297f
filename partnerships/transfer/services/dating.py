"""Decide the date of a list, and whether a newer list was imported."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from partnerships.kit.dates import long_date
from partnerships.organisations.models import Organisation
from partnerships.transfer.models import ImportRun, RunStatus
from partnerships.transfer.reading.problems import refuse_file
from partnerships.transfer.reporting import Report


def date_of_list(
    *,
    chosen_date: dt.date | None,
    date_in_name: dt.date | None,
    date_in_rows: dt.date | None,
    now: dt.datetime,
    report: Report,
) -> dt.date:
    """Return the chosen date, or else the date found in the list, or else today.

    `date_in_name` is in the file's name or title. If today's date is used, the report gets a remark about it. Raises
    `UnableToRead` if the chosen date is in the future.
    """
    today = timezone.localdate(now)
    if chosen_date is not None:
        if chosen_date > today:
            raise refuse_file(
                f"the date of the list cannot be {long_date(chosen_date)}, which is in the future.",
                "Enter the day on which it was published.",
            )
        return chosen_date
    date_in_list = date_in_name or date_in_rows
    if date_in_list is not None:
        # “November 2026” means the last day of the month, which may be in the future.
        return min(date_in_list, today)
    report.dated_today = True
    report.remark(
        f"Neither the file’s name nor its rows give its date, so we used today, {long_date(today)}. If it is older, "
        f"enter its date: --as-of YYYY-MM-DD with the command, “As of” on the upload page."
    )
    return today


def newer_list(
    *, register: str, digest: str, as_of: dt.date, organisation: Organisation | None = None
) -> ImportRun | None:
    """Return the latest list of the same register if it is newer than this list, or else None.

    An organisation's own files are compared only with its own files, and files of the whole country only with files of
    the whole country.
    """
    latest_list = _latest_list(register, digest, organisation)
    return latest_list if latest_list is not None and latest_list.as_of and latest_list.as_of > as_of else None


def latest_date(register: str, digest: str, organisation: Organisation | None = None) -> dt.date | None:
    """Return the date of the latest other list of a register, or None if it has no other list.

    With `organisation`, only that organisation's own files are compared.
    """
    latest_list = _latest_list(register, digest, organisation)
    return latest_list.as_of if latest_list is not None else None


def _latest_list(register: str, digest: str, organisation: Organisation | None = None) -> ImportRun | None:
    """Return the run with the latest date of a register, apart from runs of the file with this digest.

    If a file was imported several times, its last run is used, because it may have corrected a wrong date.
    """
    runs = ImportRun.objects.filter(register=register, status=RunStatus.APPLIED, organisation=organisation)
    last_run_by_digest = {run.sha256: run for run in runs.order_by("started_at", "pk").defer("report", "content")}
    other_runs = [run for run in last_run_by_digest.values() if run.sha256 != digest and run.as_of is not None]
    return max(other_runs, key=lambda run: run.as_of or dt.date.min, default=None)
