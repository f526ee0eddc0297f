"""Importing a published register: all of it or nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType

from django.db import DataError, IntegrityError, transaction
from django.utils import timezone

from partnerships.activity.services import record
from partnerships.kit.dates import long_date
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services import (
    UnableToAddIdentifier,
    UnableToCreateOrganisation,
    UnableToDissolve,
    UnableToRecordSuccession,
    UnableToUpdateOrganisation,
)
from partnerships.people.models import User
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import Answer, Doubt, ImportRun, Register, RunStatus
from partnerships.transfer.reading.combined_authorities import read_combined_authorities
from partnerships.transfer.reading.councils import read_councils
from partnerships.transfer.reading.dating import date_in_file_name
from partnerships.transfer.reading.headings import About
from partnerships.transfer.reading.leps import read_leps
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.reading.providers import read_providers
from partnerships.transfer.reading.tables import Sheet, read_sheets
from partnerships.transfer.reading.values import text
from partnerships.transfer.reporting import OUTCOMES, Report, summary
from partnerships.transfer.services.combined_authorities import (
    apply_combined_authority_answer,
    bring_combined_authorities,
)
from partnerships.transfer.services.councils import apply_council_answer, bring_councils
from partnerships.transfer.services.dating import refuse_older, settled_date
from partnerships.transfer.services.directory import Directory, Import, Progress, silent
from partnerships.transfer.services.doubts import Doubts
from partnerships.transfer.services.leps import apply_lep_answer, bring_leps
from partnerships.transfer.services.locking import wait_for_turn
from partnerships.transfer.services.providers import apply_provider_answer, bring_providers

Bring = Callable[[Directory, Doubts, Import], None]
ApplyAnswer = Callable[[Doubt, Organisation | None, Directory, Import], Organisation]
#: What services refuse while a list is applied: a problem in a row, or in the directory.
REFUSALS = (
    UnableToAddIdentifier,
    UnableToCreateOrganisation,
    UnableToDissolve,
    UnableToRecordSuccession,
    UnableToUpdateOrganisation,
)


class UnableToApply(Exception):
    """The run is not a preview, or was applied or discarded."""


class UnableToAnswer(Exception):
    """The row has an answer already, or the answer is invalid."""


def _read(register: str, sheets: tuple[Sheet, ...]) -> tuple[About, Bring]:
    """The remarks on the sheets, and the function that applies them.

    Raises `UnableToRead`.
    """
    if register == Register.COUNCILS:
        councils = read_councils(sheets)
        return councils.about, lambda directory, doubts, run: bring_councils(councils, directory, doubts, run)
    if register == Register.LEPS:
        leps = read_leps(sheets)
        return leps.about, lambda directory, doubts, run: bring_leps(leps.leps, directory, doubts, run)
    if register == Register.PROVIDERS:
        providers = read_providers(sheets)
        return providers.about, lambda directory, doubts, run: bring_providers(providers, directory, doubts, run)
    if register == Register.COMBINED_AUTHORITIES:
        listed = read_combined_authorities(sheets)
        return listed.about, lambda directory, doubts, run: bring_combined_authorities(
            listed.authorities, directory, doubts, run
        )
    raise ValueError(f"{register} is no register of organisations")


_APPLY_ANSWER: Mapping[str, ApplyAnswer] = MappingProxyType(
    {
        Register.COUNCILS: apply_council_answer,
        Register.PROVIDERS: apply_provider_answer,
        Register.LEPS: apply_lep_answer,
        Register.COMBINED_AUTHORITIES: apply_combined_authority_answer,
    }
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The import run and its last line; a dry run's is not saved."""

    run: ImportRun
    last_line: str


def import_register(
    *,
    register: str,
    data: bytes,
    file_name: str,
    author: User | None,
    now: dt.datetime,
    as_of: dt.date | None = None,
    dry_run: bool = False,
    accept_missing: bool = False,
    progress: Progress = silent,
) -> Outcome:
    """Import a published list into the directory: all of it or nothing.

    The list's date is `as_of`, else the date in the file's name, title or rows, else today. A dry run does everything
    and rolls it back. Raises `UnableToRead` with every problem; also for a list older than the latest one, and for one
    that lacks too many bodies to be complete, unless `accept_missing`.
    """
    about, bring = _read(register, read_sheets(data, file_name))
    with transaction.atomic():
        wait_for_turn()
        require(roles_of(author, now).keeps_directory)
        run = _brought(
            register=register,
            data=data,
            file_name=file_name,
            author=author,
            now=now,
            as_of=as_of,
            about=about,
            bring=bring,
            progress=progress,
            keep=not dry_run,
            accept_missing=accept_missing,
        )
        if dry_run:
            transaction.set_rollback(True)
    return Outcome(run, last_line(run, applied=not dry_run))


