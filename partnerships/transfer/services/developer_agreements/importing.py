"""Apply the three files of developer agreements in one transaction."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal

from partnerships.commitments.models import Commitment
from partnerships.commitments.services.registers import RegisterPromise, add_from_register, record_from_register
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.developer_agreements.services import SOURCE, RegisterAgreement, link_promises, record_agreements
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportRun, Register
from partnerships.transfer.reading.developer_agreements import Agreement, AgreementFiles, read_developer_agreements
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.reading.tables import read_sheets
from partnerships.transfer.reporting import Report
from partnerships.transfer.services.choices import Choices
from partnerships.transfer.services.dating import newer_list, settled_date
from partnerships.transfer.services.developer_agreements.authorities import Authorities
from partnerships.transfer.services.developer_agreements.kept import keep_agreements, keep_promises
from partnerships.transfer.services.developer_agreements.older import Older, Vintages
from partnerships.transfer.services.developer_agreements.promises import register_promise
from partnerships.transfer.services.directory import ASK_ADMINISTRATORS, Import, Progress, silent
from partnerships.transfer.services.files import File, Given, import_files
from partnerships.transfer.services.outcomes import Outcome
from partnerships.transfer.services.rows import row_errors

_CORRECT_AUTHORITY = "Write the authority's key, such as local-authority:ADU, or import the list of councils."


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
    """Import the three files inside the caller's transaction; the run. Its last remark accounts for every row."""
    first, second, third = (read_sheets(file.data, file.name) for file in given.files)
    read = read_developer_agreements(
        first,
        second,
        third,
        names=(given.names[0], given.names[1], given.names[2]),
        known=(given.known(0, first), given.known(1, second), given.known(2, third)),
    )
    report = Report()
    day = settled_date(
        given=given.choices.as_of, named=given.named_date, said=read.written_on, now=given.now, report=report
    )
    run = Import(
        register=Register.DEVELOPER_AGREEMENTS,
        author=given.author,
        now=given.now,
        as_of=day,
        source=SOURCE,
        report=report,
        progress=given.progress,
        organisation=given.organisation,
        digest=given.digest,
    )
    newer = newer_list(register=run.register, digest=given.digest, as_of=day, organisation=given.organisation)
    vintages = Vintages(read, newer.as_of if newer else None, given.organisation)
    made = given.new_run(run.register, day)
    if given.number is None:
        made.save(force_insert=True)  # agreements hold its number; a dry run is undone with them
    with report.timed(), row_errors(run):
        line = _apply(read, run, made, vintages)
    if given.choices.all_or_nothing and (
        problems := [one for account in read.accounts for row in account.set_aside for one in row.problems]
    ):
        raise UnableToRead(problems)
    report.account_for(*(account.about for account in read.accounts))
    report.remark(line)
    return given.finish(made, run, EventKind.DEVELOPER_AGREEMENTS_IMPORTED)


def _apply(read: AgreementFiles, run: Import, import_run: ImportRun, vintages: Vintages) -> str:
    """Save what the files hold; returns the last line of the report.

    Rows older than what was read before fill history and change nothing present.
    """
    authorities = Authorities(run)
    if not authorities.include_councils:
        raise UnableToRead(
            [
                Problem(
                    None,
                    "",
                    "the directory has no councils yet for agreements to belong to.",
                    "Import the list of councils first: import_register councils FILE.",
                )
            ]
        )
    agreements = _save_agreements(read, authorities, run, import_run)
    promises = _save_promises(read, authorities, agreements, run, vintages)
    keep_agreements([row for row in read.agreements if not vintages.of_agreement(row)], agreements, run)
    for account in read.accounts:
        for row, words in zip(account.set_aside, account.lines, strict=True):
            run.report.rows_set_aside.append(row)
            run.report.count("set_aside", words)
        for line in account.remarks:
            run.report.remark(line)
    return _last_line(read, promises)


def _save_agreements(
    read: AgreementFiles, authorities: Authorities, run: Import, import_run: ImportRun
) -> dict[str, DeveloperAgreement]:
    """Agreements by key; those without a known authority are set aside."""
    account = read.accounts[0]
    named_by_promises: dict[str, Counter[str]] = {}
    for promise in read.promises:
        if promise.agreement:
            named_by_promises.setdefault(promise.agreement, Counter())[promise.organisation] += 1
    keys, rows = [], []
    for agreement in read.agreements:
        authority = authorities.find(agreement.organisation)
        if authority is None:
            others = [found for name in named_by_promises.get(agreement.key, ()) if (found := authorities.find(name))]
            if len({one.pk for one in others}) == 1:
                authority = others[0]
                account.remark(
                    agreement.row,
                    f"“{agreement.organisation}” is not in the directory: its promises name {authority.name}, which is "
                    "used instead.",
                )
        if authority is None:
            account.set_aside_read(agreement.row, f"“{agreement.organisation}” is not in the directory.", _remedy(run))
            continue
        if run.organisation is not None and authority != run.organisation:
            account.set_aside_read(agreement.row, *_not_own(authority, run.organisation))
            continue
        keys.append(agreement.key)
        rows.append(_register_agreement(agreement, authority))
    saved, new = record_agreements(agreements=rows, run_id=import_run.pk, author=run.author, now=run.now)
    run.report.counts["created"] += new
    run.report.counts["left_alone"] += len(saved) - new
    return dict(zip(keys, saved, strict=True))


def _remedy(run: Import) -> str:
    """What to do about a row whose authority is not known."""
    return ASK_ADMINISTRATORS if run.organisation else _CORRECT_AUTHORITY


