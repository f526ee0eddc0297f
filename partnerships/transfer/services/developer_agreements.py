"""Importing developer agreements: what developers promised to councils becomes commitments, and payments
their progress.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from decimal import Decimal
from pathlib import PurePath

from django.db import transaction
from django.utils import timezone

from partnerships.activity.services import record
from partnerships.commitments.models import Commitment, Unit
from partnerships.commitments.quantities import quantity_words
from partnerships.commitments.services.registers import (
    RegisterProgress,
    RegisterPromise,
    add_from_register,
    record_from_register,
)
from partnerships.kit.dates import long_date
from partnerships.kit.names import fold_name
from partnerships.organisations.models import Identifier, Kind, Organisation, OrganisationName, Scheme
from partnerships.organisations.services import create_organisation
from partnerships.people.models import User
from partnerships.transfer.models import AgreementPromise, DeveloperAgreement, ImportRun, Register, RunStatus
from partnerships.transfer.reading.dating import date_in_file_name
from partnerships.transfer.reading.developer_agreements import (
    Accounts,
    Agreement,
    AgreementFiles,
    Movement,
    Promise,
    read_developer_agreements,
)
from partnerships.transfer.reading.national_parks import NATIONAL_PARKS
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.reading.tables import read_sheets
from partnerships.transfer.reporting import OUTCOMES, Report
from partnerships.transfer.services.dating import refuse_older, settled_date
from partnerships.transfer.services.directory import Import, Progress, silent
from partnerships.transfer.services.local_plans import File
from partnerships.transfer.services.locking import wait_for_turn
from partnerships.transfer.services.registers import Outcome, row_errors

_PENNY = Decimal("0.01")
#: What the commitments say of where they come from; with their reference it makes them known again.
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
    """Bring agreements, their promises and what became of them in; every row is read or told. Twice is once.

    Raises `UnableToRead` when a file is not the one it should be, or no council is in the directory.
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
        refuse_older(register=run.register, digest=digest, as_of=day)
        made = ImportRun.objects.create(
            register=run.register,
            file_name=", ".join(names)[:300],
            sha256=digest,
            as_of=day,
            started_at=now,
            by=author,
            status=RunStatus.APPLIED,
        )
        with row_errors(run):
            line = _bring(read, run, made)
        made.report = run.report.as_json()
        made.finished_at = timezone.now()
        for outcome in OUTCOMES:
            setattr(made, outcome, run.report.counts[outcome])
        made.save()
        record(
            actor_id=author.pk if author else None,
            verb="imported developer agreements",
            target_kind="import",
            target_id=made.pk,
            now=now,
            data={"title": str(made)},
        )
        if dry_run:
            transaction.set_rollback(True)
    return Outcome(made, f"Dry run, nothing was changed. {line}" if dry_run else line)


def _bring(read: AgreementFiles, run: Import, made: ImportRun) -> str:
    bodies = _Bodies(run)
    if not bodies.councils:
        raise UnableToRead(
            [
                Problem(
                    None,
                    "",
                    "no council is in the directory yet, to which agreements could belong.",
                    "Import the list of councils first: import_register councils FILE.",
                )
            ]
        )
    agreements, held = _agreements(read, bodies, run, made)
    promised = _promises(read, bodies, agreements, held, run)
    for account in read.accounts:
        for line in account.set_aside:
            run.report.note("set_aside", line)
        for line in account.notes:
            run.report.remark(line)
    return _last_line(read, promised)


