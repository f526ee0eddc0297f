"""Import a published register of organisations, and set aside rows that cannot be used."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import partial

from django.utils import timezone

from partnerships.kit.dates import long_date
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import Doubt, ImportRun, Register, RunStatus
from partnerships.transfer.reading.problems import refuse_file
from partnerships.transfer.reporting import OUTCOMES, Report
from partnerships.transfer.services.choices import Choices
from partnerships.transfer.services.dating import newer_list
from partnerships.transfer.services.directory import Directory, Progress, RunningImport, ignore_progress
from partnerships.transfer.services.files import File, ImportRequest, import_files
from partnerships.transfer.services.older_lists import apply_older_list
from partnerships.transfer.services.outcomes import Outcome, refuse_unusable
from partnerships.transfer.services.refusals import refuse_file_with_row
from partnerships.transfer.services.registers.kinds import Reading, read_register
from partnerships.transfer.services.registers.known_headings import headings_known_for
from partnerships.transfer.services.registers.published_lists import files_in, importer_of
from partnerships.transfer.services.rows_to_review import RowsToReview

NO_CHOICES = Choices()


def import_register(
    *,
    register: str,
    file: File,
    author: User | None,
    now: dt.datetime,
    choices: Choices = NO_CHOICES,
    dry_run: bool = False,
    progress: Progress = ignore_progress,
    organisation: Organisation | None = None,
) -> Outcome:
    """Import a published list. With `dry_run`, only report what the import would do.

    A list that is older than the latest one adds to histories, as on its date. Rows with problems are set aside, and
    the other rows are imported, unless the choices say otherwise. Raises `UnableToRead` with every problem if the whole
    file is refused, because it is the wrong file or lacks too many organisations, and `UnknownHeadings` if a required
    column is missing.
    """
    import_request = ImportRequest(
        files=files_in(register, file),
        author=author,
        now=now,
        choices=choices,
        progress=progress,
        keep=not dry_run,
        organisation=organisation,
    )
    return import_files(partial(apply_list, register), import_request, dry_run=dry_run)


def apply_list(register: str, import_request: ImportRequest) -> ImportRun:
    """Import a list of any kind inside the caller's transaction, and return the run.

    Headings have the meaning that people confirmed for earlier lists of the publisher.
    """
    apply = importer_of(register) or partial(_apply_register, register)
    return apply(replace(import_request, known_headings=headings_known_for(register, import_request.choices.publisher)))


def _apply_register(register: str, import_request: ImportRequest) -> ImportRun:
    """Import a register of organisations."""
    sheets = import_request.files[0].sheets
    reading = read_register(register, sheets, import_request.known_headings(0, sheets), import_request.choices)
    list_file = reading.list_file
    refuse_unusable(list_file, all_or_nothing=import_request.choices.all_or_nothing)

    report = Report()
    day = import_request.settle_date(
        register, is_corrected=list_file.is_corrected, date_in_rows=list_file.true_on, report=report
    )
    source = f"{Register(register).label}, {import_request.names[0]}, as of {long_date(day)}"
    run = import_request.start(register, day, report=report, list_file=list_file, source=source)
    _remark_on_earlier_import(run)
    for remark in list_file.remarks:
        report.remark(remark)

    rows_to_review = RowsToReview.load(register)
    with report.timed(), refuse_file_with_row(run):
        _apply_or_fill_history(reading, rows_to_review, run)
    report.account_for(list_file)
    if not import_request.choices.accept_missing:
        _refuse_incomplete_list(report, is_dry_run=not import_request.keep)

    counts = {outcome: report.counts[outcome] for outcome in OUTCOMES}
    saved_run = import_request.finish(
        import_request.new_run(register, day), run, EventKind.LIST_IMPORTED, counts=counts
    )
    if import_request.keep:
        _save_rows_to_review(rows_to_review, saved_run)
    return saved_run


def _remark_on_earlier_import(run: RunningImport) -> None:
    """Add a remark on when the same file was last imported, if it was."""
    applied_runs = ImportRun.objects.filter(register=run.register, status=RunStatus.APPLIED)
    earlier_run = applied_runs.filter(sha256=run.digest).order_by("-started_at", "-pk").first()
    if earlier_run is not None:
        imported_on = timezone.localdate(earlier_run.started_at)
        run.report.remark(f"This file was already imported on {long_date(imported_on)}.")


def _apply_or_fill_history(reading: Reading, rows_to_review: RowsToReview, run: RunningImport) -> None:
    """Update the directory from the list. If the list is older than the latest one, only add to histories."""
    newer_run = newer_list(register=run.register, digest=run.digest, as_of=run.as_of)
    if newer_run is not None and newer_run.as_of is not None:
        apply_older_list(reading.entries, newer_run.as_of, Directory(), rows_to_review, run)
    else:
        reading.apply(Directory(), rows_to_review, run)


def _refuse_incomplete_list(report: Report, *, is_dry_run: bool) -> None:
    """Raise `UnableToRead` if the list would mark too many organisations as missing.

    Such a list is probably a part, or the wrong list. In a dry run, only add a remark.
    """
    if report.too_many_missing is None:
        return
    missing, expected = report.too_many_missing
    problem = (
        f"{missing:,} of the {expected:,} organisations of this register are not in it ({missing * 100 // expected} %)."
    )
    if is_dry_run:
        report.remark(f"Is it the whole list? {problem} It is imported only if you confirm this.")
        return
    raise refuse_file(
        problem,
        "If it is the whole list, import it with --accept-missing, or tick “They are really missing” in "
        "Common Ground administration. If it is only a part of the register, use --part or “Only a part”.",
    )


def _save_rows_to_review(rows_to_review: RowsToReview, run: ImportRun) -> None:
    """Save the new rows to review, and update those that an earlier import added."""
    for new_row in rows_to_review.new_rows:
        doubt, _ = Doubt.objects.update_or_create(
            register=run.register,
            key=new_row.key,
            defaults={"name": new_row.name[:300], "row": new_row.row, "why": new_row.why, "run": run},
        )
        doubt.candidates.set(new_row.candidates)
