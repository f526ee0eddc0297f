"""Apply the three files of developer agreements in one transaction."""

from __future__ import annotations

import datetime as dt
from functools import partial

from partnerships.developer_agreements.services import SOURCE
from partnerships.people.models import User
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportRun, Register
from partnerships.transfer.reading.developer_agreements import AgreementFiles, read_developer_agreements
from partnerships.transfer.reading.problems import UnableToRead, unable
from partnerships.transfer.reporting import Report
from partnerships.transfer.services.choices import Choices
from partnerships.transfer.services.dating import newer_list, settled_date
from partnerships.transfer.services.developer_agreements.agreements import Agreements, save_agreements
from partnerships.transfer.services.developer_agreements.authorities import Authorities
from partnerships.transfer.services.developer_agreements.contributions import save_promises
from partnerships.transfer.services.developer_agreements.kept import keep_agreements, recall_rows
from partnerships.transfer.services.developer_agreements.older import Vintages
from partnerships.transfer.services.developer_agreements.passed_on import PassedOn
from partnerships.transfer.services.directory import Import, Progress, silent
from partnerships.transfer.services.files import File, Given, import_files
from partnerships.transfer.services.outcomes import Outcome
from partnerships.transfer.services.refusals import refuse_file_with_row


def import_developer_agreements(
    *,
    agreements: File,
    contributions: File,
    transactions: File,
    author: User | None,
    now: dt.datetime,
    as_of: dt.date | None = None,
    dry_run: bool = False,
    progress: Progress = silent,
) -> Outcome:
    """Import agreements, promises and payments; every row is accounted for.

    Importing the same files twice changes nothing the second time. Raises `UnableToRead` if a file is not the expected
    one, or the directory has no councils.
    """
    choices = Choices(as_of=as_of)
    files = (agreements, contributions, transactions)
    given = Given(files=files, author=author, now=now, choices=choices, progress=progress, keep=not dry_run)
    outcome = import_files(apply_developer_agreements, given, dry_run=dry_run)
    line = outcome.run.report["remarks"][-1]
    return Outcome(outcome.run, f"Dry run, nothing was changed. {line}" if dry_run else line)


def apply_developer_agreements(given: Given) -> ImportRun:
    """Import the three files inside the caller's transaction.

    Returns the run. Its last remark accounts for every row.
    """
    first, second, third = (file.sheets for file in given.files)
    read = read_developer_agreements(
        first,
        second,
        third,
        names=(given.names[0], given.names[1], given.names[2]),
        known=(given.known(0, first), given.known(1, second), given.known(2, third)),
        recall=partial(recall_rows, given.organisation),
    )
    report = Report()
    is_corrected = any(account.list_file.is_corrected for account in read.accounts)
    day = settled_date(
        given=given.choices.as_of,
        named=given.named_date,
        said=given.latest_date(Register.DEVELOPER_AGREEMENTS) if is_corrected else read.written_on,
        now=given.now,
        report=report,
    )
    # Each account sets its own rows aside, once the others are in.
    run = given.start(Register.DEVELOPER_AGREEMENTS, day, report=report, source=SOURCE)
    newer = newer_list(register=run.register, digest=given.digest, as_of=day, organisation=given.organisation)
    vintages = Vintages(read, newer.as_of if newer else None, given.organisation)
    made = given.new_run(run.register, day)
    if given.run_pk is None:
        made.save(force_insert=True)  # agreements hold its number; a dry run is undone with them
    with report.timed(), refuse_file_with_row(run):
        line = _apply(read, run, made, vintages)
    if given.choices.all_or_nothing and (
        problems := [problem for account in read.accounts for row in account.set_aside for problem in row.problems]
    ):
        raise UnableToRead(problems)
    report.account_for(*(account.list_file for account in read.accounts))
    report.remark(line)
    return given.finish(made, run, EventKind.DEVELOPER_AGREEMENTS_IMPORTED)


def _apply(read: AgreementFiles, run: Import, import_run: ImportRun, vintages: Vintages) -> str:
    """Save what the files hold; returns the last line of the report.

    Rows older than what was read before fill history and change nothing present.
    """
    authorities = Authorities(run)
    if not authorities.include_councils:
        raise unable(
            "the directory has no councils yet for agreements to belong to.",
            "Import the list of councils first: import_register councils FILE.",
        )
    passed_on = PassedOn()
    agreements, unknown = save_agreements(read, authorities, passed_on, run, import_run)
    last_line = save_promises(read, authorities, passed_on, Agreements(read, agreements, unknown), run, vintages)
    present = [row for row in read.agreements if not vintages.of_agreement(row)]
    keep_agreements(present, agreements, authorities.find, run)
    for account in read.accounts:
        for row, words in zip(account.set_aside, account.lines, strict=True):
            run.report.rows_set_aside.append(row)
            run.report.count("set_aside", words)
        for line in account.remarks:
            run.report.remark(line)
    return last_line
