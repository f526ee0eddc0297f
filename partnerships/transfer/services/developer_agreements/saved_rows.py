"""Save the rows of developer agreements, so that they can be published again, and find saved rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Max

from partnerships.commitments.models import UNDELIVERED_STATUSES, Commitment, Progress
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.open_data.models import ENTERED_POSITION, Record
from partnerships.open_data.services import FileRow, save_rows
from partnerships.open_data.standards import AGREEMENT, CONTRIBUTION, TRANSACTION
from partnerships.open_data.values import LAST_REPORT, OVER, REPORTED, Cells, organisation_values
from partnerships.organisations.models import Organisation
from partnerships.transfer.reading.agreement_rows import Agreement, Promise
from partnerships.transfer.services.directory import RunningImport


def save_agreement_rows(
    rows: Sequence[Agreement],
    agreement_by_row: Mapping[int, DeveloperAgreement],
    find_organisation: Callable[[str], Organisation | None],
    run: RunningImport,
) -> None:
    """Save the rows of the agreements that were imported.

    `agreement_by_row` has the agreements by their row numbers. `find_organisation` finds the authority in a row, which
    is not the agreement's authority if the agreement has passed to a successor.
    """
    rows_by_agreement = {}
    for row in rows:
        agreement = agreement_by_row.get(row.row)
        if agreement is not None:
            authority = find_organisation(row.organisation) or agreement.organisation
            rows_by_agreement[agreement] = [_file_row(row.row, row.cells, authority.pk)]
    save_rows(dataset=AGREEMENT.code, rows=rows_by_agreement, author=run.author, now=run.now)


@dataclass(frozen=True, slots=True)
class ContributionRow:
    """The row of a contribution that was imported, with the ids of its authorities."""

    promise: Promise
    receiver_id: int
    #: The id of the authority in the row, which is not the receiver if the contribution has passed to a successor.
    named_id: int


def save_contribution_rows(rows: Sequence[ContributionRow], source: str, run: RunningImport) -> None:
    """Save the rows of the contributions that were imported, and the rows of their transactions."""
    references = [row.promise.key[:200] for row in rows]
    commitments = Commitment.objects.filter(source=source, source_reference__in=references)
    commitment_by_key = {
        (commitment.source_reference, commitment.receiver_id): commitment for commitment in commitments
    }
    saved_by_commitment = _saved_contributions(commitment_by_key.values())
    reports = Progress.objects.filter(commitment__in=commitment_by_key.values())
    last_report_by_commitment = dict(reports.values_list("commitment").annotate(Max("pk")))

    contribution_rows: dict[Commitment, list[FileRow]] = {}
    transaction_rows: dict[Commitment, list[FileRow]] = {}
    for row in rows:
        promise = row.promise
        commitment = commitment_by_key.get((promise.key[:200], row.receiver_id))
        if commitment is None:
            continue
        movements = sorted(promise.movements, key=lambda movement: movement.row)
        saved_contribution = saved_by_commitment.get(commitment.pk, _SavedContribution())
        values = saved_contribution.values
        # Later reports are published as new transactions. The values must therefore stay as they were when these rows
        # were first read, even if the same file is imported again.
        if saved_contribution.cells != [promise.cells, *(movement.cells for movement in movements)]:
            values = {
                OVER: "yes" if promise.ended_on or commitment.status in UNDELIVERED_STATUSES else "no",
                LAST_REPORT: str(last_report_by_commitment.get(commitment.pk, 0)),
                REPORTED: str(commitment.delivered_quantity),
            }
        values = {**values, **organisation_values(row.named_id)}
        contribution_rows[commitment] = [FileRow(position=promise.row, cells=promise.cells, values=values)]
        transaction_rows[commitment] = [_file_row(movement.row, movement.cells, row.named_id) for movement in movements]
    save_rows(dataset=CONTRIBUTION.code, rows=contribution_rows, author=run.author, now=run.now)
    save_rows(dataset=TRANSACTION.code, rows=transaction_rows, author=run.author, now=run.now)


@dataclass(slots=True)
class _SavedContribution:
    """The saved rows of a contribution, its own row first and then its transactions."""

    cells: list[Cells] = field(default_factory=list)
    #: The values of the contribution's own row.
    values: Cells = field(default_factory=dict)


def _saved_contributions(commitments: Iterable[Commitment]) -> dict[int, _SavedContribution]:
    """Return the saved rows of contributions by the id of the commitment. Uses one query."""
    records = Record.objects.filter(dataset__in=[CONTRIBUTION.code, TRANSACTION.code], commitment__in=commitments)
    saved_by_commitment: dict[int, _SavedContribution] = {}
    # In alphabetical order, the dataset of contributions comes before that of transactions.
    for record in records.order_by("dataset", "position", "pk"):
        saved_contribution = saved_by_commitment.setdefault(
            record.commitment_id or 0, _SavedContribution(values=record.values)
        )
        saved_contribution.cells.append(record.cells)
    return saved_by_commitment


def _file_row(row_number: int, cells: Cells, organisation_id: int) -> FileRow:
    """Return a row of an imported file, with its authority."""
    return FileRow(position=row_number, cells=cells, values=organisation_values(organisation_id))


def find_saved_rows(
    receiver: Organisation | None, dataset: str, column: str, values: Collection[str]
) -> list[tuple[int, Cells]]:
    """Return the row number and the texts of each saved row with one of these values in the column.

    With `receiver`, only rows of that authority are returned. Rows that were entered on pages are in no file, and are
    left out.
    """
    if not values:
        return []
    records = Record.objects.filter(dataset=dataset, **{f"cells__{column}__in": list(values)}).exclude(
        position=ENTERED_POSITION
    )
    if receiver is not None:
        records = records.filter(commitment__receiver=receiver)
    return list(records.order_by("position", "pk").values_list("position", "cells"))
