"""Save the contributions of the files as commitments, and their payments as the commitments' progress."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from partnerships.commitments.models import Commitment
from partnerships.commitments.services.registers import RegisterPromise, add_reports_from_register, create_from_register
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.developer_agreements.services import SOURCE, link_promises
from partnerships.kit.text import counted
from partnerships.organisations.models import Organisation
from partnerships.transfer.reading.agreement_rows import Promise
from partnerships.transfer.reading.developer_agreements import AgreementFiles
from partnerships.transfer.services.developer_agreements.ages import AgreementAges, OlderContributions, OlderPromise
from partnerships.transfer.services.developer_agreements.agreements import Agreements
from partnerships.transfer.services.developer_agreements.authorities import Authorities
from partnerships.transfer.services.developer_agreements.passed_on import PassedOn
from partnerships.transfer.services.developer_agreements.promises import register_promise
from partnerships.transfer.services.developer_agreements.refusals import (
    problem_of_other_authority,
    problem_of_repeated_key,
    problem_of_unknown_authority,
)
from partnerships.transfer.services.developer_agreements.saved_rows import ContributionRow, save_contribution_rows
from partnerships.transfer.services.directory import RunningImport


@dataclass(frozen=True, slots=True, kw_only=True)
class ContributionSources:
    """What is needed to save the contributions of an import."""

    files: AgreementFiles
    authorities: Authorities
    passed_on: PassedOn
    agreements: Agreements
    ages: AgreementAges


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contribution:
    """A contribution that can be saved, with the organisations and the agreement that it belongs to."""

    promise: Promise
    #: The contribution in the form in which it is saved.
    registered: RegisterPromise
    #: The authority in the row. If the contribution has passed to its successor, the receiver is the successor.
    named_authority: Organisation | None
    receiver: Organisation
    agreement: DeveloperAgreement | None
    #: Whether no file has the contribution's agreement.
    is_unpublished: bool
    #: The date of a newer file that was imported before, if there is one. This file then only adds to the history.
    newer_date: dt.date | None


def save_promises(sources: ContributionSources, run: RunningImport) -> str:
    """Save the contributions as commitments, and return the last line of the report."""
    contributions = list(_usable_contributions(sources, run))
    current_contributions = [contribution for contribution in contributions if contribution.newer_date is None]
    current_promises = [contribution.registered for contribution in current_contributions]
    older_promises = [
        OlderPromise(promise=contribution.registered, newer=contribution.newer_date)
        for contribution in contributions
        if contribution.newer_date is not None
    ]
    older_contributions = OlderContributions(older_promises, SOURCE, run)

    new_commitments = create_from_register(
        promises=[*current_promises, *older_contributions.missing_promises],
        source=SOURCE,
        author=run.author,
        now=run.now,
    )
    run.report.counts["created"] += len(new_commitments)
    run.report.counts["left_alone"] += len(contributions) - len(new_commitments)
    _link_agreements(contributions, new_commitments, run)
    older_contributions.fill_history(current_promises)
    _update_existing_promises(current_promises, new_commitments, run)
    rows = [
        ContributionRow(
            promise=contribution.promise,
            receiver_id=contribution.receiver.pk,
            named_id=(contribution.named_authority or contribution.receiver).pk,
        )
        for contribution in current_contributions
    ]
    save_contribution_rows(rows, SOURCE, run)
    return _last_line(sources.files, contributions)


def _usable_contributions(sources: ContributionSources, run: RunningImport) -> Iterator[_Contribution]:
    """Yield the contributions that can be saved. The others are set aside with their transactions."""
    files, agreements = sources.files, sources.agreements
    first_row_by_key: dict[tuple[str, int], int] = {}
    for done_count, promise in enumerate(files.promises, start=1):
        reference = promise.key[:200]
        named_authority = sources.authorities.find(promise.organisation)
        receiver = sources.passed_on.contribution(reference, promise.agreement[:200], named_authority)
        agreement = agreements.agreement_of(promise, receiver)
        if receiver is None and agreement is not None:
            receiver = agreement.organisation
        if receiver is None:
            _set_aside_with_payments(promise, problem_of_unknown_authority(promise.organisation, run), files)
            continue
        problem = _problem_with(promise, receiver, agreements, run)
        if problem is not None:
            _set_aside_with_payments(promise, problem, files)
            continue
        first_row = first_row_by_key.setdefault((reference, receiver.pk), promise.row)
        if first_row != promise.row:
            _set_aside_with_payments(promise, problem_of_repeated_key(promise.key, receiver, first_row), files)
            continue

        run.progress(done_count, len(files.promises))
        yield _contribution(promise, named_authority, receiver, agreement, sources, run)


def _contribution(
    promise: Promise,
    named_authority: Organisation | None,
    receiver: Organisation,
    agreement: DeveloperAgreement | None,
    sources: ContributionSources,
    run: RunningImport,
) -> _Contribution:
    """Return a contribution in the form in which it is saved. Add a remark if no file has its agreement."""
    files = sources.files
    is_unpublished = agreement is None and not promise.is_recalled
    if is_unpublished:
        files.accounts.contributions.remark(
            promise.row,
            f"the agreement “{promise.agreement}” is not in the file of agreements, so we imported the row without it.",
        )
    registered = register_promise(
        promise,
        receiver=receiver,
        agreement=agreement,
        agreement_row=sources.agreements.row_of(promise),
        as_of=run.as_of,
        accounts=files.accounts,
    )
    return _Contribution(
        promise=promise,
        registered=registered,
        named_authority=named_authority,
        receiver=receiver,
        agreement=agreement,
        is_unpublished=is_unpublished,
        newer_date=sources.ages.newer_than_contribution(promise),
    )


def _problem_with(
    promise: Promise, receiver: Organisation, agreements: Agreements, run: RunningImport
) -> tuple[str, str] | None:
    """Return the problem and the remedy of a contribution that cannot be used, or None if it can be used."""
    if run.organisation is not None and receiver != run.organisation:
        return problem_of_other_authority(receiver, run.organisation)
    if agreements.has_unknown_authority(promise):
        return f"the agreement in row {promise.agreement_row} was set aside.", "Correct that row first."
    return None


def _set_aside_with_payments(promise: Promise, problem: tuple[str, str], files: AgreementFiles) -> None:
    """Set a contribution and its transactions aside.

    A recalled contribution has no row in these files, so its transactions get the problem instead.
    """
    contribution_account, transaction_account = files.accounts.contributions, files.accounts.transactions
    payment_problem = problem
    if not promise.is_recalled:
        contribution_account.set_aside_read(promise.row, *problem)
        payment_problem = (f"the contribution in row {promise.row} was set aside.", "Correct that row first.")
    for movement in promise.movements:
        if not movement.is_recalled:
            transaction_account.set_aside_read(movement.row, *payment_problem)


def _link_agreements(
    contributions: Iterable[_Contribution], new_commitments: Iterable[Commitment], run: RunningImport
) -> None:
    """Link new commitments to the agreements of their contributions."""
    agreement_by_key = {
        (contribution.registered.reference, contribution.receiver.pk): contribution.agreement
        for contribution in contributions
        if contribution.agreement is not None
    }
    links = [
        (agreement, commitment)
        for commitment in new_commitments
        if (agreement := agreement_by_key.get(_key_of_commitment(commitment))) is not None
    ]
    link_promises(promises=links, author=run.author, now=run.now)


def _update_existing_promises(
    promises: Sequence[RegisterPromise], new_commitments: Iterable[Commitment], run: RunningImport
) -> None:
    """Add later payments to commitments of earlier imports, and cancel withdrawn commitments.

    A commitment that differs from the files in any other way does not change, and the report lists it.
    """
    new_keys = {_key_of_commitment(commitment) for commitment in new_commitments}
    existing_by_key: dict[tuple[str, int], RegisterPromise] = {}
    for promise in promises:
        key = (promise.reference, promise.receiver.pk)
        if key not in new_keys:
            existing_by_key[key] = promise

    updated, left_alone = add_reports_from_register(
        promises=list(existing_by_key.values()), source=SOURCE, author=run.author, now=run.now
    )
    for commitment in updated:
        run.report.remark(_remark_on_updated(commitment, existing_by_key[_key_of_commitment(commitment)]))
    for commitment in left_alone:
        run.report.remark(_remark_on_different(commitment, existing_by_key[_key_of_commitment(commitment)]))
    # `save_promises` counted the updated commitments as left alone, because they existed.
    run.report.counts["left_alone"] -= len(updated)
    run.report.counts["changed"] += len(updated)


def _remark_on_updated(commitment: Commitment, promise: RegisterPromise) -> str:
    """Return the remark on a commitment that was cancelled, or got the files' later payments."""
    name = f"{commitment.source_reference} ({commitment.receiver})"
    if promise.withdrawn:
        return f"{name}: withdrawn from the register, and cancelled here."
    return f"{name}: the files report later payments, and {commitment.delivered_quantity:,} has been delivered so far."


