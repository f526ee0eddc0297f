"""Store uploads of lettings without anything about households, count them in a worker, and delete them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from django.db import transaction

from partnerships.kit.leased_jobs import Progress, work_through
from partnerships.kit.rights import UnableToAct
from partnerships.kit.text import listed
from partnerships.kit.uploads import clean_file_name
from partnerships.nominations.event_kinds import EventKind
from partnerships.nominations.lettings.columns import core_columns
from partnerships.nominations.lettings.counting import LettingsCount, LineCount, count_lettings
from partnerships.nominations.lettings.filtering import unpacked_rows
from partnerships.nominations.models import LettingsRun, NominationsReturn, ReturnLine
from partnerships.nominations.queries.returns import scope_of
from partnerships.nominations.schedule import NominationTerms
from partnerships.nominations.services.returns import (
    UnableToReport,
    clear_decision,
    lock_return_to_edit,
    record_return_event,
)
from partnerships.people.models import User
from partnerships.people.retention import change_in_batches

#: After this time, another worker may claim a run whose worker died. Counting 50,000 lettings takes seconds.
LEASE = dt.timedelta(minutes=10)
#: Time after which lettings that no worker has counted are deleted.
LETTINGS_WAIT = dt.timedelta(days=2)
_FAILED = (
    "Something went wrong while we counted the lettings, so we deleted them. Upload the lettings again. If this "
    "happens again, tell your administrator."
)
#: Limit of authorities that a report names. Those with the most lettings come first.
_MAX_AUTHORITIES = 400


@dataclass(frozen=True, slots=True)
class FilteredFile:
    """The rows that were kept from an upload, packed (`lettings.filtering`), with their columns and their count."""

    file_name: str
    packed: bytes
    columns: Sequence[str]
    rows: int


@transaction.atomic
def store_lettings(
    *, nominations_return: NominationsReturn, file: FilteredFile, author: User, now: dt.datetime
) -> LettingsRun:
    """Store the lettings of an upload for a worker to count, in place of an earlier upload. Raises `UnableToReport`."""
    nominations_return = lock_return_to_edit(nominations_return, author, now)
    year = core_columns().year_of(nominations_return.starts_on)
    if year is None:
        raise UnableToReport("We cannot read CORE exports of this collection year yet. Tell your administrator.")
    missing_columns = year.missing(file.columns)
    if missing_columns:
        raise UnableToReport(
            f"The export of {year} has the columns {listed(missing_columns)}, which are missing from this file. "
            "Choose the export of that year, unchanged from CORE."
        )

    run, _ = LettingsRun.objects.update_or_create(
        nominations_return=nominations_return,
        defaults={
            "file_name": clean_file_name(file.file_name),
            "columns": list(file.columns),
            "content": file.packed,
            "asked_at": now,
            "asked_by": author,
            "claimed_until": None,
            "done": 0,
            "total": file.rows,
            "finished_at": None,
            "error": "",
            "report": {},
        },
    )
    record_return_event(nominations_return, EventKind.LETTINGS_READ, author=author, now=now)
    return run


def count_waiting(*, now: dt.datetime) -> int:
    """Count the uploads that wait for a worker, and return the number of attempts. Safe to run twice."""
    waiting_runs = LettingsRun.objects.filter(content__isnull=False).order_by("asked_at", "pk")
    return work_through(
        waiting_runs, partial(_count, now=now), lease=LEASE, failure_message=_FAILED, now=now, fail=_fail
    )


def _fail(run: LettingsRun, error: str) -> None:
    """Store why nothing was counted, and delete the lettings, unless a newer upload has replaced them."""
    same_upload = LettingsRun.objects.filter(pk=run.pk, asked_at=run.asked_at)
    same_upload.update(error=error, claimed_until=None, content=None, columns=[])


def _count(run: LettingsRun, progress: Progress, *, now: dt.datetime) -> str:
    """Count the lettings of an upload into the lines of its return. Return an error message, or ""."""
    if run.asked_by is None:
        return "The person who uploaded the lettings has left. Upload the lettings again."
    nominations_return = NominationsReturn.objects.for_pages().get(pk=run.nominations_return_id)
    scope = scope_of(nominations_return)
    if scope is None:
        return "No terms with shares for nominations were in force in this quarter, so we did not count the lettings."

    rows = unpacked_rows(bytes(run.content or b""), tuple(run.columns))
    lettings_count = count_lettings(rows, scope, progress=lambda done: progress(done, run.total))
    try:
        with transaction.atomic():
            nominations_return = lock_return_to_edit(nominations_return, run.asked_by, now)
            locked_run = LettingsRun.objects.select_for_update(of=("self",)).defer("content").get(pk=run.pk)
            # Another upload may have replaced this one while it was counted.
            if locked_run.asked_at == run.asked_at:
                _save_counts(nominations_return, locked_run, lettings_count, now)
    except UnableToReport as error:
        return str(error)
    except UnableToAct:
        return "The person who uploaded the lettings can no longer change this return. Upload the lettings again."
    return ""


def _save_counts(
    nominations_return: NominationsReturn, run: LettingsRun, lettings_count: LettingsCount, now: dt.datetime
) -> None:
    """Save the lines of the return and the report of the run, and delete the lettings."""
    scope = scope_of(nominations_return)
    _save_lines(nominations_return, lettings_count, scope.agreed if scope else None)

    authorities = lettings_count.authorities.most_common(_MAX_AUTHORITIES)
    run.report = {
        "in_force": [day.isoformat() for day in scope.in_force] if scope else [],
        "suspended": [[day.isoformat() for day in days] for days in scope.suspended] if scope else [],
        "outcomes": dict(lettings_count.rows),
        "median_days": lettings_count.median_days,
        "let_again": lettings_count.let_again,
        "not_counted": scope.agreed.not_counted if scope else [],
        "by_authority": [[code, number] for code, number in authorities],
    }
    run.done = lettings_count.total
    run.total = lettings_count.total
    run.finished_at = now
    run.claimed_until = None
    run.content = None
    run.columns = []
    run.save(update_fields=["report", "done", "total", "finished_at", "claimed_until", "content", "columns"])


def _save_lines(
    nominations_return: NominationsReturn, lettings_count: LettingsCount, agreed: NominationTerms | None
) -> None:
    """Save a line for each size of home that was let, and delete the lines of other sizes."""
    existing_lines = {(line.bedrooms, line.is_first_let): line for line in nominations_return.lines.order_by("pk")}
    for (size, is_first_let), counts in sorted(lettings_count.lines.items()):
        line = existing_lines.pop((size, is_first_let), None)
        if line is None:
            line = ReturnLine(
                nominations_return=nominations_return,
                bedrooms=size,
                is_first_let=is_first_let,
                lettings=0,
                nominated=0,
                share=0,
            )
        _save_line(line, counts, agreed)
    for line in existing_lines.values():
        line.delete()


def _save_line(line: ReturnLine, counts: LineCount, agreed: NominationTerms | None) -> None:
    """Save the counts of one line. If its figures have changed, the council must decide about the line again."""
    previous_figures = line.counted
    line.lettings = counts.lettings
    line.nominated = counts.nominated
    line.median_days = counts.median_days
    if agreed is not None:
        # Round to the four decimals of the column. Otherwise, an unchanged share would differ from the saved one.
        line.share = round(agreed.share(line.size, first_let=line.is_first_let), 4)
        line.days = agreed.days(first_let=line.is_first_let)
    # What the provider entered may no longer fit the new counts.
    line.not_supplied = min(line.not_supplied, line.lettings - line.nominated)
    if line.in_time is not None:
        line.in_time = min(line.in_time, line.lettings - line.not_supplied)
    if line.offers is None:
        line.offers = counts.offers or None
    if line.counted != previous_figures:
        clear_decision(line)
    line.save()


def delete_uncounted_lettings(now: dt.datetime, dry_run: bool) -> int:
    """Delete lettings that no worker has counted in time, and return how many uploads these were."""
    old_runs = LettingsRun.objects.filter(content__isnull=False, asked_at__lte=now - LETTINGS_WAIT)
    return change_in_batches(
        old_runs, lambda rows: rows.update(content=None, columns=[], claimed_until=None, error=_FAILED), dry_run=dry_run
    )