class _Bodies:
    """The organisations that files name by keys of several kinds, by names, or by Wikidata numbers."""

    def __init__(self, run: Import) -> None:
        self._run = run
        self._held = {
            (row.scheme, row.value.casefold()): row.organisation
            for row in Identifier.objects.select_related("organisation").filter(
                scheme__in=[Scheme.LOCAL_AUTHORITY, Scheme.PLANNING_DATA]
            )
        }
        self.councils = any(scheme == Scheme.LOCAL_AUTHORITY for scheme, _ in self._held)

    def find(self, written: str) -> Organisation | None:
        """`local-authority-eng:ADU`, `developer-agreement:Boston Borough Council` or `national-park-
        authority:Q4972284`.
        """
        prefix, _, key = written.partition(":")
        if not key:
            prefix, key = "", written
        found = self._held.get((Scheme.LOCAL_AUTHORITY, key.casefold()))
        found = found or self._held.get((Scheme.PLANNING_DATA, written.casefold()))
        if found is not None or not key:
            return found
        if prefix == "national-park-authority" and key in NATIONAL_PARKS:
            made = create_organisation(
                name=NATIONAL_PARKS[key],
                kind=Kind.NATIONAL_PARK,
                identifiers=[(Scheme.PLANNING_DATA, written)],
                author=self._run.author,
                now=self._run.now,
            )
            self._run.report.remark(f"{made.name} was added to the directory: no register lists it.")
            self._held[Scheme.PLANNING_DATA, written.casefold()] = made
            return made
        named = OrganisationName.objects.filter(folded=fold_name(key), organisation__kind=Kind.COUNCIL)
        ids = set(named.values_list("organisation", flat=True))
        return Organisation.objects.get(pk=ids.pop()) if len(ids) == 1 else None


def _agreements(
    read: AgreementFiles, bodies: _Bodies, run: Import, made: ImportRun
) -> tuple[dict[str, DeveloperAgreement], dict[str, Agreement]]:
    """The agreements by their keys, new ones made; one whose authority nobody knows by its own row or its
    promises' is set aside.
    """
    account = read.accounts[0]
    known = {(row.organisation_id, row.reference): row for row in DeveloperAgreement.objects.all()}
    authorities: dict[str, Counter[str]] = {}
    for promise in read.promises:
        if promise.agreement:
            authorities.setdefault(promise.agreement, Counter())[promise.organisation] += 1
    kept: dict[str, DeveloperAgreement] = {}
    fresh = []
    for agreement in read.agreements:
        body = bodies.find(agreement.organisation)
        if body is None:
            others = [found for name in authorities.get(agreement.key, ()) if (found := bodies.find(name))]
            if len({one.pk for one in others}) == 1:
                body = others[0]
                account.note(
                    agreement.row,
                    f"“{agreement.organisation}” is nobody here: its promises name {body.name}, taken instead.",
                )
        if body is None:
            account.read -= 1
            account.set_aside.append(
                f"{account.file}, row {agreement.row}: “{agreement.organisation}” is no organisation in the directory."
            )
            continue
        row = known.get((body.pk, agreement.key[:200]))
        if row is None:
            row = DeveloperAgreement(
                reference=agreement.key[:200],
                kind=agreement.kind[:120],
                organisation=body,
                planning_application=agreement.application[:300],
                document_url=agreement.url[:1000],
                agreed_on=agreement.agreed_on,
                ended_on=agreement.ended_on,
                run=made,
            )
            fresh.append(row)
            run.report.note("created")
        else:
            run.report.note("left_alone")
        kept[agreement.key] = row
    DeveloperAgreement.objects.bulk_create(fresh, batch_size=500)
    return kept, {agreement.key: agreement for agreement in read.agreements}