def _brought(
    *,
    register: str,
    data: bytes,
    file_name: str,
    author: User | None,
    now: dt.datetime,
    as_of: dt.date | None,
    about: About,
    bring: Bring,
    progress: Progress,
    keep: bool,
    accept_missing: bool,
) -> ImportRun:
    name = text(PurePath(file_name).name)
    digest = hashlib.sha256(data).hexdigest()
    report = Report()
    day = settled_date(given=as_of, named=date_in_file_name(name), said=about.true_on, now=now, report=report)
    refuse_older(register=register, digest=digest, as_of=day)
    label = Register(register).label
    run = Import(
        register=register,
        author=author,
        now=now,
        as_of=day,
        source=f"{label}, {name}, as of {long_date(day)}",
        report=report,
        progress=progress,
    )
    _remark_on_earlier(run, digest)
    for line in about.remarks:
        report.remark(line)
    doubts = Doubts.of(register)
    begun = time.monotonic()
    with row_errors(run):
        bring(Directory(), doubts, run)
    report.seconds = round(time.monotonic() - begun, 1)
    _guard_the_missing(report, keep=keep, accepted=accept_missing)
    made = ImportRun(
        register=register,
        file_name=name[:300],
        sha256=digest,
        as_of=day,
        report=run.report.as_json(),
        started_at=now,
        finished_at=timezone.now(),
        by=author,
        status=RunStatus.APPLIED,
        **{outcome: run.report.counts[outcome] for outcome in OUTCOMES},
    )
    if keep:
        made.save(force_insert=True)
        _ask(doubts, made)
        record(
            actor_id=author.pk if author else None,
            kind=EventKind.LIST_IMPORTED,
            target_kind="import",
            target_id=made.pk,
            now=now,
            data={"title": str(made), "counts": {outcome: run.report.counts[outcome] for outcome in OUTCOMES}},
        )
    return made


def _remark_on_earlier(run: Import, digest: str) -> None:
    applied = ImportRun.objects.filter(register=run.register, status=RunStatus.APPLIED)
    same = applied.filter(sha256=digest).order_by("-started_at", "-pk").first()
    if same is not None:
        run.report.remark(f"This very file was imported on {long_date(timezone.localdate(same.started_at))}.")


@contextmanager
def row_errors(run: Import) -> Iterator[None]:
    """Turn refusals of services and the database into problems of a row.

    Raises `UnableToRead`.
    """
    try:
        yield
    except REFUSALS as error:
        remedy = "Correct the list, or the directory in the administration."
        raise UnableToRead([Problem(run.row, "", str(error), remedy)]) from error
    except IntegrityError as error:
        found = f"it contradicts what the directory holds ({constraint_of(error)})."
        raise UnableToRead(
            [Problem(run.row, "", found, "Correct its dates, keys and codes, or the directory in the administration.")]
        ) from error
    except DataError as error:
        found = f"it cannot be stored: {str(error).splitlines()[0]}."
        raise UnableToRead([Problem(run.row, "", found, "Shorten what is too long.")]) from error


def constraint_of(error: IntegrityError) -> str:
    """The name of the broken constraint, as words."""
    rule = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or "a rule of the database"
    return str(rule).replace("_", " ")


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
                    "Is it the whole list? If so, import it with --accept-missing, or in the administration with the "
                    "tick “They are really missing”.",
                )
            ]
        )
    report.remark(f"Is it the whole list? {found} It is imported only if you say that this is so.")


def _ask(doubts: Doubts, run: ImportRun) -> None:
    """Save new rows to review; open ones are updated."""
    for asked in doubts.asked:
        doubt, _ = Doubt.objects.update_or_create(
            register=run.register,
            key=asked.key,
            defaults={"name": asked.name[:300], "row": asked.row, "why": asked.why, "run": run},
        )
        doubt.candidates.set(asked.candidates)


def last_line(run: ImportRun, *, applied: bool) -> str:
    """What a run did or would do, in one sentence."""
    counts = {outcome: getattr(run, outcome) for outcome in OUTCOMES}
    return summary(Register(run.register).label, run.as_of, counts, applied=applied)