def _remark_on_different(commitment: Commitment, promise: RegisterPromise) -> str:
    """Return the remark on a commitment that differs from the files and was not changed."""
    delivered_in_files = promise.progress[-1].delivered if promise.progress else Decimal(0)
    return (
        f"{commitment.source_reference} ({commitment.receiver}): {commitment.delivered_quantity:,} delivered "
        f"according to what is recorded here, {delivered_in_files:,} according to the files. Nothing was changed. "
        "If needed, correct it on its page."
    )


def _key_of_commitment(commitment: Commitment) -> tuple[str, int]:
    """Return the reference and the receiver's id, which identify a commitment in the files."""
    return commitment.source_reference, commitment.receiver_id or 0


def _last_line(files: AgreementFiles, contributions: Sequence[_Contribution]) -> str:
    """Return a sentence with the numbers of rows of the three files that were read and set aside."""
    file_summaries = [
        f"{counted(account.rows, 'row')} of {label}: {account.read:,} read, {len(account.set_aside):,} set aside"
        for account, label in zip(files.accounts, ("agreements", "promises", "transactions"), strict=True)
    ]
    unpublished_count = sum(contribution.is_unpublished for contribution in contributions)
    withdrawn_count = sum(bool(contribution.registered.withdrawn) for contribution in contributions)
    withdrawn_text = f", {withdrawn_count:,} withdrawn from the register" if withdrawn_count else ""
    return (
        f"{'; '.join(file_summaries)}. {counted(len(contributions), 'commitment')}, "
        f"{unpublished_count:,} in agreements not published{withdrawn_text}."
    )