def _promises(
    read: AgreementFiles,
    bodies: _Bodies,
    agreements: dict[str, DeveloperAgreement],
    held: dict[str, Agreement],
    run: Import,
) -> list[RegisterPromise]:
    account = read.accounts[1]
    promises: list[RegisterPromise] = []
    agreement_of: dict[tuple[str, int], DeveloperAgreement] = {}
    for done, promise in enumerate(read.promises, start=1):
        agreement = agreements.get(promise.agreement)
        body = bodies.find(promise.organisation) or (agreement.organisation if agreement else None)
        if body is None:
            account.read -= 1
            account.set_aside.append(
                f"{account.file}, row {promise.row}: “{promise.organisation}” is no organisation in the directory."
            )
            read.accounts[2].read -= len(promise.movements)
            read.accounts[2].set_aside += [
                f"{read.accounts[2].file}, row {one.row}: its contribution in row {promise.row} was set aside."
                for one in promise.movements
            ]
            continue
        made = _register_promise(promise, body, agreement, held.get(promise.agreement), run, read.accounts)
        promises.append(made)
        if agreement is not None:
            agreement_of[made.reference, body.pk] = agreement
        run.progress(done, len(read.promises))
    fresh = record_from_register(promises=promises, source=SOURCE, author=run.author, now=run.now)
    for _ in fresh:
        run.report.note("created")
    for _ in range(len(promises) - len(fresh)):
        run.report.note("left_alone")
    AgreementPromise.objects.bulk_create(
        [
            AgreementPromise(agreement=agreement_of[key], commitment=one)
            for one in fresh
            if (key := (one.source_reference, one.receiver_id or 0)) in agreement_of
        ],
        batch_size=500,
    )
    _bring_on_later(promises, fresh, run)
    return promises


def _bring_on_later(promises: list[RegisterPromise], fresh: list[Commitment], run: Import) -> None:
    """Add later payments to promises known before, cancel withdrawn ones; tell of those of which the files now say
    something else.
    """
    new = {(one.source_reference, one.receiver_id) for one in fresh}
    before = [promise for promise in promises if (promise.reference, promise.receiver.pk) not in new]
    says = {(promise.reference, promise.receiver.pk): promise for promise in before}
    brought, left = add_from_register(promises=before, source=SOURCE, author=run.author, now=run.now)
    for row in brought:
        if says[row.source_reference, row.receiver_id or 0].withdrawn:
            run.report.remark(
                f"{row.source_reference} ({row.receiver}): the register has withdrawn it; cancelled here."
            )
            continue
        run.report.remark(
            f"{row.source_reference} ({row.receiver}): the files report later payments: "
            f"{row.delivered_quantity:,} delivered by now."
        )
    for row in left:
        promise = says[row.source_reference, row.receiver_id or 0]
        now = promise.progress[-1].delivered if promise.progress else Decimal(0)
        run.report.remark(
            f"{row.source_reference} ({row.receiver}) stands at {row.delivered_quantity:,} delivered; the files say "
            f"{now:,}, and otherwise than they did. What is recorded is kept: bring it up to date on its page."
        )
    # Counted as left alone when they were found to be known.
    run.report.counts["left_alone"] -= len(brought)
    for _ in brought:
        run.report.note("changed")


def _register_promise(
    promise: Promise,
    body: Organisation,
    agreement: DeveloperAgreement | None,
    written: Agreement | None,
    run: Import,
    accounts: tuple[Accounts, Accounts, Accounts],
) -> RegisterPromise:
    """Money where a sum is named, else homes; where neither is, the words alone. A figure beside the one that counts
    stands in the words, and is told.
    """
    quantity, unit, beside = None, "", ""
    if promise.amount:
        quantity, unit = promise.amount.quantize(_PENNY), Unit.POUNDS
        if promise.units:
            beside = f", for {_figure(promise.units, Unit.HOMES)}"
            accounts[1].note(
                promise.row,
                f"{_figure(promise.units, Unit.HOMES)} beside {_figure(promise.amount, unit)}: kept in words, the sum "
                "alone is counted.",
            )
    elif promise.units:
        quantity, unit = promise.units.quantize(_PENNY), Unit.HOMES
    application = written.application if written else ""
    agreed = promise.agreed_on or (written.agreed_on if written else None) or run.as_of
    reports = _progress(promise.movements, unit, run.as_of, accounts[2])
    purpose = promise.purpose[:1].upper() + promise.purpose[1:]
    under = f", under {agreement.kind} agreement {agreement.reference}" if agreement else ", agreement not published"
    where = f" (planning application {application})" if application else ""
    withdrawn = _withdrawn(promise.ended_on, run.as_of)
    if withdrawn:
        accounts[1].note(promise.row, f"{withdrawn[:1].lower()}{withdrawn[1:]}: kept as cancelled.")
    return RegisterPromise(
        reference=promise.key[:200],
        text=f"{purpose}{beside}{under}{where}"[:2000],
        receiver=body,
        giver_name=f"Developer of {application}"[:200] if application else "A developer",
        agreed_at=_moment(agreed),
        quantity=quantity,
        unit=unit,
        done=bool(quantity and reports and reports[-1].delivered >= quantity),
        withdrawn=f"{withdrawn}." if withdrawn else "",
        progress=reports,
    )


