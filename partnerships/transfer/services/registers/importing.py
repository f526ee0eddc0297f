"""Import a published register; rows that cannot be used are set aside."""

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
from partnerships.transfer.reading.problems import unable
from partnerships.transfer.reporting import OUTCOMES, Report
from partnerships.transfer.services.choices import Choices
from partnerships.transfer.services.dating import newer_list, settled_date
from partnerships.transfer.services.directory import Directory, Import, Progress, silent
from partnerships.transfer.services.doubts import Doubts
from partnerships.transfer.services.files import File, Given, import_files
from partnerships.transfer.services.outcomes import Outcome, refuse_unusable
from partnerships.transfer.services.registers.kinds import Reading, read_register
from partnerships.transfer.services.registers.known_headings import headings_known_for
from partnerships.transfer.services.registers.published_lists import files_in, importer_of
from partnerships.transfer.services.rows import row_errors
from partnerships.transfer.services.vintages import fill_history

NO_CHOICES = Choices()


def import_register(
    *,
    register: str,
    file: File,
    author: User | None,
    now: dt.datetime,
    choices: Choices = NO_CHOICES,
    dry_run: bool = False,
    progress: Progress = silent,
    organisation: Organisation | None = None,
) -> Outcome:
    """Import a published list into the directory.

    A list older than the latest one fills history as at its date. Rows with problems are set aside and the others go
    in, unless the choices say otherwise. A dry run does everything and rolls it back. Raises `UnableToRead` with every
    problem of a file that is refused: a wrong one, and one that lacks too many bodies to be complete; and
    `UnknownHeadings` if a needed column is missing.
    """
    given = Given(
        files=files_in(register, file),
        author=author,
        now=now,
        choices=choices,
        progress=progress,
        keep=not dry_run,
        organisation=organisation,
    )
    return import_files(partial(apply_list, register), given, dry_run=dry_run)


def apply_list(register: str, given: Given) -> ImportRun:
    """Import a list of any kind inside the caller's transaction, and return its run.

    Knows the headings that a person has confirmed for the publisher.
    """
    apply = importer_of(register) or partial(_apply_register, register)
    return apply(replace(given, known=headings_known_for(register, given.choices.publisher)))


def _apply_register(register: str, given: Given) -> ImportRun:
    """Import a register of organisations: read it, date it, apply it, keep its run."""
    sheets = given.files[0].sheets
    reading = read_register(register, sheets, given.known(0, sheets), given.choices)
    about, report = reading.about, Report()
    refuse_unusable(about, all_or_nothing=given.choices.all_or_nothing)
    day = settled_date(
        given=given.choices.as_of,
        named=given.named_date,
        # Corrected rows belong to the latest list, whatever dates they hold.
        said=given.latest_date(register) if about.is_corrected else about.true_on,
        now=given.now,
        report=report,
    )
    source = f"{Register(register).label}, {given.names[0]}, as of {long_date(day)}"
    run = given.start(register, day, report=report, listed=about, source=source)
    _remark_on_earlier(run)
    for line in about.remarks:
        report.remark(line)
    doubts = Doubts.of(register)
    with report.timed(), row_errors(run):
        _apply_or_fill_history(reading, doubts, run)
    report.account_for(about)
    _guard_the_missing(report, keep=given.keep, accepted=given.choices.accept_missing)
    counts = {outcome: report.counts[outcome] for outcome in OUTCOMES}
    saved = given.finish(given.new_run(register, day), run, EventKind.LIST_IMPORTED, counts=counts)
    if given.keep:
        _save_rows_to_review(doubts, saved)
    return saved


def _remark_on_earlier(run: Import) -> None:
    """Say in the report when the same file was imported before."""
    applied = ImportRun.objects.filter(register=run.register, status=RunStatus.APPLIED)
    same = applied.filter(sha256=run.digest).order_by("-started_at", "-pk").first()
    if same is not None:
        run.report.remark(f"This file was already imported on {long_date(timezone.localdate(same.started_at))}.")


def _apply_or_fill_history(reading: Reading, doubts: Doubts, run: Import) -> None:
    """Update the directory from the list; an older one only adds to history."""
    newer = newer_list(register=run.register, digest=run.digest, as_of=run.as_of)
    if newer is not None and newer.as_of is not None:
        fill_history(reading.entries, newer.as_of, Directory(), doubts, run)
    else:
        reading.apply(Directory(), doubts, run)


def _guard_the_missing(report: Report, *, keep: bool, accepted: bool) -> None:
    """Refuse a partial or wrong list, which would mark most of a register."""
    if report.too_many_missing is None or accepted:
        return
    absent, expected = report.too_many_missing
    problem = (
        f"{absent:,} of the {expected:,} organisations of this register are not in it ({absent * 100 // expected} %)."
    )
    if keep:
        raise unable(
            problem,
            "If it is the whole list, import it with --accept-missing, or tick “They are really missing” in "
            "the administration. If it is only a part of the register, use --part or “Only a part”.",
        )
    report.remark(f"Is it the whole list? {problem} It is imported only if you confirm this.")


def _save_rows_to_review(doubts: Doubts, run: ImportRun) -> None:
    """Save new rows to review; open ones are updated."""
    for asked in doubts.asked:
        doubt, _ = Doubt.objects.update_or_create(
            register=run.register,
            key=asked.key,
            defaults={"name": asked.name[:300], "row": asked.row, "why": asked.why, "run": run},
        )
        doubt.candidates.set(asked.candidates)
