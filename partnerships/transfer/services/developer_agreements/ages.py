"""Recognise agreements and contributions that are older than earlier imports, and only add to their histories."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from django.db.models import Q

from partnerships.activity.services import record
from partnerships.commitments.models import Commitment
from partnerships.commitments.quantities import quantity_words
from partnerships.commitments.services.registers import RegisterPromise
from partnerships.kit.dates import long_date
from partnerships.open_data.models import ENTERED_POSITION, Record
from partnerships.open_data.standards import AGREEMENT, CONTRIBUTION, TRANSACTION
from partnerships.organisations.models import Organisation
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.reading.agreement_rows import Agreement, Promise
from partnerships.transfer.reading.by_reference import authority_key
from partnerships.transfer.reading.developer_agreements import AgreementFiles
from partnerships.transfer.reading.standard_cells import date_in_cells
from partnerships.transfer.services.directory import RunningImport
from partnerships.transfer.services.older_lists import RowAges, ids_with_event_of_files, remark_on_older_rows

#: The dataset, the reference and the authority of a row. References are unique only within an authority.
_RowKey = tuple[str, str, str]


class AgreementAges:
    """Finds out which agreements and contributions are older than their rows in earlier imports.

    An agreement is older if its row has an earlier `entry-date` than before. For a contribution, the rows of its
    transactions are compared too. A new agreement or contribution is as old as the others of its authority. If these
    are new too, the date of the files decides. This is so for files of the whole country, and for an authority's own
    files in which no row can be compared.
    """

    def __init__(self, files: AgreementFiles, newer_file_date: dt.date | None, importer: Organisation | None) -> None:
        last_date_by_row = _last_dates(importer)
        self._ages = RowAges()
        for subject in _subjects(files):
            date_pairs = []
            for dataset, cells in subject.rows:
                date = date_in_cells(cells, "entry-date")
                last_date = last_date_by_row.get(_row_key(dataset, cells))
                if date and last_date:
                    date_pairs.append((date, last_date))
            self._ages.add((subject.dataset, subject.row), subject.authority, date_pairs)
        date_of_files_decides = importer is None or not self._ages.is_compared
        self._newer_file_date = newer_file_date if date_of_files_decides else None

    def newer_than_agreement(self, agreement: Agreement) -> dt.date | None:
        """Return the date of the earlier import, if it is newer than the agreement's row, or else None."""
        return self._newer_than(AGREEMENT.code, agreement)

    def newer_than_contribution(self, promise: Promise) -> dt.date | None:
        """Return the date of the earlier import, if it is newer than the contribution's rows, or else None."""
        return self._newer_than(CONTRIBUTION.code, promise)

    def _newer_than(self, dataset: str, row: Agreement | Promise) -> dt.date | None:
        return self._ages.newer_than((dataset, row.row), authority_key(row.organisation), self._newer_file_date)


@dataclass(frozen=True, slots=True)
class _Subject:
    """An agreement or a contribution, with the rows whose dates give its age."""

    dataset: str
    #: The number of the row of the agreement or contribution itself.
    row: int
    authority: str
    #: The dataset and the texts of each row.
    rows: Sequence[tuple[str, Mapping[str, str]]]


def _subjects(files: AgreementFiles) -> Iterator[_Subject]:
    """Yield each agreement and each contribution of the files."""
    for agreement in files.agreements:
        yield _Subject(
            dataset=AGREEMENT.code,
            row=agreement.row,
            authority=authority_key(agreement.organisation),
            rows=[(AGREEMENT.code, agreement.cells)],
        )
    for promise in files.promises:
        transaction_rows = [(TRANSACTION.code, movement.cells) for movement in promise.movements]
        yield _Subject(
            dataset=CONTRIBUTION.code,
            row=promise.row,
            authority=authority_key(promise.organisation),
            rows=[(CONTRIBUTION.code, promise.cells), *transaction_rows],
        )


def _last_dates(authority: Organisation | None) -> dict[_RowKey, dt.date]:
    """Return the entry dates of the rows that earlier imports saved, of one authority or of all. Uses one query.

    If a row was saved more than once, the date of the record that was saved last is returned. Rows that were entered on
    pages are left out, because they are in no file.
    """
    records = Record.objects.filter(dataset__in=[AGREEMENT.code, CONTRIBUTION.code, TRANSACTION.code])
    if authority is not None:
        records = records.filter(Q(agreement__organisation=authority) | Q(commitment__receiver=authority))
    imported_records = records.exclude(position=ENTERED_POSITION).order_by("pk")
    last_dates = {}
    for dataset, cells in imported_records.values_list("dataset", "cells").iterator():
        date = date_in_cells(cells, "entry-date")
        if date is not None:
            last_dates[_row_key(dataset, cells)] = date
    return last_dates


def _row_key(dataset: str, cells: Mapping[str, str]) -> _RowKey:
    return dataset, cells.get("reference", ""), authority_key(cells.get("organisation", ""))