def _moment(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def _withdrawn(ended_on: dt.date | None, today: dt.date) -> str:
    """That the platform no longer upholds a record, in words; empty while it does."""
    return f"Withdrawn from the register on {long_date(ended_on)}" if ended_on and ended_on <= today else ""


def _figure(value: Decimal, unit: str) -> str:
    """A sum to the penny, `£19,242.00`; homes as a number, `17 homes`."""
    return f"£{value:,.2f}" if unit == Unit.POUNDS else quantity_words(value, unit)


def _progress(
    movements: tuple[Movement, ...], unit: str, today: dt.date, account: Accounts
) -> tuple[RegisterProgress, ...]:
    """One report a transaction, with what had been delivered by then and every figure in its words.

    Delivered is what was received. What was allocated, spent, passed on or given back had been received, so the largest
    of those sums counts. A figure in another unit than the promise's, and one of a withdrawn record, is told and not
    counted.
    """
    sums: Counter[str] = Counter()
    reports = []
    for movement in movements:
        withdrawn = _withdrawn(movement.ended_on, today)
        words, beside = [], []
        for value, kind in ((movement.amount, Unit.POUNDS), (movement.units, Unit.HOMES)):
            if not value:
                continue
            if kind == unit and not withdrawn:
                sums[movement.status] += value  # type: ignore[assignment]  # a counter of decimals
                words.append(_figure(value, kind))
            else:
                beside.append(_figure(value, kind))
        if beside:
            words.append(f"{' and '.join(beside)} not counted")
            account.note(movement.row, f"{' and '.join(beside)} kept in words, not counted: {_why(unit, withdrawn)}.")
        elif withdrawn:
            account.note(movement.row, f"{withdrawn[:1].lower()}{withdrawn[1:]}.")
        out = Decimal(sums["spent"] + sums["transferred"] + sums["returned"])
        delivered = max(Decimal(sums["received"]), Decimal(sums["allocated"]), out)
        what = (movement.status or "status not given").capitalize()
        said = f"{what}: {'; '.join(words)}." if words else f"{what}."
        reports.append(
            RegisterProgress(
                _moment(movement.on or dt.date(1970, 1, 1)), delivered, f"{said} {withdrawn}." if withdrawn else said
            )
        )
    return tuple(reports)


def _why(unit: str, withdrawn: str) -> str:
    if withdrawn:
        return f"{withdrawn[:1].lower()}{withdrawn[1:]}"
    if unit:
        return f"the promise counts {'money' if unit == Unit.POUNDS else 'homes'}"
    return "the promise names neither a sum nor homes"


def _last_line(read: AgreementFiles, promised: list[RegisterPromise]) -> str:
    """Every row of the three files, by what came of it."""
    words = []
    for account, what in zip(read.accounts, ("agreements", "promises", "transactions"), strict=True):
        words.append(f"{account.rows:,} rows of {what}: {account.read:,} read, {len(account.set_aside):,} set aside")
    orphans = sum(1 for promise in read.promises if not promise.agreement)
    withdrawn = sum(1 for promise in promised if promise.withdrawn)
    return (
        f"{'; '.join(words)}. {len(promised):,} commitments, {orphans:,} of them of agreements not published"
        f"{f', {withdrawn:,} withdrawn from the register' if withdrawn else ''}."
    )
