"""Request files of long reports, and write them in a worker that shows its progress."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from functools import partial

from django.db import transaction

from partnerships.activity.registry import kind_named
from partnerships.agreements.rights import rights_fingerprint
from partnerships.kit.leased_jobs import STEP, Progress, work_through
from partnerships.kit.rights import require
from partnerships.kit.standby import from_standby
from partnerships.organisations.rights import has_open_account
from partnerships.people.models import User
from partnerships.people.retention import delete_in_batches, register_retention
from partnerships.reports.downloads import file_content
from partnerships.reports.models import FORMATS, ReportFile
from partnerships.reports.queries import InvalidFilters, has_valid_filters, own_snapshot
from partnerships.reports.registry import find_report
from partnerships.reports.snapshot import from_json, record_ids_by_kind, to_json

#: A person may have at most this many files of one report at a time. The report's page lists them.
MAX_FILES = 5
#: How long a file can be downloaded.
KEPT = dt.timedelta(days=1)
#: If a worker dies, another worker writes its file after this time.
LEASE = dt.timedelta(minutes=15)
_FAILED = "We could not make the file. Try again, or choose fewer partnerships or a shorter time."


class UnableToMakeFile(Exception):
    """Raised if there is no such report or format, the person has too many files, or the filters are not valid."""


@transaction.atomic
def ask_for_file(*, report: str, query_string: str, form: str, person: User, now: dt.datetime) -> ReportFile:
    """Request a file of a report with these filters, which a worker will write. Raises `UnableToMakeFile`."""
    # The person's row is locked, so that two requests at the same moment do not exceed the number of files.
    User.objects.select_for_update(no_key=True).get(pk=person.pk)
    require(has_open_account(person))
    definition = find_report(report)
    if definition is None or form not in FORMATS:
        raise UnableToMakeFile("This report does not exist. Choose a report from the list of reports.")
    if not has_valid_filters(definition, person, query_string):
        raise UnableToMakeFile("Correct the filters first, then make the file.")
    if person.report_files.filter(report=report).count() >= MAX_FILES:
        raise UnableToMakeFile(f"You already have {MAX_FILES} files of this report. Remove one first.")
    return ReportFile.objects.create(person=person, report=report, form=form, question=query_string, asked_at=now)


@transaction.atomic
def remove_file(*, file: ReportFile, person: User) -> None:
    """Delete a file of the person. Raises `UnableToAct` if it belongs to another person."""
    file = ReportFile.objects.select_for_update().defer("content", "figures").get(pk=file.pk)
    require(file.person_id == person.pk)
    file.delete()


def make_files(*, now: dt.datetime) -> int:
    """Write the files that are waiting for a worker, and return how many were tried. This is safe to repeat."""
    waiting_files = ReportFile.objects.filter(made_at=None).select_related("person").order_by("asked_at", "pk")
    return work_through(waiting_files, partial(_write_file, now=now), lease=LEASE, failure_message=_FAILED, now=now)


def may_download(file: ReportFile, person: User, now: dt.datetime) -> bool:
    """Return whether the person may download the file.

    The file must belong to the person and be less than a day old, and the person must still be able to read everything
    in it. So they must act for the same organisations and partnerships as when the file was written, and may see every
    record that a row names. A file is also refused if the report would now withhold some of its figures.
    """
    report = find_report(file.report)
    is_available = file.is_made and file.person_id == person.pk and now < file.asked_at + KEPT
    if report is None or not is_available:
        return False
    figures = from_json(file.figures or {})
    return (
        file.holds == rights_fingerprint(person)
        and report.withhold(figures, person, now) == figures
        and all(_can_see_records(person, kind, record_ids) for kind, record_ids in record_ids_by_kind(figures).items())
    )


def _can_see_records(person: User, kind: str, record_ids: Collection[int]) -> bool:
    """Return whether the person may see all these records of a kind."""
    record_kind = kind_named(kind)
    if record_kind is None:
        return False
    return record_kind.visible_ids(person).filter(pk__in=record_ids).count() == len(record_ids)


def _write_file(file: ReportFile, progress: Progress, *, now: dt.datetime) -> str:
    """Write one file, and return "" or the reason why there is no file."""
    report = find_report(file.report)
    if report is None or not has_open_account(file.person):
        return "You can no longer open this report, so we have not made the file."

    def report_progress(done: int, total: int) -> None:
        progress(done * STEP, total * STEP)

    # The roles are read before the figures. If a right ends in between, the file then cannot be downloaded.
    holds = rights_fingerprint(file.person)
    try:
        figures = from_standby(
            lambda: own_snapshot(report, file.person, file.question, now=now, progress=report_progress)
        )
    except InvalidFilters:
        return "The filters are no longer valid. Open the report, choose other filters and make the file again."
    # The person may have removed the file by now. `update` then changes no row, but `save` would fail.
    ReportFile.objects.filter(pk=file.pk).update(
        content=file_content(figures, file.form), figures=to_json(figures), holds=holds, made_at=now
    )
    return ""


def _delete_old(now: dt.datetime, dry_run: bool) -> int:
    """Delete the files that nobody can download any more, and return their number."""
    return delete_in_batches(ReportFile.objects.filter(asked_at__lte=now - KEPT), dry_run=dry_run)


def register() -> None:
    """Register at start-up how long files are stored."""
    register_retention(
        "files of reports",
        what="A file of a long report that a person asked for",
        purpose="downloading it",
        basis="public task: plans and agreements of the organisations that work together on housing",
        kept_for="1 day",
        apply=_delete_old,
    )
