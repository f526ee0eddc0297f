"""Import the three files of developer agreements in one transaction."""

from __future__ import annotations

import datetime as dt
from functools import partial

from partnerships.developer_agreements.services import SOURCE
from partnerships.people.models import User
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportRun, Register
from partnerships.transfer.reading.developer_agreements import AgreementFiles, read_developer_agreements
from partnerships.transfer.reading.problems import UnableToRead, refuse_file
from partnerships.transfer.reporting import Report
from partnerships.transfer.services.choices import Choices
from partnerships.transfer.services.dating import newer_list
from partnerships.transfer.services.developer_agreements.ages import AgreementAges
from partnerships.transfer.services.developer_agreements.agreements import Agreements, save_agreements
from partnerships.transfer.services.developer_agreements.authorities import Authorities
from partnerships.transfer.services.developer_agreements.contributions import ContributionSources, save_promises
from partnerships.transfer.services.developer_agreements.passed_on import PassedOn
from partnerships.transfer.services.developer_agreements.saved_rows import find_saved_rows, save_agreement_rows
from partnerships.transfer.services.directory import Progress, RunningImport, ignore_progress
from partnerships.transfer.services.files import File, ImportRequest, import_files
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
    progress: Progress = ignore_progress,
) -> Outcome:
    """Import agreements, contributions and transactions.

    The report accounts for every row. Importing the same files again changes nothing. Raises `UnableToRead` if a file
    is not the expected one, or if the directory has no councils.
    """
    choices = Choices(as_of=as_of)
    files = (agreements, contributions, transactions)
    import_request = ImportRequest(
        files=files, author=author, now=now, choices=choices, progress=progress, keep=not dry_run
    )
    outcome = import_files(apply_developer_agreements, import_request, dry_run=dry_run)
    last_line = outcome.run.report["remarks"][-1]
    return Outcome(outcome.run, f"Dry run, nothing was changed. {last_line}" if dry_run else last_line)


def apply_developer_agreements(import_request: ImportRequest) -> ImportRun:
    """Import the three files inside the caller's transaction, and return the run.

    The last remark of the report accounts for every row.
    """
    files = _read(import_request)
    report = Report()
    day = import_request.settle_date(
        Register.DEVELOPER_AGREEMENTS,
        is_corrected=any(account.list_file.is_corrected for account in files.accounts),
        date_in_rows=files.written_on,
        report=report,
    )
    # The run starts without a list file, because the accounts have the rows, and `_apply` sets rows aside at its end.
    run = import_request.start(Register.DEVELOPER_AGREEMENTS, day, report=report, source=SOURCE)
    newer_run = newer_list(
        register=run.register, digest=import_request.digest, as_of=day, organisation=import_request.organisation
    )
    ages = AgreementAges(files, newer_run.as_of if newer_run else None, import_request.organisation)
    import_run = import_request.new_run(run.register, day)
    if import_request.run_pk is None:
        # Agreements refer to the run, even in a dry run, which is rolled back.
        import_run.save(force_insert=True)
    with report.timed(), refuse_file_with_row(run):
        last_line = _apply(files, ages, run, import_run)

    problems = [problem for account in files.accounts for row in account.set_aside for problem in row.problems]
    if import_request.choices.all_or_nothing and problems:
        raise UnableToRead(problems)
    report.account_for(*(account.list_file for account in files.accounts))
    report.remark(last_line)
    return import_request.finish(import_run, run, EventKind.DEVELOPER_AGREEMENTS_IMPORTED)


def _read(import_request: ImportRequest) -> AgreementFiles:
    """Return the content of the three files of the request. Raises `UnableToRead` if a file is not the expected one."""
    agreements, contributions, transactions = (file.sheets for file in import_request.files)
    return read_developer_agreements(
        agreements,
        contributions,
        transactions,
        names=(import_request.names[0], import_request.names[1], import_request.names[2]),
        known_headings=(
            import_request.known_headings(0, agreements),
            import_request.known_headings(1, contributions),
            import_request.known_headings(2, transactions),
        ),
        recall=partial(find_saved_rows, import_request.organisation),
    )


def _apply(files: AgreementFiles, ages: AgreementAges, run: RunningImport, import_run: ImportRun) -> str:
    """Save the content of the files, and return the last line of the report.

    Rows that are older than those of the last files only add to histories.
    """
    authorities = Authorities(run)
    if not authorities.has_councils:
        raise refuse_file(
            "the directory has no councils yet for agreements to belong to.",
            "Import the list of councils first: import_register councils FILE.",
        )

    passed_on = PassedOn()
    agreement_by_row, rows_without_authority = save_agreements(files, authorities, passed_on, run, import_run)
    sources = ContributionSources(
        files=files,
        authorities=authorities,
        passed_on=passed_on,
        agreements=Agreements(files, agreement_by_row, rows_without_authority),
        ages=ages,
    )
    last_line = save_promises(sources, run)
    current_rows = [row for row in files.agreements if ages.newer_than_agreement(row) is None]
    save_agreement_rows(current_rows, agreement_by_row, authorities.find, run)

    for account in files.accounts:
        for row, sentence in zip(account.set_aside, account.lines, strict=True):
            run.report.rows_set_aside.append(row)
            run.report.count("set_aside", sentence)
        for remark in account.remarks:
            run.report.remark(remark)
    return last_line
