"""Import a published register; rows that cannot be used are set aside."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import PurePath

from django.db import transaction
from django.utils import timezone

from partnerships.kit.dates import long_date
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import Doubt, ImportRun, Register, RunStatus
from partnerships.transfer.reading.dating import date_in_file_name
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.reading.tables import read_sheets
from partnerships.transfer.reading.values import text
from partnerships.transfer.reporting import OUTCOMES, Report
from partnerships.transfer.services.choices import Choices
from partnerships.transfer.services.dating import latest_date, newer_list, settled_date
from partnerships.transfer.services.directory import Directory, Import, Progress, silent
from partnerships.transfer.services.doubts import Doubts
from partnerships.transfer.services.files import Given
from partnerships.transfer.services.locking import wait_for_turn
from partnerships.transfer.services.outcomes import Outcome, last_line, refuse_unusable
from partnerships.transfer.services.recording import new_run, record_import, settle_run
from partnerships.transfer.services.registers.kinds import read_register
from partnerships.transfer.services.registers.known_headings import known_headings
from partnerships.transfer.services.registers.standards import files_in, importer_of
from partnerships.transfer.services.rows import row_errors
from partnerships.transfer.services.vintages import fill_history

NO_CHOICES = Choices()


def import_register(
    *,
    register: str,
    data: bytes,
    file_name: str,
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
    with transaction.atomic():
        wait_for_turn()
        require(roles_of(author, now).keeps_directory)
        run = apply_list(
            register=register,
            data=data,
            file_name=file_name,
            author=author,
            now=now,
            choices=choices,
            progress=progress,
            keep=not dry_run,
            organisation=organisation,
        )
        if dry_run:
            transaction.set_rollback(True)
    return Outcome(run, last_line(run, applied=not dry_run))


def apply_list(
    *,
    register: str,
    data: bytes,
    file_name: str,
    author: User | None,
    now: dt.datetime,
    choices: Choices,
    progress: Progress,
    keep: bool,
    number: int | None = None,
    organisation: Organisation | None = None,
) -> ImportRun:
    """Read and apply a list inside the caller's transaction; the run.

    `number` is that of the preview whose place the run takes, `organisation` whose own files they are. Several files
    come as one, as `pack` makes it.
    """
    if (apply := importer_of(register)) is not None:
        return apply(
            Given(
                files=files_in(register, data, file_name),
                author=author,
                now=now,
                choices=choices,
                progress=progress,
                keep=keep,
                number=number,
                organisation=organisation,
                known=lambda place, sheets: known_headings(register, choices.publisher, sheets, place),
            )
        )
    sheets = read_sheets(data, file_name)
    known = known_headings(register, choices.publisher, sheets)
    reading = read_register(register, sheets, known, choices)
    about = reading.about
    refuse_unusable(about, all_or_nothing=choices.all_or_nothing)
    name = text(PurePath(file_name).name)
    digest = hashlib.sha256(data).hexdigest()
    report = Report()
    # Rows that were set aside belong to the latest list; what dates they hold are older than it.
    said = latest_date(register, digest) if about.is_corrected else about.true_on
    day = settled_date(given=choices.as_of, named=date_in_file_name(name), said=said, now=now, report=report)
    newer = newer_list(register=register, digest=digest, as_of=day)
    label = Register(register).label
    run = Import(
        register=register,
        author=author,
        now=now,
        as_of=day,
        source=f"{label}, {name}, as of {long_date(day)}",
        report=report,
        progress=progress,
        listed=about,
        rows_stand_alone=not choices.all_or_nothing,
    )
    for row in about.set_aside:
        run.set_aside(row)
    _remark_on_earlier(run, digest)
    for line in about.remarks:
        report.remark(line)
    doubts = Doubts.of(register)
    with report.timed(), row_errors(run):
        if newer is not None and newer.as_of is not None:
            fill_history(reading.entries, newer.as_of, Directory(), doubts, run)
        else:
            reading.apply(Directory(), doubts, run)
    report.account_for(about)
    _guard_the_missing(report, keep=keep, accepted=choices.accept_missing)
    made = new_run(register=register, file_name=name, sha256=digest, as_of=day, author=author, now=now)
    made.publisher = choices.publisher[:120]
    settle_run(made, report)
    made.pk = number
    if keep:
        made.save(force_insert=number is None)
        _ask(doubts, made)
        record_import(
            made,
            EventKind.LIST_IMPORTED,
            author=author,
            now=now,
            counts={outcome: run.report.counts[outcome] for outcome in OUTCOMES},
        )
    return made


def _remark_on_earlier(run: Import, digest: str) -> None:
    applied = ImportRun.objects.filter(register=run.register, status=RunStatus.APPLIED)
    same = applied.filter(sha256=digest).order_by("-started_at", "-pk").first()
    if same is not None:
        run.report.remark(f"This file was already imported on {long_date(timezone.localdate(same.started_at))}.")


def _guard_the_missing(report: Report, *, keep: bool, accepted: bool) -> None:
    """Refuse a partial or wrong list, which would mark most of a register."""
    if report.too_many_missing is None or accepted:
        return
    absent, due = report.too_many_missing
    found = f"{absent:,} of the {due:,} organisations of this register are not in it ({absent * 100 // due} %)."
    if keep:
        raise UnableToRead(
            [
                Problem(
                    None,
                    "",
                    found,
                    "If it is the whole list, import it with --accept-missing, or tick “They are really missing” in "
                    "the administration. If it is only a part of the register, use --part or “Only a part”.",
                )
            ]
        )
    report.remark(f"Is it the whole list? {found} It is imported only if you confirm this.")


def _ask(doubts: Doubts, run: ImportRun) -> None:
    """Save new rows to review; open ones are updated."""
    for asked in doubts.asked:
        doubt, _ = Doubt.objects.update_or_create(
            register=run.register,
            key=asked.key,
            defaults={"name": asked.name[:300], "row": asked.row, "why": asked.why, "run": run},
        )
        doubt.candidates.set(asked.candidates)
