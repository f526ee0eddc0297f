"""Apply the three files of developer agreements in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from decimal import Decimal
from functools import partial

from partnerships.commitments.models import Commitment
from partnerships.commitments.services.registers import RegisterPromise, add_from_register, record_from_register
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.developer_agreements.services import SOURCE, RegisterAgreement, link_promises, record_agreements
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportRun, Register
from partnerships.transfer.reading.agreement_rows import Agreement, Promise
from partnerships.transfer.reading.developer_agreements import AgreementFiles, read_developer_agreements
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.reporting import Report
from partnerships.transfer.services.choices import Choices
from partnerships.transfer.services.dating import newer_list, settled_date
from partnerships.transfer.services.developer_agreements.authorities import Authorities
from partnerships.transfer.services.developer_agreements.kept import keep_agreements, keep_promises, recall_rows
from partnerships.transfer.services.developer_agreements.older import Older, Vintages
from partnerships.transfer.services.developer_agreements.passed_on import PassedOn
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
    is_corrected = any(account.about.is_corrected for account in read.accounts)
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
    if given.number is None:
        made.save(force_insert=True)  # agreements hold its number; a dry run is undone with them
    with report.timed(), row_errors(run):
        line = _apply(read, run, made, vintages)
    if given.choices.all_or_nothing and (
        problems := [problem for account in read.accounts for row in account.set_aside for problem in row.problems]
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
    passed_on = PassedOn()
    agreements, unknown = _save_agreements(read, authorities, passed_on, run, import_run)
    last_line = _save_promises(read, authorities, passed_on, _Agreements(read, agreements, unknown), run, vintages)
    present = [row for row in read.agreements if not vintages.of_agreement(row)]
    keep_agreements(present, agreements, authorities.find, run)
    for account in read.accounts:
        for row, words in zip(account.set_aside, account.lines, strict=True):
            run.report.rows_set_aside.append(row)
            run.report.count("set_aside", words)
        for line in account.remarks:
            run.report.remark(line)
    return last_line


def _save_agreements(
    read: AgreementFiles, authorities: Authorities, passed_on: PassedOn, run: Import, import_run: ImportRun
) -> tuple[dict[int, DeveloperAgreement], set[int]]:
    """Agreements by row, and the rows set aside because their authority is not known."""
    account = read.accounts[0]
    named_by_promises: dict[int, set[str]] = {}
    for promise in read.promises:
        if promise.agreement_row is not None:
            named_by_promises.setdefault(promise.agreement_row, set()).add(promise.organisation)
    numbers: list[int] = []
    rows: list[RegisterAgreement] = []
    taken: dict[tuple[str, int], int] = {}
    unknown: set[int] = set()
    for agreement in read.agreements:
        authority = authorities.find(agreement.organisation)
        if authority is None:
            others = [found for name in named_by_promises.get(agreement.row, ()) if (found := authorities.find(name))]
            if len({one.pk for one in others}) == 1:
                authority = others[0]
                account.remark(
                    agreement.row,
                    f"“{agreement.organisation}” is not in the directory: its promises name {authority.name}, which is "
                    "used instead.",
                )
        if authority is None:
            account.set_aside_read(agreement.row, *_unknown(agreement.organisation, run))
            unknown.add(agreement.row)
            continue
        authority = passed_on.agreement(agreement.key[:200], authority)
        if run.organisation is not None and authority != run.organisation:
            account.set_aside_read(agreement.row, *_not_own(authority, run.organisation))
            continue
        first = taken.setdefault((agreement.key[:200], authority.pk), agreement.row)
        if first != agreement.row:
            account.set_aside_read(agreement.row, *_twice(agreement.key, authority, first))
            continue
        numbers.append(agreement.row)
        rows.append(_register_agreement(agreement, authority))
    saved, new = record_agreements(agreements=rows, run_id=import_run.pk, author=run.author, now=run.now)
    run.report.counts["created"] += new
    run.report.counts["left_alone"] += len(saved) - new
    return dict(zip(numbers, saved, strict=True)), unknown


def _twice(key: str, authority: Organisation, row: int) -> tuple[str, str]:
    """What is wrong with a row whose reference another row of its authority has, and what to do."""
    return f"“{key}” of {authority.name} is already in row {row}.", "Correct or remove one of the two."


def _unknown(written: str, run: Import) -> tuple[str, str]:
    """What is wrong with a row whose authority is not known, and what to do."""
    return f"“{written}” is not in the directory.", ASK_ADMINISTRATORS if run.organisation else _CORRECT_AUTHORITY


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


class _Agreements:
    """The agreement of each contribution: in these files, or read before."""

    def __init__(self, read: AgreementFiles, saved: dict[int, DeveloperAgreement], unknown: Collection[int]) -> None:
        self._rows = {row.row: row for row in read.agreements}
        self._saved, self._unknown = saved, unknown
        named = {promise.agreement[:200] for promise in read.promises if promise.agreement_row is None}
        self._here: dict[str, list[DeveloperAgreement]] = {}
        for developer_agreement in (
            DeveloperAgreement.objects.filter(reference__in=named).select_related("organisation").order_by("pk")
        ):
            self._here.setdefault(developer_agreement.reference, []).append(developer_agreement)

    def row_of(self, promise: Promise) -> Agreement | None:
        """Its row in these files."""
        return None if promise.agreement_row is None else self._rows[promise.agreement_row]

    def is_unknown(self, promise: Promise) -> bool:
        """Whether its row was set aside because its authority is not known."""
        return promise.agreement_row in self._unknown

    def of(self, promise: Promise, receiver: Organisation | None) -> DeveloperAgreement | None:
        """The agreement; of the receiver, if it is not in these files."""
        if promise.agreement_row is not None:
            return self._saved.get(promise.agreement_row)
        here = self._here.get(promise.agreement[:200], [])
        own = [one for one in here if receiver is None or one.organisation == receiver]
        return own[0] if len(own) == 1 else None


def _save_promises(
    read: AgreementFiles,
    authorities: Authorities,
    passed_on: PassedOn,
    agreements: _Agreements,
    run: Import,
    vintages: Vintages,
) -> str:
    """Save contributions as commitments; the last line of the report.

    Those of unknown authorities are set aside, with their transactions.
    """
    account = read.accounts[1]
    present: list[RegisterPromise] = []
    past: list[tuple[RegisterPromise, dt.date]] = []
    kept: list[tuple[Promise, int, int]] = []
    agreement_of: dict[tuple[str, int], DeveloperAgreement] = {}
    taken: dict[tuple[str, int], int] = {}
    unpublished = 0
    for done, promise in enumerate(read.promises, start=1):
        named = authorities.find(promise.organisation)
        receiver = passed_on.contribution(promise.key[:200], promise.agreement[:200], named)
        agreement = agreements.of(promise, receiver)
        receiver = receiver or (agreement.organisation if agreement else None)
        refused = _refused(promise, receiver, agreements, run)
        if refused or receiver is None:
            _set_aside_with_payments(promise, refused or _unknown(promise.organisation, run), read)
            continue
        first = taken.setdefault((promise.key[:200], receiver.pk), promise.row)
        if first != promise.row:
            _set_aside_with_payments(promise, _twice(promise.key, receiver, first), read)
            continue
        if agreement is None and not promise.is_recalled:
            unpublished += 1
            account.remark(
                promise.row,
                f"the agreement “{promise.agreement}” is not in the file of agreements: kept without an agreement.",
            )
        registered = register_promise(
            promise,
            receiver=receiver,
            agreement=agreement,
            agreement_row=agreements.row_of(promise),
            as_of=run.as_of,
            accounts=read.accounts,
        )
        if newer := vintages.of_contribution(promise):
            past.append((registered, newer))
        else:
            present.append(registered)
            kept.append((promise, receiver.pk, (named or receiver).pk))
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
    keep_promises(kept, SOURCE, run)
    return _last_line(read, promises, unpublished)


def _refused(
    promise: Promise, receiver: Organisation | None, agreements: _Agreements, run: Import
) -> tuple[str, str] | None:
    """Why a contribution of a known authority cannot be used and what to do.

    None if it can.
    """
    if receiver is not None and run.organisation is not None and receiver != run.organisation:
        return _not_own(receiver, run.organisation)
    if receiver is not None and agreements.is_unknown(promise):
        return f"its agreement in row {promise.agreement_row} was set aside.", "Correct that row first."
    return None


def _set_aside_with_payments(promise: Promise, problem: tuple[str, str], read: AgreementFiles) -> None:
    """Set a contribution aside with its transactions.

    One that was read before has no row in these files.
    """
    if not promise.is_recalled:
        read.accounts[1].set_aside_read(promise.row, *problem)
    found = f"its contribution in row {promise.row} was set aside."
    told = (found, "Correct that row first.") if not promise.is_recalled else problem
    for movement in promise.movements:
        if not movement.is_recalled:
            read.accounts[2].set_aside_read(movement.row, *told)


def _update_known_promises(promises: list[RegisterPromise], new: list[Commitment], run: Import) -> None:
    """Add later payments to known promises and cancel withdrawn ones.

    A promise whose record here differs from the files in any other way is left alone, and the report says so.
    """
    created = {(commitment.source_reference, commitment.receiver_id) for commitment in new}
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


def _last_line(read: AgreementFiles, promises: list[RegisterPromise], unpublished: int) -> str:
    """Every row of the three files, by what became of it."""
    parts = []
    for account, what in zip(read.accounts, ("agreements", "promises", "transactions"), strict=True):
        parts.append(f"{account.rows:,} rows of {what}: {account.read:,} read, {len(account.set_aside):,} set aside")
    withdrawn = sum(1 for promise in promises if promise.withdrawn)
    return (
        f"{'; '.join(parts)}. {len(promises):,} commitments, {unpublished:,} of them in agreements not published"
        f"{f', {withdrawn:,} withdrawn from the register' if withdrawn else ''}."
    )
