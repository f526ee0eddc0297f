"""Save the contributions of the files as commitments, with their payments as progress."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from partnerships.commitments.models import Commitment
from partnerships.commitments.services.registers import RegisterPromise, add_from_register, record_from_register
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.developer_agreements.services import SOURCE, link_promises
from partnerships.kit.text import counted
from partnerships.organisations.models import Organisation
from partnerships.transfer.reading.agreement_rows import Promise
from partnerships.transfer.reading.developer_agreements import AgreementFiles
from partnerships.transfer.services.developer_agreements.agreements import Agreements
from partnerships.transfer.services.developer_agreements.authorities import Authorities
from partnerships.transfer.services.developer_agreements.kept import keep_promises
from partnerships.transfer.services.developer_agreements.older import Older, Vintages
from partnerships.transfer.services.developer_agreements.passed_on import PassedOn
from partnerships.transfer.services.developer_agreements.promises import register_promise
from partnerships.transfer.services.developer_agreements.refusals import not_own, repeated, unknown_authority
from partnerships.transfer.services.directory import Import


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contribution:
    """A contribution that can be saved, and what it belongs to."""

    promise: Promise
    #: The same as it is saved.
    registered: RegisterPromise
    #: The authority that its row names; another may have followed it as the receiver.
    named: Organisation | None
    receiver: Organisation
    agreement: DeveloperAgreement | None
    #: Whether its agreement is in no file.
    is_unpublished: bool
    #: The date of newer files that had it: it then only adds to history.
    newer: dt.date | None


def save_promises(
    read: AgreementFiles,
    authorities: Authorities,
    passed_on: PassedOn,
    agreements: Agreements,
    run: Import,
    vintages: Vintages,
) -> str:
    """Save contributions as commitments; the last line of the report."""
    usable = list(_usable_contributions(read, authorities, passed_on, agreements, run, vintages))
    present = [contribution for contribution in usable if not contribution.newer]
    promises = [contribution.registered for contribution in present]
    older = Older(
        [(contribution.registered, contribution.newer) for contribution in usable if contribution.newer], SOURCE, run
    )
    new = record_from_register(promises=[*promises, *older.gone], source=SOURCE, author=run.author, now=run.now)
    run.report.counts["created"] += len(new)
    run.report.counts["left_alone"] += len(usable) - len(new)
    _link_agreements(usable, new, run)
    older.fill_history(promises)
    _update_known_promises(promises, new, run)
    keep_promises(
        [
            (contribution.promise, contribution.receiver.pk, (contribution.named or contribution.receiver).pk)
            for contribution in present
        ],
        SOURCE,
        run,
    )
    return _last_line(read, usable)


def _usable_contributions(
    read: AgreementFiles,
    authorities: Authorities,
    passed_on: PassedOn,
    agreements: Agreements,
    run: Import,
    vintages: Vintages,
) -> Iterator[_Contribution]:
    """Yield the contributions that can be saved; the others are set aside with their transactions."""
    taken: dict[tuple[str, int], int] = {}
    for done, promise in enumerate(read.promises, start=1):
        named = authorities.find(promise.organisation)
        receiver = passed_on.contribution(promise.key[:200], promise.agreement[:200], named)
        agreement = agreements.of(promise, receiver)
        receiver = receiver or (agreement.organisation if agreement else None)
        refused = _refused(promise, receiver, agreements, run)
        if refused or receiver is None:
            _set_aside_with_payments(promise, refused or unknown_authority(promise.organisation, run), read)
            continue
        first = taken.setdefault((promise.key[:200], receiver.pk), promise.row)
        if first != promise.row:
            _set_aside_with_payments(promise, repeated(promise.key, receiver, first), read)
            continue
        is_unpublished = agreement is None and not promise.is_recalled
        if is_unpublished:
            read.accounts[1].remark(
                promise.row,
                f"the agreement “{promise.agreement}” is not in the file of agreements: imported without it.",
            )
        registered = register_promise(
            promise,
            receiver=receiver,
            agreement=agreement,
            agreement_row=agreements.row_of(promise),
            as_of=run.as_of,
            accounts=read.accounts,
        )
        run.progress(done, len(read.promises))
        yield _Contribution(
            promise=promise,
            registered=registered,
            named=named,
            receiver=receiver,
            agreement=agreement,
            is_unpublished=is_unpublished,
            newer=vintages.of_contribution(promise),
        )


def _refused(
    promise: Promise, receiver: Organisation | None, agreements: Agreements, run: Import
) -> tuple[str, str] | None:
    """Return the problem and the remedy of a contribution that cannot be used; None if it can be."""
    if receiver is not None and run.organisation is not None and receiver != run.organisation:
        return not_own(receiver, run.organisation)
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


def _link_agreements(contributions: Iterable[_Contribution], new: Iterable[Commitment], run: Import) -> None:
    """Link new commitments to their agreements."""
    agreement_of = {
        (contribution.registered.reference, contribution.receiver.pk): contribution.agreement
        for contribution in contributions
        if contribution.agreement is not None
    }
    links = [
        (agreement, commitment)
        for commitment in new
        if (agreement := agreement_of.get((commitment.source_reference, commitment.receiver_id or 0))) is not None
    ]
    link_promises(promises=links, author=run.author, now=run.now)


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
            f"recorded here, {now:,} according to the files. Nothing was changed. If needed, correct it on its page."
        )
    # They were counted as left alone above, because they are known.
    run.report.counts["left_alone"] -= len(updated)
    run.report.counts["changed"] += len(updated)


def _last_line(read: AgreementFiles, contributions: Sequence[_Contribution]) -> str:
    """Return the sentence that counts the rows of the three files by what became of them."""
    parts = [
        f"{counted(account.rows, 'row')} of {what}: {account.read:,} read, {len(account.set_aside):,} set aside"
        for account, what in zip(read.accounts, ("agreements", "promises", "transactions"), strict=True)
    ]
    unpublished = sum(contribution.is_unpublished for contribution in contributions)
    withdrawn = sum(bool(contribution.registered.withdrawn) for contribution in contributions)
    return (
        f"{'; '.join(parts)}. {counted(len(contributions), 'commitment')}, {unpublished:,} in agreements not published"
        f"{f', {withdrawn:,} withdrawn from the register' if withdrawn else ''}."
    )