def preview_register(
    *,
    register: str,
    data: bytes,
    file_name: str,
    author: User,
    now: dt.datetime,
    as_of: dt.date | None = None,
) -> ImportRun:
    """Save a file and a report of what importing it would do.

    Raises `UnableToRead`.
    """
    outcome = import_register(
        register=register, data=data, file_name=file_name, author=author, now=now, as_of=as_of, dry_run=True
    )
    run = outcome.run
    run.pk = None
    run.status = RunStatus.PREVIEWED
    run.content = data
    run.save(force_insert=True)
    return run


def apply_preview(*, run: ImportRun, author: User, now: dt.datetime, accept_missing: bool = False) -> ImportRun:
    """Import a preview's file into the directory as it is now; delete it.

    `accept_missing` confirms that bodies missing from the list are really gone. Raises `UnableToApply` if the preview
    was applied or discarded meanwhile, and `UnableToRead` if it no longer fits.
    """
    with transaction.atomic():
        wait_for_turn()
        waiting = ImportRun.objects.select_for_update().get(pk=run.pk)
        require(roles_of(author, now).keeps_directory)
        if not waiting.is_waiting or waiting.content is None:
            raise UnableToApply("This import was applied or discarded meanwhile.")
        data = bytes(waiting.content)
        about, bring = _read(waiting.register, read_sheets(data, waiting.file_name))
        done = _brought(
            register=waiting.register,
            data=data,
            file_name=waiting.file_name,
            author=author,
            now=now,
            as_of=None if waiting.report.get("dated_today") else waiting.as_of,
            about=about,
            bring=bring,
            progress=silent,
            keep=True,
            accept_missing=accept_missing,
        )
        waiting.delete()
    return done


def discard_preview(*, run: ImportRun, author: User, now: dt.datetime) -> None:
    """Delete a preview's file without importing it.

    Raises `UnableToApply` if it was applied or discarded.
    """
    with transaction.atomic():
        require(roles_of(author, now).keeps_directory)
        waiting = ImportRun.objects.select_for_update().filter(pk=run.pk, status=RunStatus.PREVIEWED)
        if not waiting.update(status=RunStatus.DISCARDED, content=None, finished_at=now):
            raise UnableToApply("This import was applied or discarded meanwhile.")
        record(
            actor_id=author.pk,
            kind=EventKind.DISCARDED,
            target_kind="import",
            target_id=run.pk,
            now=now,
            data={"title": str(run)},
        )


def answer_doubt(
    *,
    doubt: Doubt,
    answer: str,
    organisation: Organisation | None = None,
    reason: str,
    author: User,
    now: dt.datetime,
) -> Doubt:
    """Answer a row to review and apply it: match, create or leave out.

    Raises `UnableToAnswer` if it has an answer already, if matching names no organisation, or if there is no reason.
    """
    if not reason.strip():
        raise UnableToAnswer("Say why, for those who come after you.")
    if answer not in Answer.values:
        raise UnableToAnswer("Choose one of the answers.")
    if answer == Answer.THIS and organisation is None:
        raise UnableToAnswer("Choose the organisation that it is.")
    with transaction.atomic():
        wait_for_turn()
        asked = Doubt.objects.select_for_update(of=("self",)).select_related("run").get(pk=doubt.pk)
        require(roles_of(author, now).keeps_directory)
        if not asked.is_open:
            raise UnableToAnswer("Somebody answered this meanwhile.")
        if answer != Answer.LEAVE_OUT:
            run = Import(
                register=asked.register,
                author=author,
                now=now,
                as_of=asked.run.as_of or timezone.localdate(now),
                source=f"{asked.run.file_name}, decided: {reason.strip()}",
            )
            body = organisation if answer == Answer.THIS else None
            try:
                with row_errors(run):
                    asked.organisation = _APPLY_ANSWER[asked.register](asked, body, Directory(), run)
            except UnableToRead as error:
                raise UnableToAnswer(str(error)) from error
        asked.answer, asked.reason = answer, reason.strip()
        asked.answered_at, asked.answered_by = now, author
        asked.save(update_fields=["answer", "reason", "organisation", "answered_at", "answered_by"])
        record(
            actor_id=author.pk,
            kind=EventKind.ROW_DECIDED,
            target_kind="doubt",
            target_id=asked.pk,
            now=now,
            data={
                "title": str(asked),
                "reason": reason.strip(),
                "after": {"answer": answer, "is": str(asked.organisation or "")},
            },
        )
    return asked
