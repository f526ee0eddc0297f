"""On which day a list was true, and that no older one is taken for the latest."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from partnerships.kit.dates import long_date
from partnerships.transfer.models import ImportRun, RunStatus
from partnerships.transfer.reading.problems import unable
from partnerships.transfer.reporting import Report


def settled_date(
    *, given: dt.date | None, named: dt.date | None, said: dt.date | None, now: dt.datetime, report: Report
) -> dt.date:
    """The day as somebody gave it, else as the file's name, title or rows say it, else today, which the report says.

    Raises `UnableToRead` for a given day that is still to come: a list cannot be true then already.
    """
    today = timezone.localdate(now)
    if given is not None:
        if given > today:
            raise unable(
                f"it cannot have been true on {long_date(given)}, which is still to come.",
                "Give the day on which it was published.",
            )
        return given
    if found := named or said:
        return min(found, today)  # “November 2026” is its last day, unless that is still to come
    report.dated_today = True
    report.remark(
        f"Neither the file's name nor its rows say on which day it was true: taken for today, {long_date(today)}. If "
        "it is older, say so: --as-of YYYY-MM-DD with the command, “As of” in the administration."
    )
    return today


def refuse_older(*, register: str, digest: str, as_of: dt.date) -> None:
    """Let nothing older than the latest list of the same register be applied: it would take the directory back in time.

    A file that was imported again counts with the day given last, so that a wrong day can be put right. Raises
    `UnableToRead`.
    """
    newest: dict[str, ImportRun] = {}
    for run in (
        ImportRun.objects.filter(register=register, status=RunStatus.APPLIED)
        .order_by("started_at", "pk")
        .defer("report", "content")
    ):
        newest[run.sha256] = run
    latest = max(
        (run for run in newest.values() if run.sha256 != digest and run.as_of is not None),
        key=lambda run: run.as_of or dt.date.min,
        default=None,
    )
    if latest is None or latest.as_of is None or latest.as_of <= as_of:
        return
    raise unable(
        f"it was true on {long_date(as_of)}, but a newer list, of {long_date(latest.as_of)} ({latest.file_name}), was "
        "imported before: this one would take the directory back in time.",
        "Give the newest list. If a day is wrong, import that file with the right one: --as-of YYYY-MM-DD with the "
        "command, “As of” in the administration.",
    )