@dataclass(frozen=True, slots=True)
class OlderPromise:
    """A contribution in a file that is older than the contribution's earlier import."""

    promise: RegisterPromise
    #: The date of the earlier import, which is newer.
    newer: dt.date

    @property
    def key(self) -> tuple[str, int]:
        """The reference and the receiver's id, which identify the contribution's commitment."""
        return self.promise.reference, self.promise.receiver.pk


class OlderContributions:
    """Adds the differences between older files and the present commitments to the commitments' history."""

    def __init__(self, older_promises: Sequence[OlderPromise], source: str, run: RunningImport) -> None:
        self._source = source
        self._run = run
        self._older_by_key = {older.key: older for older in older_promises}
        self._commitment_by_key: dict[tuple[str, int], Commitment] = {}
        if older_promises:
            receiver_ids = {older.promise.receiver.pk for older in older_promises}
            commitments = Commitment.objects.filter(source=source, receiver__in=receiver_ids)
            for commitment in commitments.select_related("receiver").order_by("pk"):
                self._commitment_by_key[commitment.source_reference, commitment.receiver_id or 0] = commitment

    @property
    def missing_promises(self) -> list[RegisterPromise]:
        """The contributions that newer files do not have, marked as withdrawn.

        Withdrawn commitments count neither as kept nor as broken.
        """
        missing_promises = []
        for key, older in self._older_by_key.items():
            if key not in self._commitment_by_key:
                reason = f"Missing from newer files, such as those of {long_date(older.newer)}."
                missing_promises.append(replace(older.promise, withdrawn=older.promise.withdrawn or reason))
        return missing_promises

    def fill_history(self, current_promises: Sequence[RegisterPromise]) -> None:
        """Add to each contribution's history how it has changed since the file, and count the changes in the report.

        `current_promises` are the contributions in the files that are not older.
        """
        if not self._older_by_key:
            return
        run = self._run
        existing_commitments = [
            (self._commitment_by_key[key], older.promise)
            for key, older in self._older_by_key.items()
            if key in self._commitment_by_key
        ]
        ids_with_event = ids_with_event_of_files(
            EventKind.CONTRIBUTION_IN_OLDER_FILE, [commitment.pk for commitment, _ in existing_commitments], run
        )
        changed_count = 0
        for commitment, promise in existing_commitments:
            differences = _differences(commitment, promise)
            if not differences:
                continue
            changed_count += 1
            if commitment.pk not in ids_with_event:
                self._record(commitment, differences)

        keys_in_files = self._older_by_key.keys() | {
            (promise.reference, promise.receiver.pk) for promise in current_promises
        }
        remark_on_older_rows(
            run,
            max(older.newer for older in self._older_by_key.values()),
            "contributions",
            changed_count=changed_count,
            existing_count=len(existing_commitments),
            gone_count=len(self._older_by_key) - len(existing_commitments),
            later_count=len(self._commitment_by_key.keys() - keys_in_files),
        )

    def _record(self, commitment: Commitment, differences: str) -> None:
        """Record the differences in the history of the commitment, and count the commitment as changed."""
        run = self._run
        # `save_promises` counted the commitment as left alone, because it exists already.
        run.report.counts["left_alone"] -= 1
        name = f"{commitment.source_reference} ({commitment.receiver})"
        run.report.count("changed", f"{name}, changed since: {differences}")
        reason = f"{self._source}, as of {long_date(run.as_of)}. Changed since: {differences}."
        record(
            actor_id=run.author.pk if run.author else None,
            organisation_id=commitment.receiver_id,
            kind=EventKind.CONTRIBUTION_IN_OLDER_FILE,
            target_kind="commitment",
            target_id=commitment.pk,
            now=run.now,
            data={"title": commitment.reference, "reason": reason, "file": run.digest},
        )


def _differences(commitment: Commitment, promise: RegisterPromise) -> str:
    """Return how a commitment differs from an older file, in words, or "" if both are equal."""
    differences = []
    promised_then = (promise.quantity, promise.unit if promise.quantity is not None else "")
    if promised_then != (commitment.quantity, commitment.unit):
        figure_then = _figure_words(promise.quantity, promise.unit)
        differences.append(
            f"the amount promised was {figure_then}, now {_figure_words(commitment.quantity, commitment.unit)}"
        )

    delivered_then = promise.progress[-1].delivered if promise.progress else Decimal(0)
    if delivered_then != commitment.delivered_quantity:
        figure_then = _figure_words(delivered_then, promise.unit)
        figure_now = _figure_words(commitment.delivered_quantity, commitment.unit)
        differences.append(f"the amount delivered was {figure_then}, now {figure_now}")
    return "; ".join(differences)


def _figure_words(quantity: Decimal | None, unit: str) -> str:
    return "no figure" if quantity is None else quantity_words(quantity, unit)
