"""Files of long reports: people ask for them, and a worker makes them and shows its progress."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from functools import partial

from django.db import transaction

from partnerships.activity.registry import kind_named
from partnerships.agreements.rights import digest_of_rights
from partnerships.kit.leased_jobs import STEP, Progress, work_through
from partnerships.kit.rights import require
from partnerships.kit.standby import from_standby
from partnerships.organisations.rights import has_open_account
from partnerships.people.models import User
from partnerships.people.retention import delete_in_batches, register_retention
from partnerships.reports.downloads import bytes_of
from partnerships.reports.models import FORMATS, ReportFile
from partnerships.reports.queries import InvalidFilters, has_valid_filters, own_snapshot
from partnerships.reports.registry import find_report
from partnerships.reports.snapshot import from_json, record_ids_by_kind, to_json

#: Files of one report that a person may have at a time; its page lists them.
MAX_FILES = 5
#: How long a file can be downloaded.
KEPT = dt.timedelta(days=1)
#: If a worker dies, another one makes its file again after this time.
LEASE = dt.timedelta(minutes=15)
_FAILED = "We could not make the file. Try again, or choose fewer partnerships or a shorter time."


class UnableToMakeFile(Exception):
    """There is no such report or format, the person has too many files, or the filters are not valid."""


@transaction.atomic
def ask_for_file(*, report: str, query_string: str, form: str, person: User, now: dt.datetime) -> ReportFile:
    """Ask a worker to make a file of a report with these filters. Raises `UnableToMakeFile`."""
    User.objects.select_for_update(no_key=True).get(pk=person.pk)
    require(has_open_account(person))
    definition = find_report(report)
    if definition is None or form not in FORMATS:
        raise UnableToMakeFile("There is no such report. Choose a report from the list of reports.")
    if not has_valid_filters(definition, person, query_string):
        raise UnableToMakeFile("Correct the filters first, then make the file.")
    if person.report_files.filter(report=report).count() >= MAX_FILES:
        raise UnableToMakeFile(f"You already have {MAX_FILES} files of this report. Remove one first.")
    return ReportFile.objects.create(person=person, report=report, form=form, question=query_string, asked_at=now)


@transaction.atomic
def remove_file(*, file: ReportFile, person: User) -> None:
    """Delete a file of the person."""
    locked = ReportFile.objects.select_for_update().defer("content", "figures").get(pk=file.pk)
    require(locked.person_id == person.pk)
    locked.delete()


def make_files(*, now: dt.datetime) -> int:
    """Make the files that wait for a worker, and return how many were tried. It can be repeated."""
    waiting = ReportFile.objects.filter(made_at=None).select_related("person").order_by("asked_at", "pk")
    return work_through(waiting, partial(_make, now=now), lease=LEASE, failed=_FAILED, now=now)


def may_download(file: ReportFile, person: User, now: dt.datetime) -> bool:
    """Whether the file belongs to the person, is less than a day old, and they may still read everything in it.

    They must act for the same organisations and partnerships as when it was made, because the figures depend on these;
    and they must still see every record that a row names. A file is also refused if the report now withholds something
    from them.
    """
    report = find_report(file.report)
    is_available = file.is_made and file.person_id == person.pk and now < file.asked_at + KEPT
    if report is None or not is_available:
        return False
    figures = from_json(file.figures or {})
    return (
        file.holds == digest_of_rights(person)
        and report.withhold(figures, person, now) == figures
        and all(_can_see_records(person, kind, record_ids) for kind, record_ids in record_ids_by_kind(figures).items())
    )


def _can_see_records(person: User, kind: str, record_ids: Collection[int]) -> bool:
    """Whether the person may see all these records of a kind."""
    record_kind = kind_named(kind)
    if record_kind is None:
        return False
    return record_kind.visible_ids(person).filter(pk__in=record_ids).count() == len(record_ids)


def _make(file: ReportFile, progress: Progress, *, now: dt.datetime) -> str:
    """Make one file; return "" or why there is none."""
    report = find_report(file.report)
    if report is None or not has_open_account(file.person):
        return "You can no longer open this report, so we have not made the file."

    def report_progress(done: int, total: int) -> None:
        progress(done * STEP, total * STEP)

    # Read before the figures: if a right ends while they are computed, the file cannot be downloaded.
    holds = digest_of_rights(file.person)
    try:
        figures = from_standby(
            lambda: own_snapshot(report, file.person, file.question, now=now, progress=report_progress)
        )
    except InvalidFilters:
        return "The filters are no longer valid. Open the report, choose other filters and make the file again."
    # Not save(), because the person may have removed the file meanwhile.
    ReportFile.objects.filter(pk=file.pk).update(
        content=bytes_of(figures, file.form), figures=to_json(figures), holds=holds, made_at=now
    )
    return ""


def _delete_old(now: dt.datetime, dry_run: bool) -> int:
    return delete_in_batches(ReportFile.objects.filter(asked_at__lte=now - KEPT), dry_run=dry_run)


def register() -> None:
    """Register how long files are kept; once, at start-up."""
    register_retention(
        "files of reports",
        what="A file of a long report that a person asked for",
        purpose="downloading it",
        basis="public task: plans and agreements of the organisations that work together on housing",
        kept_for="1 day",
        apply=_delete_old,
    )
