"""Apply the three files of developer agreements in one transaction."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from decimal import Decimal
from pathlib import PurePath

from django.db import transaction

from partnerships.commitments.models import Commitment
from partnerships.commitments.services.registers import RegisterPromise, add_from_register, record_from_register
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.developer_agreements.services import RegisterAgreement, link_promises, record_agreements
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportRun, Register
from partnerships.transfer.reading.dating import date_in_file_name
from partnerships.transfer.reading.developer_agreements import Agreement, AgreementFiles, read_developer_agreements
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.reading.tables import read_sheets
from partnerships.transfer.reporting import Report
from partnerships.transfer.services.dating import refuse_older, settled_date
from partnerships.transfer.services.developer_agreements.authorities import Authorities
from partnerships.transfer.services.developer_agreements.kept import keep_agreements, keep_promises
from partnerships.transfer.services.developer_agreements.promises import register_promise
from partnerships.transfer.services.directory import Import, Progress, silent
from partnerships.transfer.services.local_plans import File
from partnerships.transfer.services.locking import wait_for_turn
from partnerships.transfer.services.recording import new_run, record_import, settle_run
from partnerships.transfer.services.registers import Outcome
from partnerships.transfer.services.rows import row_errors

#: The source of the commitments. A later import finds them by source, reference and receiver, so it must not change.
SOURCE = "developer agreements (planning data platform, MHCLG)"


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
    files = (agreements, contributions, transactions)
    names = (agreements.name, contributions.name, transactions.name)
    read = read_developer_agreements(*(read_sheets(file.data, file.name) for file in files), names=names)
    report = Report()
    named = max((day for day in (date_in_file_name(PurePath(name).name) for name in names) if day), default=None)
    day = settled_date(given=as_of, named=named, said=read.written_on, now=now, report=report)
    digest = hashlib.sha256(b"\x00".join(file.data for file in files)).hexdigest()
    run = Import(
        register=Register.DEVELOPER_AGREEMENTS,
        author=author,
        now=now,
        as_of=day,
        source=SOURCE,
        report=report,
        progress=progress,
    )
    with transaction.atomic():
        wait_for_turn()
        require(roles_of(author, now).keeps_directory)
        refuse_older(register=run.register, digest=digest, as_of=day)
        import_run = new_run(
            register=run.register, file_name=", ".join(names), sha256=digest, as_of=day, author=author, now=now
        )
        import_run.save(force_insert=True)
        with row_errors(run):
            line = _apply(read, run, import_run)
        settle_run(import_run, run.report).save()
        record_import(import_run, EventKind.DEVELOPER_AGREEMENTS_IMPORTED, author=author, now=now)
        if dry_run:
            transaction.set_rollback(True)
    return Outcome(import_run, f"Dry run, nothing was changed. {line}" if dry_run else line)


def _apply(read: AgreementFiles, run: Import, import_run: ImportRun) -> str:
    """Save what the files hold; returns the last line of the report."""
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
    promises = _save_promises(read, authorities, agreements, run)
    for account in read.accounts:
        for line in account.set_aside:
            run.report.count("set_aside", line)
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
            account.set_aside_read(agreement.row, f"“{agreement.organisation}” is not in the directory.")
            continue
        keys.append(agreement.key)
        rows.append(_register_agreement(agreement, authority))
    saved, new = record_agreements(agreements=rows, run_id=import_run.pk, author=run.author, now=run.now)
    run.report.counts["created"] += new
    run.report.counts["left_alone"] += len(saved) - new
    by_key = dict(zip(keys, saved, strict=True))
    keep_agreements(read.agreements, by_key, run)
    return by_key


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
    read: AgreementFiles, authorities: Authorities, agreements: dict[str, DeveloperAgreement], run: Import
) -> list[RegisterPromise]:
    """Save contributions as commitments.

    Those of unknown authorities are set aside.
    """
    account, account_of_transactions = read.accounts[1], read.accounts[2]
    agreement_rows = {row.key: row for row in read.agreements}
    promises: list[RegisterPromise] = []
    registered_by_row: dict[int, RegisterPromise] = {}
    agreement_of: dict[tuple[str, int], DeveloperAgreement] = {}
    for done, promise in enumerate(read.promises, start=1):
        agreement = agreements.get(promise.agreement)
        receiver = authorities.find(promise.organisation) or (agreement.organisation if agreement else None)
        if receiver is None:
            account.set_aside_read(promise.row, f"“{promise.organisation}” is not in the directory.")
            for movement in promise.movements:
                account_of_transactions.set_aside_read(
                    movement.row, f"its contribution in row {promise.row} was set aside."
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
        promises.append(registered)
        registered_by_row[promise.row] = registered
        if agreement is not None:
            agreement_of[registered.reference, receiver.pk] = agreement
        run.progress(done, len(read.promises))
    new = record_from_register(promises=promises, source=SOURCE, author=run.author, now=run.now)
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
    _update_known_promises(promises, new, run)
    keep_promises(read.promises, {key: promise.receiver.pk for key, promise in registered_by_row.items()}, SOURCE, run)
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