def _not_own(authority: Organisation, own: Organisation) -> tuple[str, str]:
    """What is wrong with a row of another authority in an organisation's own files, and what to do."""
    return f"it is {authority.name}'s, and these files are {own.name}'s.", "Only its own authority can import it."


def _register_agreement(agreement: Agreement, authority: Organisation) -> RegisterAgreement:
    return RegisterAgreement(
        reference=agreement.key[:200],
        kind=agreement.kind[:120],
        organisation=authority,
        planning_application=agreement.application[:300],
        document_url=agreement.url[:1000],
        agreed_on=agreement.agreed_on,
        ended_on=agreement.ended_on,
    )


def _save_promises(
    read: AgreementFiles,
    authorities: Authorities,
    agreements: dict[str, DeveloperAgreement],
    run: Import,
    vintages: Vintages,
) -> list[RegisterPromise]:
    """Save contributions as commitments.

    Those of unknown authorities are set aside.
    """
    account, account_of_transactions = read.accounts[1], read.accounts[2]
    agreement_rows = {row.key: row for row in read.agreements}
    present: list[RegisterPromise] = []
    past: list[tuple[RegisterPromise, dt.date]] = []
    registered_by_row: dict[int, RegisterPromise] = {}
    agreement_of: dict[tuple[str, int], DeveloperAgreement] = {}
    for done, promise in enumerate(read.promises, start=1):
        agreement = agreements.get(promise.agreement)
        receiver = authorities.find(promise.organisation) or (agreement.organisation if agreement else None)
        is_others = run.organisation is not None and receiver not in (None, run.organisation)
        if receiver is None or is_others:
            unknown = (f"“{promise.organisation}” is not in the directory.", _remedy(run))
            own = run.organisation
            account.set_aside_read(promise.row, *(_not_own(receiver, own) if receiver and own else unknown))
            for movement in promise.movements:
                account_of_transactions.set_aside_read(
                    movement.row,
                    f"its contribution in row {promise.row} was set aside.",
                    "Correct that row first.",
                )
            continue
        registered = register_promise(
            promise,
            receiver=receiver,
            agreement=agreement,
            agreement_row=agreement_rows.get(promise.agreement),
            as_of=run.as_of,
            accounts=read.accounts,
        )
        if newer := vintages.of_contribution(promise):
            past.append((registered, newer))
        else:
            present.append(registered)
            registered_by_row[promise.row] = registered
        if agreement is not None:
            agreement_of[registered.reference, receiver.pk] = agreement
        run.progress(done, len(read.promises))
    older, promises = Older(past, SOURCE, run), [*present, *(one for one, _ in past)]
    new = record_from_register(promises=[*present, *older.gone], source=SOURCE, author=run.author, now=run.now)
    run.report.counts["created"] += len(new)
    run.report.counts["left_alone"] += len(promises) - len(new)
    link_promises(
        promises=[
            (agreement_of[key], commitment)
            for commitment in new
            if (key := (commitment.source_reference, commitment.receiver_id or 0)) in agreement_of
        ],
        author=run.author,
        now=run.now,
    )
    older.fill_history(present)
    _update_known_promises(present, new, run)
    receivers = {row: promise.receiver.pk for row, promise in registered_by_row.items()}
    keep_promises([row for row in read.promises if row.row in receivers], receivers, SOURCE, run)
    return promises


def _update_known_promises(promises: list[RegisterPromise], new: list[Commitment], run: Import) -> None:
    """Add later payments to known promises and cancel withdrawn ones.

    A promise whose record here differs from the files in any other way is left alone, and the report says so.
    """
    created = {(one.source_reference, one.receiver_id) for one in new}
    known = {key: promise for promise in promises if (key := (promise.reference, promise.receiver.pk)) not in created}
    updated, left = add_from_register(promises=list(known.values()), source=SOURCE, author=run.author, now=run.now)
    for row in updated:
        if known[row.source_reference, row.receiver_id or 0].withdrawn:
            run.report.remark(
                f"{row.source_reference} ({row.receiver}): withdrawn from the register, and cancelled here."
            )
            continue
        run.report.remark(
            f"{row.source_reference} ({row.receiver}): the files report later payments; "
            f"{row.delivered_quantity:,} delivered so far."
        )
    for row in left:
        promise = known[row.source_reference, row.receiver_id or 0]
        now = promise.progress[-1].delivered if promise.progress else Decimal(0)
        run.report.remark(
            f"{row.source_reference} ({row.receiver}): {row.delivered_quantity:,} delivered according to what is "
            f"recorded here, {now:,} according to the files. Nothing was changed: correct it on its page."
        )
    # They were counted as left alone above, because they are known.
    run.report.counts["left_alone"] -= len(updated)
    run.report.counts["changed"] += len(updated)


def _last_line(read: AgreementFiles, promises: list[RegisterPromise]) -> str:
    """Every row of the three files, by what became of it."""
    parts = []
    for account, what in zip(read.accounts, ("agreements", "promises", "transactions"), strict=True):
        parts.append(f"{account.rows:,} rows of {what}: {account.read:,} read, {len(account.set_aside):,} set aside")
    unpublished = sum(1 for promise in read.promises if not promise.agreement)
    withdrawn = sum(1 for promise in promises if promise.withdrawn)
    return (
        f"{'; '.join(parts)}. {len(promises):,} commitments, {unpublished:,} of them in agreements not published"
        f"{f', {withdrawn:,} withdrawn from the register' if withdrawn else ''}."
    )
